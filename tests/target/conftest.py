"""The target with the sandbox as its Birdie."""

import logging
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from connector_sandbox import Sandbox

from .running import Target


@pytest.fixture(autouse=True)
def _own_signals() -> Iterator[None]:
    """A target takes the process's signals and its hook for exceptions; give them back."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    excepthook = sys.excepthook
    yield
    sys.excepthook = excepthook
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def target(sandbox: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Target:
    """The target with the sandbox as its Birdie, and a store of its own."""
    caplog.set_level(logging.INFO)
    return Target(sandbox, tmp_path, caplog)


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty store in each database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/birdie.db"
    url: str = request.getfixturevalue("postgres").empty_database()
    return url
