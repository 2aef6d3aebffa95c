"""What is built from this repository."""

from __future__ import annotations

import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")


@dataclass(frozen=True)
class Package:
    """A distribution; on PyPI, `tap-wootric` is another project's name."""

    name: str
    command: str
    folder: Path

    @property
    def module(self) -> str:
        return self.command.replace("-", "_")

    @property
    def project(self) -> dict[str, Any]:
        """The table `project` of its pyproject.toml."""
        text = (self.folder / "pyproject.toml").read_text()
        table: dict[str, Any] = tomllib.loads(text)["project"]
        return table

    def wheel(self, dist: Path) -> Path:
        return next(dist.glob(f"{self.name.replace('-', '_')}-*.whl"))

    def sdist(self, dist: Path) -> Path:
        return next(dist.glob(f"{self.name.replace('-', '_')}-*.tar.gz"))


TAP = Package("wootric-tap", "tap-wootric", ROOT)
TARGET = Package("target-birdie", "target-birdie", ROOT / "target-birdie")
PACKAGES = (TAP, TARGET)
