"""Where `make` puts the loaders: an environment of its own for each."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = ROOT / ".cache/loaders"


def command(package: str, name: str) -> Path:
    """A command of a loader; the test that needs it is skipped where it is not installed."""
    path = ENVIRONMENTS / package / "bin" / name
    if not path.exists():
        pytest.skip(f"{package} is not installed: use make test")
    return path
