"""Kubernetes runs the accounts of the list."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from connector_sandbox import Sandbox
from docs.dockerfile import Image
from docs.shell import everything
from docs.test_examples import validated
from postgres import Postgres

from .commands import FOLDER, entry, run, variables, write


@pytest.mark.long
def test_manifests_are_valid_and_each_pod_runs_the_account_of_its_index(
    make_sandbox: Callable[..., Sandbox], postgres: Postgres, tmp_path: Path
):
    sandboxes = [make_sandbox(seed=seed, responses=20) for seed in (1, 2)]
    entries = [entry("acme", sandboxes[0]), entry("globex", sandboxes[1])]
    listed = write(tmp_path / "accounts.yaml", entries, slots=5)

    done = run("manifests", "--image", "registry.example.com/accounts:1", listed)
    config, job = manifests = [*yaml.safe_load_all(done.stdout)]
    spec = job["spec"]["jobTemplate"]["spec"]
    pod = spec["template"]["spec"]
    (volume,), (container,) = pod["volumes"], pod["containers"]
    (tmp_path / "image").mkdir()
    image = Image(FOLDER / "Dockerfile", tmp_path / "image")
    arguments = " ".join(container["args"]).replace("/etc/wootric", str(tmp_path))
    command = f"exec {image.command} {arguments}".replace("$(JOB_COMPLETION_INDEX)", "1")
    ran = image.run(command, **variables(entries, postgres.empty_database()))

    assert validated(manifests) == 0
    assert (spec["completions"], spec["parallelism"]) == (2, 5)
    assert config["data"] == {"accounts.yaml": listed.read_text()}
    assert volume["configMap"]["name"] == config["metadata"]["name"]
    assert ran.returncode == 0, ran.stderr
    assert [len(one.birdie.history) for one in sandboxes] == [0, everything(sandboxes[1])]
