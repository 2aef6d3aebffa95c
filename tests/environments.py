"""Environments, set up by `make`, for what the tests need and the project does not depend on."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def folder(group: str, package: str) -> Path:
    """Where a package is installed that `requirements.txt` of a folder of tests names."""
    return ROOT / ".cache" / group / package


def command(group: str, package: str, name: str) -> Path:
    """A command of such a package; the test that needs it is skipped where it is not installed."""
    path = folder(group, package) / "bin" / name
    if not path.exists():
        pytest.skip(f"{package} is not installed: use make test")
    return path
