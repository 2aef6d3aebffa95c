"""The SDK's own tests of targets, against the sandbox's Birdie where something is sent."""

from __future__ import annotations

from importlib.resources import files

from singer_sdk.testing import get_target_test_class, target_test_streams
from target_birdie.target import TargetBirdie

from .running import Target

OPTIONS = {"dry_run": True, "store_url": "none"}
Skipped = get_target_test_class(TargetBirdie, config=OPTIONS, parse_env_config=False)


class TestSkipped(Skipped):  # type: ignore[misc,valid-type]
    """Every case of the SDK, with streams that are not mapped."""

    test_target_record_missing_key_property = None  # such a record is skipped like the others


def test_the_suites_duplicates_end_in_their_last_version(target: Target) -> None:
    """The suite itself looks at no result."""
    text = (files(target_test_streams) / "duplicate_records.singer").read_text()
    fields = {"feedback_id": "id", "rating": "id", "posted_at": "metric"}
    streams = {"test_duplicate_records": {"record_type": "feedback", "fields": fields}}
    target(text, streams=streams, date_properties=["metric"])

    posted = {key: body["posted_at"] for key, body in target.sent.items()}
    assert posted == {"1": "1970-01-01T00:01:40Z", "2": "1970-01-01T00:00:20Z"}
