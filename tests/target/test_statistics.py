"""What a run says about itself, and what it never says."""

import json
import logging
import re

import pytest
from target_birdie.delivery import statistics
from target_birdie.delivery.store import Store

from .messages import lines_of, record, row, schema, state, sync
from .running import Target


def test_the_summary_counts_what_happened(target: Target) -> None:
    """Without zeros, after the SDK's metrics."""
    target(sync(1, 2))
    target.fail("502", times=1)
    messages = sync(1, 2, 3, record(4, score=None))
    run = target([*messages, schema("declines"), row({}, "declines")], max_rejects="1")
    *_, metric, summary = run.log.splitlines()

    assert ("METRIC" in metric, "Done: 5 records: 1 sent (" in summary) == (True, True)
    counts = "2 unchanged, 1 skipped, 1 rejected (rating: 1), 1 retried (502: 1)"
    assert summary.endswith(f"/s), {counts}")


def test_skipped_streams_are_named_once(target: Target) -> None:
    """Their records may lack a key, and no state waits for them."""
    messages = [schema("declines"), row({}, "declines"), schema("declines", "reason")]
    run = target([*messages, state({"read": 1})])

    assert (run.result, target.puts) == ((0, 1), 0)
    assert run.log.count("Skipping stream 'declines'") == 1


@pytest.mark.parametrize(("pace", "lines"), [("20.5", range(1, 5)), (0, range(1))])
def test_progress_is_logged_if_something_changed(
    pace: float | str, lines: range, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every ten seconds; here the seconds are shorter."""
    monkeypatch.setattr(statistics, "PROGRESS_SECONDS", 0.5)
    run = target(sync(*range(40)), max_requests_per_second=pace)

    assert run.log.count("Progress: 40 records: ") in lines


def test_states_are_written_about_once_a_second(target: Target) -> None:
    """Each covers more than the one before."""
    run = target(sync(*range(1, 61), every=1), max_requests_per_second=20)
    reads = [found["read"] for found in run.states]

    assert (sorted(set(reads)), reads[-1]) == (reads, 60)
    assert 3 <= len(reads) <= 6


def test_the_store_has_the_last_complete_run_of_each_stream(store_url: str, target: Target) -> None:
    """With the newest `posted_at` of all runs."""
    newest = "2020-01-01T00:00:00Z"
    for rows in (sync(record(2, created_at=newest), 1), sync(1, 3), lines_of(sync(4)) + "nonsense"):
        target(rows, account="acme", store_url=store_url)
    store = Store(store_url, "acme")
    (noted,) = store._db.exec_driver_sql("SELECT * FROM birdie_streams").all()
    store.close()

    assert (noted.account, noted.stream, noted.newest_posted_at) == ("acme", "responses", newest)
    assert json.loads(noted.counts) == {"read": 2, "unchanged": 1, "sent": 1}


@pytest.mark.parametrize("fault", [None, "400", "500", "reset", "html", "dry run"])
def test_no_log_line_contains_a_secret(
    fault: str | None, target: Target, caplog: pytest.LogCaptureFixture
) -> None:
    """No key, text, e-mail address or odd id, at any level, whatever happens."""
    if fault and fault != "dry run":
        target.fail(fault, times=2)
    caplog.set_level(logging.DEBUG)
    person = {"email": "ann@example.com", "properties": {"phone": "+15550100"}}
    odd = record(0, id="ann@example.com", end_user_id="ann@example.com")
    bad = record(2, text={"say": "my own words"}, end_user=person)
    messages = sync(record(1, text="my own words", end_user=person), bad, odd)
    run = target(messages, dry_run=fault == "dry run", max_rejects="9")
    secrets = ["ann@example.com", "+15550100", "192.0.2.1", "my own words", "ann%40example.com"]

    assert "Rejected record 2 of stream 'responses': text" in run.log
    shown = run.log + run.error + run.output
    assert [found for found in [*secrets, target.sandbox.api_key] if found in shown] == []


@pytest.mark.parametrize(
    "record_id", ["12345", "eu-12_a.b", "ann@example.com", "two words", "a\nb", "x" * 41, ""]
)
def test_an_id_that_may_be_personal_or_break_a_line_is_shown_as_its_hash(record_id: str) -> None:
    """The hash is the same in every run."""
    shown = statistics.shown_id(record_id)

    assert (shown == record_id) == (record_id in {"12345", "eu-12_a.b"})
    assert shown == record_id or re.fullmatch("#[0-9a-f]{12}", shown)
    assert (shown == "#61080ff47408") == (record_id == "ann@example.com")
