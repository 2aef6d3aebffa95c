"""Fixtures for all tests: both APIs over real HTTP."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from connector_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def make_sandbox() -> Iterator[Callable[..., Sandbox]]:
    """Start sandboxes with the arguments of `Sandbox`; all of them stop after the test."""
    with ExitStack() as running:
        yield lambda **arguments: running.enter_context(Sandbox(**arguments))


@pytest.fixture
def sandbox(make_sandbox: Callable[..., Sandbox]) -> Sandbox:
    """A small account: 300 responses, 150 people, 100 declines."""
    return make_sandbox(seed=1, responses=300)
