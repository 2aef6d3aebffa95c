"""The distributions of the tap and the target, built once for all tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .packages import PACKAGES, ROOT, UV


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both wheels and both source archives, built without the network."""
    if not UV.exists():
        pytest.skip("uv is not installed beside Python")
    out = tmp_path_factory.mktemp("dist")
    for package in PACKAGES:
        command = [UV, "build", "--offline", "--no-build-isolation", "--package", package.name]
        subprocess.run([*command, "--out-dir", out], cwd=ROOT, check=True, capture_output=True)
    return out


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    """An empty virtual environment."""
    path = tmp_path / "venv"
    subprocess.run([UV, "venv", "-q", "--python", sys.executable, path], check=True)
    return path
