"""The tap's output in real databases and files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from connector_sandbox import Sandbox
from e2e.conftest import meltano as meltano  # noqa: PLC0414 - a fixture
from e2e.conftest import plugins as plugins  # noqa: PLC0414 - a fixture
from tap.helpers import Account

from .loading import DuckDBLoader, JsonLinesLoader, Loader, PostgresLoader


@pytest.fixture(scope="module")
def make_loader(request: pytest.FixtureRequest) -> Callable[[str, Path], Loader]:
    """A loader by its name, with a destination of its own."""

    def make(name: str, folder: Path) -> Loader:
        if name == "postgres":
            return PostgresLoader(folder, request.getfixturevalue("postgres"))
        return {"duckdb": DuckDBLoader, "jsonl": JsonLinesLoader}[name](folder)

    return make


@pytest.fixture
def make_account(make_sandbox: Callable[..., Sandbox], tmp_path: Path) -> Callable[..., Account]:
    """Start a sandbox of its own, with the arguments of `Sandbox`."""
    return lambda **arguments: Account(make_sandbox(**arguments), tmp_path)


@pytest.fixture
def account(make_account: Callable[..., Account]) -> Account:
    """A small account: 300 responses, 150 people, 100 declines."""
    return make_account(seed=1, responses=300)
