"""The images run a sync, and the Kubernetes manifests run the images."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from commands import EXAMPLES, everything, run, settings, tool
from connector_sandbox import Sandbox
from dockerfile import Image
from postgres import Postgres

from .helpers import FOLDER, entry, orchestration, secrets, write

VALIDATE = """
import sys, yaml, kubernetes_validate as kubernetes
for manifest in yaml.safe_load_all(sys.stdin):
    kubernetes.validate(manifest, kubernetes.latest_version(), strict=True)
"""


def validated(objects: list[dict[str, Any]]) -> int:
    """The exit code of a check against the JSON Schemas of Kubernetes."""
    python = tool("docs", "kubernetes-validate", "python")
    return run(python, "-c", VALIDATE, input=yaml.safe_dump_all(objects)).returncode


@pytest.mark.long
def test_the_cron_job_runs_the_image_with_the_variables_of_the_secret(
    sandbox: Sandbox, tmp_path: Path
):
    """Its user can write to the volume, and the pod has more time than the target needs to end."""
    image = Image(EXAMPLES / "Dockerfile", tmp_path)
    claim, job = manifests = [*yaml.safe_load_all((EXAMPLES / "cronjob.yaml").read_text())]
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,), (volume,), user = pod["containers"], pod["volumes"], pod["securityContext"]

    done = image.run(f"exec {image.command}", **settings(sandbox))

    assert done.returncode == 0, done.stderr
    assert len(sandbox.birdie.history) == everything(sandbox)
    assert (tmp_path / "data/last_success").exists()
    assert validated(manifests) == 0
    assert f"{user['runAsUser']}:{user['fsGroup']}" == image.user
    assert container["volumeMounts"] == [{"name": volume["name"], "mountPath": "/data"}]
    assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert job["spec"].pop("concurrencyPolicy") == "Forbid"
    assert pod["terminationGracePeriodSeconds"] > 5 + 25 + 20
    job["spec"]["concurrencyPolice"] = "Forbid"
    assert validated(manifests) != 0


@pytest.mark.long
def test_each_pod_runs_the_account_of_its_index(
    make_sandbox: Callable[..., Sandbox], postgres: Postgres, tmp_path: Path
):
    sandboxes = [make_sandbox(seed=seed, responses=20) for seed in (1, 2)]
    names = ("acme", "globex")
    listed = write(tmp_path / "accounts.yaml", *map(entry, names, sandboxes))

    done = orchestration("manifests", "--image", "registry.example.com/accounts:1", listed)
    config, job = manifests = [*yaml.safe_load_all(done.stdout)]
    spec = job["spec"]["jobTemplate"]["spec"]
    (volume,), (container,) = (spec["template"]["spec"][x] for x in ("volumes", "containers"))
    (tmp_path / "image").mkdir()
    image = Image(FOLDER / "Dockerfile", tmp_path / "image")
    arguments = " ".join(container["args"]).replace("/etc/wootric", str(tmp_path))
    command = f"exec {image.command} {arguments}".replace("$(JOB_COMPLETION_INDEX)", "1")
    ran = image.run(command, **secrets(postgres.empty_database(), *names))

    assert validated(manifests) == 0
    assert (spec["completions"], spec["parallelism"]) == (2, 5)
    assert config["data"] == {"accounts.yaml": listed.read_text()}
    assert volume["configMap"]["name"] == config["metadata"]["name"]
    assert ran.returncode == 0, ran.stderr
    assert [len(one.birdie.history) for one in sandboxes] == [0, everything(sandboxes[1])]
