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

FIELDS = {"feedback_id": "id", "rating": "id", "posted_at": "metric"}
OPTIONS = {"dry_run": True, "store_url": "none"}

Skipped = get_target_test_class(TargetBirdie, config=OPTIONS, parse_env_config=False)


@pytest.fixture(autouse=True)
def _own_signals() -> Iterator[None]:
    """A target takes the process's signals; give them back."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


class TestSkipped(Skipped):  # type: ignore[misc,valid-type]
    """Every case of the SDK, with streams that are not mapped."""

    test_target_record_missing_key_property = None  # such a record is skipped like the others


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
