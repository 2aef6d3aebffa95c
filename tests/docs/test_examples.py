"""The examples for containers and schedulers work in the tools that they are made for."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from connector_sandbox import Sandbox
from environments import command
from webhook import Webhook

from .dockerfile import Image
from .shell import EXAMPLES, Done, environment, everything, settings

AIRFLOW = "apache-airflow"
KUBERNETES = "kubernetes-validate"
VALIDATE = """
import sys, yaml, kubernetes_validate as kubernetes
for manifest in yaml.safe_load_all(sys.stdin):
    kubernetes.validate(manifest, kubernetes.latest_version(), strict=True)
"""


def manifests() -> list[dict[str, Any]]:
    """The objects that the file describes."""
    return list(yaml.safe_load_all((EXAMPLES / "cronjob.yaml").read_text()))


def validated(objects: list[dict[str, Any]]) -> int:
    """The exit code of a check against the JSON Schemas of Kubernetes."""
    text = yaml.safe_dump_all(objects)
    python = command("docs", KUBERNETES, "python")
    return subprocess.run(
        [python, "-c", VALIDATE], input=text.encode(), check=False, stderr=subprocess.DEVNULL
    ).returncode


@pytest.mark.long
def test_manifest_is_valid_for_kubernetes():
    *_, job = misspelled = manifests()
    assert validated(misspelled) == 0

    job["spec"]["concurrencyPolice"] = job["spec"].pop("concurrencyPolicy")
    assert validated(misspelled) != 0


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """The image of the Dockerfile."""
    return Image(EXAMPLES / "Dockerfile", tmp_path_factory.mktemp("image"))


@pytest.mark.long
def test_image_runs_a_sync_with_the_variables_of_the_secret(image: Image, sandbox: Sandbox):
    done = image.run(f"exec {image.command}", **settings(sandbox))

    assert done.returncode == 0, done.stderr
    assert len(sandbox.birdie.history) == everything(sandbox)
    assert {"state.json", "last_success"} <= {path.name for path in image.workdir.iterdir()}


@pytest.mark.long
def test_cron_job_fits_the_image(image: Image):
    """Its user can write to the volume, and the pod has more time than the target needs to end."""
    claim, job = manifests()
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,), (volume,) = pod["containers"], pod["volumes"]

    assert (
        f"{pod['securityContext']['runAsUser']}:{pod['securityContext']['fsGroup']}" == image.user
    )
    assert "command" not in container
    assert container["volumeMounts"] == [{"name": volume["name"], "mountPath": "/data"}]
    assert image.workdir == image.root / "data"
    assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    assert pod["terminationGracePeriodSeconds"] > 5 + 25 + 20


@pytest.mark.long
def test_airflow_syncs_and_alerts_on_a_failure_and_on_missing_successes(
    sandbox: Sandbox, webhook: Webhook, tmp_path: Path
):
    shutil.copytree(EXAMPLES, tmp_path / "dags")
    dags = tmp_path / "dags/wootric_to_birdie.py"
    code = dags.read_text().replace("/var/lib/wootric", str(tmp_path / "data"))
    dags.write_text(code.replace("retries=2", "retries=0"))

    def airflow(arguments: str, **more: str) -> Done:
        env = environment(
            sandbox,
            ALERT_URL=webhook.url,
            NO_PROXY="127.0.0.1",
            AIRFLOW_HOME=str(tmp_path / "home"),
            AIRFLOW__CORE__DAGS_FOLDER=str(tmp_path / "dags"),
            AIRFLOW__CORE__LOAD_EXAMPLES="False",
            **more,
        )
        command_line = [command("docs", AIRFLOW, "airflow"), *arguments.split()]
        return subprocess.run(command_line, env=env, capture_output=True, text=True, check=False)

    assert airflow("db migrate").returncode == 0
    airflow("dags test wootric_to_birdie", TAP_WOOTRIC_CLIENT_SECRET="wrong")
    airflow("dags test wootric_to_birdie_is_recent")
    failures = [text.split(":")[0] for text in webhook.texts]
    for dag in ("wootric_to_birdie", "wootric_to_birdie_is_recent"):
        done = airflow(f"dags test {dag}")
        assert done.returncode == 0, done.stderr[-2000:]

    expected = ["wootric_to_birdie.sync failed", "wootric_to_birdie_is_recent.check failed"]
    assert failures == expected
    assert len(webhook.texts) == len(expected)
    assert len(sandbox.birdie.history) == everything(sandbox)
