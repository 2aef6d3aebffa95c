"""The SDK's test suite against the sandbox, and what it does not test."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any

import pytest
from connector_sandbox import Sandbox
from jsonschema import Draft7Validator, FormatChecker
from singer_sdk.testing import SuiteConfig, get_tap_test_class

from tap_wootric.tap import TapWootric

from .helpers import INCREMENTAL, Account, invoke, selecting

STREAMS = (*INCREMENTAL, "segments", "nps_summary", "survey_templates", "email_stats")


SANDBOX = Sandbox(seed=1, responses=120)
SANDBOX.start()
"""The suite creates the tap during collection, so the server must already run."""

Suite = get_tap_test_class(
    TapWootric,
    config={
        "client_id": SANDBOX.client_id,
        "client_secret": SANDBOX.client_secret,
        "api_url": SANDBOX.wootric_url,
        "start_date": "2026-06-01",
    },
    suite_config=SuiteConfig(max_records_limit=200),
    parse_env_config=False,
    catalog=selecting(*STREAMS),
)


@pytest.fixture
def stream() -> None:
    """Replace the fixture of the other files: the suite has its own parameters."""


@pytest.fixture(scope="module", autouse=True)
def _served() -> Iterator[None]:
    """Stop the server, and restore the signal handlers."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)
    SANDBOX.stop()


class TestSuite(Suite):  # type: ignore[misc,valid-type]
    """Every check of the SDK on every stream."""


@pytest.mark.parametrize("stream", STREAMS)
def test_every_record_is_valid_by_its_schema(account: Account, stream: str) -> None:
    """Including formats; the suite checks few records."""
    output = account.sync(stream, start_date="2026-06-01" if stream in STREAMS[4:] else None)
    schema = next(m["schema"] for m in output.messages if m["type"] == "SCHEMA")
    assert "date-time" in FormatChecker().checkers

    validator = Draft7Validator(schema, format_checker=FormatChecker())

    assert output.records(stream)
    for record in output.records(stream):
        assert [error.message for error in validator.iter_errors(record)] == []
        assert record.keys() == schema["properties"].keys()


@pytest.mark.parametrize("stream", INCREMENTAL)
def test_primary_keys_are_unique(account: Account, stream: str) -> None:
    """The suite's own check compares generator objects and always passes."""
    ids = account.sync(stream).ids(stream)

    assert len(ids) == len(set(ids)) == len(account.truth(stream))


def test_the_connection_test_passes(account: Account) -> None:
    """`--test` reads a record of each stream and logs no error."""
    output = invoke([*account.options(), "--test"])

    assert output.code == 0
    assert "error" not in output.log.lower().replace("no errors", "")


def test_undeclared_fields_are_valid_too(account: Account) -> None:
    """The schema does not change if the API adds keys."""
    extra: dict[str, Any] = {"csat": {"score": 3}, "Ärger": [1, None]}
    account.sandbox.store.add_response(**extra)

    output = account.sync()

    schema = next(m["schema"] for m in output.messages if m["type"] == "SCHEMA")
    assert output.records()[-1]["additional_fields"] == extra
    assert Draft7Validator(schema).is_valid(output.records()[-1])
