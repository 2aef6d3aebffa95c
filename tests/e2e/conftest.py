"""The commands as people run them, against a sandbox."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from connector_sandbox import Sandbox

from .commands import BIN, ROOT, Run, run

sys.path.insert(0, str(ROOT / "scripts"))

from demo import environment, project

PLUGINS = ("extractors/tap-wootric", "loaders/target-birdie", "loaders/target-jsonl")


@pytest.fixture
def tap_config(sandbox: Sandbox, tmp_path: Path) -> Path:
    """A configuration of the tap, as a file."""
    path = tmp_path / "tap.json"
    config = {
        "client_id": sandbox.client_id,
        "client_secret": sandbox.client_secret,
        "api_url": sandbox.wootric_url,
    }
    path.write_text(json.dumps(config))
    return path


@pytest.fixture(scope="session")
def plugins() -> Path:
    """The folder of Meltano's plugins, which the make targets for tests install."""
    missing = [name for name in PLUGINS if not (ROOT / ".meltano" / name / "venv").exists()]
    if missing:
        pytest.skip(f"Meltano's plugins are not installed ({', '.join(missing)}): use make test")
    return ROOT / ".meltano"


@pytest.fixture
def meltano(sandbox: Sandbox, plugins: Path) -> Iterator[Run]:
    """Meltano in a project of its own; `folder` of the function is where."""
    with project() as folder:

        def meltano(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
            env = environment(sandbox) | variables
            return run(BIN / "meltano", *arguments, cwd=folder, env=env)

        meltano.folder = folder  # type: ignore[attr-defined]
        yield meltano


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings of the person who runs the tests."""
    for name in [name for name in os.environ if name.startswith(("TAP_", "TARGET_"))]:
        monkeypatch.delenv(name)
