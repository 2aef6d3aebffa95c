"""The examples for schedulers do what they say, in the schedulers' own hands."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from connector_sandbox import Sandbox
from environments import command
from target_birdie.old_delivery import GRACE_SECONDS

from .shell import EXAMPLES, environment, everything

sys.path.insert(0, str(EXAMPLES))

from join_states import join

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
def test_the_manifest_is_valid_for_kubernetes():
    """Against its own JSON Schemas, which a misspelt key does not pass."""
    assert validated(manifests()) == 0

    *_, job = misspelt = manifests()
    job["spec"]["concurrencyPolice"] = job["spec"].pop("concurrencyPolicy")
    assert validated(misspelt) != 0


def test_the_manifest_belongs_together():
    """Runs never overlap; the volume is the claim; the pod ends later than the target's wait."""
    claim, job = manifests()
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    (volume,) = pod["volumes"]

    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert container["command"][1] == container["volumeMounts"][0]["mountPath"]
    assert container["volumeMounts"][0]["name"] == volume["name"]
    assert pod["terminationGracePeriodSeconds"] > GRACE_SECONDS


@pytest.mark.long
def test_airflow_runs_the_first_load_and_then_the_daily_run(sandbox: Sandbox, tmp_path: Path):
    """Real Airflow parses both DAGs and executes every task; no record is sent twice."""
    airflow = command("docs", AIRFLOW, "airflow")
    shutil.copytree(EXAMPLES, tmp_path / "dags")
    dags = tmp_path / "dags/wootric_to_birdie.py"
    dags.write_text(dags.read_text().replace("/var/lib/wootric", str(tmp_path / "data")))
    env = environment(
        sandbox,
        AIRFLOW_HOME=str(tmp_path / "home"),
        AIRFLOW__CORE__DAGS_FOLDER=str(tmp_path / "dags"),
        AIRFLOW__CORE__LOAD_EXAMPLES="False",
    )

    sent = []
    for arguments in ["db migrate", "dags test wootric_first_load", "dags test wootric_to_birdie"]:
        done = subprocess.run(
            [airflow, *arguments.split()], env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-2000:]
        sent.append(len(sandbox.birdie.history))

    assert sent == [0, everything(sandbox), everything(sandbox)]
    assert len(list((tmp_path / "data").glob("*/state.json"))) == 3


def test_joined_states_keep_what_each_has_read():
    """Ranges in order, every mark, the newest bookmark; a part without a state adds nothing."""
    first = {"coverage": [[None, "2025", "2026"]], "seen": ["1@5"], "replication_key_value": "2024"}
    last = {"coverage": [["2025", "2026", "2026"]], "seen": [], "replication_key_value": "2025"}
    states: list[dict[str, Any]] = [
        {"bookmarks": {"responses": first}},
        {},
        {"bookmarks": {"responses": last, "segments": {}}},
    ]

    assert join(states) == {
        "bookmarks": {
            "responses": {
                "coverage": [[None, "2025", "2026"], ["2025", "2026", "2026"]],
                "seen": ["1@5"],
                "replication_key_value": "2025",
            },
            "segments": {},
        }
    }


def test_joining_reads_files_and_skips_empty_ones(tmp_path: Path):
    """An empty file is what a worker leaves that was stopped before its first state."""
    (tmp_path / "a.json").touch()
    (tmp_path / "b.json").write_text('{"bookmarks": {"declines": {"seen": ["7@8"]}}}')

    shown = subprocess.check_output(
        [sys.executable, EXAMPLES / "join_states.py", tmp_path / "a.json", tmp_path / "b.json"]
    )

    assert json.loads(shown) == {"bookmarks": {"declines": {"seen": ["7@8"]}}}


@pytest.mark.parametrize(
    ("names", "line"),
    [
        ([], "name the states to join"),
        (["nowhere.json"], "nowhere.json can't be read"),
        (["half.json"], "half.json can't be read"),
        (["list.json"], "list.json is no state"),
    ],
)
def test_joining_what_is_no_state_writes_none(names: list[str], line: str, tmp_path: Path):
    """A sync that went on from an empty one would send everything again."""
    (tmp_path / "half.json").write_text('{"bookmarks": {')
    (tmp_path / "list.json").write_text("[]")

    done = subprocess.run(
        [sys.executable, EXAMPLES / "join_states.py", *names],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("join_states.py: ")
    assert line in done.stderr
    assert done.stderr.count("\n") == 1
