"""The SDK's own tests of taps, against the sandbox, and what they do not check."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from connector_sandbox import Sandbox
from singer_sdk.testing import SuiteConfig, get_tap_test_class

from tap_wootric.tap import TapWootric

from .helpers import ALL, Account, invoke, process_kept, selecting

SANDBOX = Sandbox(seed=1, responses=120)
SANDBOX.start()
"""The suite creates the tap at collection, so its server runs by then."""

Suite = get_tap_test_class(
    TapWootric,
    config=Account(SANDBOX, Path()).config | {"start_date": "2026-06-01"},
    suite_config=SuiteConfig(max_records_limit=200),
    parse_env_config=False,
    catalog=selecting(*ALL),
)


@pytest.fixture
def stream() -> None:
    """The suite provides its own; the one of conftest has parameters."""


@pytest.fixture(scope="module", autouse=True)
def _served() -> Iterator[None]:
    with process_kept():
        yield
    SANDBOX.stop()


class TestSuite(Suite):  # type: ignore[misc,valid-type]
    """Every check of the SDK on every stream."""


def test_the_connection_test_of_the_sdk_leaves_no_error(account: Account) -> None:
    output = invoke([*account.options(), "--test"])

    assert (output.code, output.errors) == (0, [])
