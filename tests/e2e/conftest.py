"""The commands as people run them, against a sandbox."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from commands import BIN, ROOT, Done, run
from connector_sandbox import Sandbox

sys.path.insert(0, str(ROOT / "scripts"))

from demo import environment, project

PLUGINS = ("extractors/tap-wootric", "loaders/target-birdie", "loaders/target-jsonl")


@pytest.fixture
def sandbox(make_sandbox: Callable[..., Sandbox]) -> Sandbox:
    """A very small account, because most of these tests sync it more than once."""
    return make_sandbox(seed=1, responses=60)


@dataclass(frozen=True)
class Meltano:
    """Meltano in a project of its own."""

    folder: Path
    env: dict[str, str]

    def __call__(self, *arguments: str, **variables: str) -> Done:
        return run(BIN / "meltano", *arguments, cwd=self.folder, env=self.env | variables)

    @contextmanager
    def plugins(self) -> Iterator[dict[str, Any]]:
        """The plugins of the project, which can be changed."""
        path = self.folder / "meltano.yml"
        definition = yaml.safe_load(path.read_text())
        yield definition["plugins"]
        path.write_text(yaml.safe_dump(definition))


@pytest.fixture
def meltano(sandbox: Sandbox) -> Iterator[Meltano]:
    """Meltano with the definition and the plugins of this project."""
    if not all((ROOT / ".meltano" / name / "venv").exists() for name in PLUGINS):
        pytest.skip("Meltano's plugins are not installed: use make test")
    with project() as folder:
        yield Meltano(folder, environment(sandbox) | {"TARGET_BIRDIE_MAX_REQUESTS_PER_SECOND": "0"})
