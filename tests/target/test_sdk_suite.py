"""The SDK's own tests of targets, against the sandbox's Birdie where something is sent."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from importlib.resources import files

import pytest
from connector_sandbox import Sandbox
from singer_sdk.testing import get_target_test_class, target_test_streams
from target_birdie.target import TargetBirdie

from .messages import Run

NAMES = ("test_duplicate_records", "test_no_primary_keys", "test_record_missing_fields")
FIELDS = {"feedback_id": "id", "rating": "id", "posted_at": "metric"}

LeftAlone = get_target_test_class(TargetBirdie, config={"dry_run": True}, parse_env_config=False)
Mapped = get_target_test_class(
    TargetBirdie,
    config={
        "destination": "jsonl",
        "output_path": "memory://suite",
        "streams": {name: {"record_type": "feedback", "fields": FIELDS} for name in NAMES},
        "date_properties": ["metric"],
        "rejects_path": "/dev/null",
        "on_reject": "continue",
    },
    parse_env_config=False,
)


@pytest.fixture(autouse=True)
def _own_signals() -> Iterator[None]:
    """A target takes the process's signals; give them back."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


class TestLeftAlone(LeftAlone):  # type: ignore[misc,valid-type]
    """Every case of the SDK, with streams that no setting maps."""


class TestMapped(Mapped):  # type: ignore[misc,valid-type]
    """The same, where some streams become feedbacks."""


def test_the_suites_duplicates_end_in_their_last_version(
    sandbox: Sandbox, run_target: Callable[..., Run]
) -> None:
    """The suite itself looks at no result."""
    text = (files(target_test_streams) / "duplicate_records.singer").read_text()
    entry = {"record_type": "feedback", "fields": FIELDS}
    streams = {"test_duplicate_records": entry}
    run_target(text, streams=streams, date_properties=["metric"])
    posted = {key: body["posted_at"] for key, body in sandbox.birdie.records().items()}

    assert posted == {"1": "1970-01-01T00:01:40Z", "2": "1970-01-01T00:00:20Z"}
