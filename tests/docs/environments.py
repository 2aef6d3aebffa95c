"""Environments for what the examples are made for, which the project itself does not depend on."""

from __future__ import annotations

from pathlib import Path

import pytest

from .documents import ROOT

ENVIRONMENTS = ROOT / ".cache/docs"


def python(package: str) -> Path:
    """The interpreter of the environment with this package, which make sets up."""
    found = ENVIRONMENTS / package / "bin/python"
    if not (ENVIRONMENTS / "stamp").exists() or not found.exists():
        pytest.skip(f"{package} is not installed: use make test")
    return found
