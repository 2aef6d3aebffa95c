"""Environments for what the examples are made for, which the project itself does not depend on."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .documents import ROOT

ENVIRONMENTS = ROOT / ".cache/docs"
SECONDS = 400


def python(requirement: str) -> Path:
    """The interpreter of an environment with this package; installed at first use."""
    place = ENVIRONMENTS / requirement
    found = place / "bin/python"
    if not (place / "ready").exists():
        uv = shutil.which("uv", path=f"{ROOT / '.tools/bin'}:{Path(sys.executable).parent}")
        if uv is None:
            pytest.skip("no uv to install with: use make test")
        shutil.rmtree(place, ignore_errors=True)
        try:
            _run(uv, "venv", "-q", "--python", sys.executable, str(place))
            _run(uv, "pip", "install", "-q", "--python", str(found), requirement)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            pytest.skip(f"{requirement} cannot be installed here")
        (place / "ready").touch()
    return found


def _run(*command: str) -> None:
    subprocess.run(command, check=True, timeout=SECONDS, capture_output=True)
