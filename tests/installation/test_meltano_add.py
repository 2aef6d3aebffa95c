"""The plugin definitions work with `meltano add --from-ref` in an empty project."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from connector_sandbox import Sandbox

from .packages import PACKAGES, ROOT

MELTANO = Path(sys.executable).with_name("meltano")
README = (ROOT / "README.md").read_text()
COMMANDS = README.partition("```sh\nmeltano add")[2].partition("```")[0]
"""The commands of the README, from `meltano add` on."""


@pytest.mark.long
@pytest.mark.skipif(not MELTANO.exists(), reason="Meltano is not installed")
def test_added_plugins_sync_the_selected_streams(dist: Path, sandbox: Sandbox, tmp_path: Path):
    others = {k: v for k, v in os.environ.items() if not k.startswith(("TAP_", "TARGET_"))}
    env = others | {
        "TAP_WOOTRIC_API_URL": sandbox.wootric_url,
        "TARGET_BIRDIE_API_URL": sandbox.birdie_url,
        "NO_PROXY": "127.0.0.1",
    }

    def run(*command: str, folder: Path) -> None:
        done = subprocess.run(
            [MELTANO, *command], cwd=folder, env=env, check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, (command, done.stdout[-1000:], done.stderr[-2000:])

    run("init", "project", "--no-usage-stats", folder=tmp_path)
    project = tmp_path / "project"
    for package in PACKAGES:
        definition = (ROOT / f"docs/hub/{package.command}.yml").read_text()
        pip_url = f"pip_url: {package.name}\n"
        assert pip_url in definition
        local = definition.replace(pip_url, f"pip_url: {package.wheel(dist)}\n")
        (project / f"{package.command}.yml").write_text(local)
    for line in f"meltano add{COMMANDS}".strip().splitlines():
        run(*shlex.split(line)[1:], folder=project)

    paths = {request.path.rpartition("/")[2] for request in sandbox.requests}
    assert set(sandbox.birdie.records()) == {str(row["id"]) for row in sandbox.store.responses()}
    assert sandbox.birdie.count("users") == len(sandbox.store.end_users())
    assert not paths & {"declines", "segments"}
    secrets = (project / "meltano.yml").read_text()
    assert "sandbox-client-secret" not in secrets
    assert "sandbox-api-key" not in secrets
