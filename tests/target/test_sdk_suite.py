"""The SDK's own tests of targets, against the sandbox's Birdie where something is sent."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from singer_sdk.testing import get_target_test_class
from target_birdie.target import TargetBirdie

STREAMS = {
    name: {
        "record_type": "feedback",
        "fields": {"feedback_id": "id", "rating": "metric", "posted_at": "posted_at"},
    }
    for name in ("test_duplicate_records", "test_schema_updates")
}

SuiteBase = get_target_test_class(
    TargetBirdie, config={"dry_run": True, "on_reject": "continue"}, parse_env_config=False
)
MappedBase = get_target_test_class(
    TargetBirdie,
    config={"dry_run": True, "on_reject": "continue", "streams": STREAMS},
    parse_env_config=False,
)


@pytest.fixture(autouse=True)
def _own_signals() -> Iterator[None]:
    """A target takes the process's signals; give them back."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


class TestTarget(SuiteBase):  # type: ignore[misc,valid-type]
    """Every case of the SDK, with streams that are left alone."""


class TestMapped(MappedBase):  # type: ignore[misc,valid-type]
    """The same, with streams that are mapped and records that cannot be."""
