"""The tap as its users run it, against the sandbox."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from connector_sandbox import Sandbox

from tap_wootric.api import retries

from .helpers import INCREMENTAL, Account


@pytest.fixture
def make_account(make_sandbox: Callable[..., Sandbox], tmp_path: Path) -> Callable[..., Account]:
    """Start a sandbox of its own, with the arguments of `Sandbox`."""
    return lambda **arguments: Account(make_sandbox(**arguments), tmp_path)


@pytest.fixture
def account(sandbox: Sandbox, tmp_path: Path) -> Account:
    """A small account: 300 responses, 150 people, 100 declines."""
    return Account(sandbox, tmp_path)


@pytest.fixture
def empty(make_account: Callable[..., Account]) -> Account:
    """An account without a record."""
    return make_account(responses=0)


@pytest.fixture(params=INCREMENTAL)
def stream(request: pytest.FixtureRequest) -> Any:
    """Each of the streams that share the walk."""
    return request.param


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the waits between retries, of runs in this process."""
    monkeypatch.setattr(retries, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(retries, "LONGEST_WAIT", 0.02)
