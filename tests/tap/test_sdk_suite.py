"""The SDK's own tests of taps, against the sandbox, and what they do not check."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from connector_sandbox import Sandbox
from singer_sdk.testing import SuiteConfig, get_tap_test_class

from tap_wootric.tap import TapWootric

from .helpers import ALL, Account, assert_fits, invoke, process_kept, selecting

START = "2026-06-01"

SANDBOX = Sandbox(seed=1, responses=120)
SANDBOX.start()
"""The suite creates the tap at collection, so its server runs by then."""

Suite = get_tap_test_class(
    TapWootric,
    config={
        "client_id": SANDBOX.client_id,
        "client_secret": SANDBOX.client_secret,
        "api_url": SANDBOX.wootric_url,
        "start_date": START,
    },
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


@pytest.mark.parametrize("stream", ALL)
def test_every_record_fits_its_schema_and_has_every_field(account: Account, stream: str) -> None:
    """Formats included, and with undeclared keys."""
    extra: dict[str, Any] = {"csat": {"score": 3}, "Ärger": [1, None]}
    account.sandbox.store.add_response(**extra)

    output = account.sync(stream, start_date=START if stream in ALL[4:] else None)

    assert_fits(output, stream)
    assert output.records(stream)
    for record in output.records(stream):
        assert record.keys() == output.schema(stream)["properties"].keys()
    if stream == "responses":
        assert output.records()[-1]["additional_fields"] == extra


def test_the_connection_test_of_the_sdk_leaves_no_error(account: Account) -> None:
    output = invoke([*account.options(), "--test"])

    assert (output.code, output.errors) == (0, [])
