"""What a run says about itself, and what it never says."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from connector_sandbox import Sandbox
from target_birdie.delivery import statistics
from target_birdie.delivery.store import Store

from .messages import Run, record, row, schema, state, stream_of

Target = Callable[..., Run]


def test_the_summary_counts_what_happened(sandbox: Sandbox, run_target: Target) -> None:
    """Without zeros, after the SDK's metrics."""
    run_target(stream_of([record(1), record(2)]))
    sandbox.faults.on("502", share=1.0, times=1, path="/birdie")
    messages = stream_of([record(1), record(2), record(3), record(4, score=None)])
    run = run_target([*messages, schema("declines"), row({}, "declines")], max_rejects="1")
    *_, metric, summary = run.log.splitlines()

    assert "METRIC" in metric
    assert summary.partition("Done: ")[2].replace("(93/s)", "") != ""
    assert "Done: 5 records: 1 sent (" in summary
    expected = "2 unchanged, 1 skipped, 1 rejected (rating: 1), 1 retried (502: 1)"
    assert summary.endswith(f"/s), {expected}")


def test_skipped_streams_are_named_once(sandbox: Sandbox, run_target: Target) -> None:
    """They are neither sent nor in the way of the state, also without their key."""
    again = schema("declines", {"reason": {}})
    messages = [schema("declines"), row({}, "declines"), again, state({"declines": 1})]
    run = run_target(messages)
    assert (run.exit_code, run.states, sandbox.birdie.puts) == (0, [{"declines": 1}], 0)
    assert run.log.count("Skipping stream 'declines'") == 1


@pytest.mark.parametrize(("pace", "lines"), [(20, range(1, 5)), (0, range(1))])
def test_progress_is_logged_if_something_changed(
    pace: int, lines: range, run_target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every ten seconds; here the seconds are shorter."""
    monkeypatch.setattr(statistics, "PROGRESS_SECONDS", 0.5)
    run = run_target(stream_of([record(n) for n in range(40)]), max_requests_per_second=pace)
    assert run.log.count("Progress: 40 records: ") in lines


def test_states_are_written_about_once_a_second(run_target: Target) -> None:
    """Each covers more than the one before."""
    messages = stream_of([record(n) for n in range(1, 61)], every=1)
    run = run_target(messages, max_requests_per_second=20)
    reads = [found["read"] for found in run.states]
    assert (sorted(set(reads)), reads[-1]) == (reads, 60)
    assert 3 <= len(reads) <= 6


def test_a_complete_run_is_noted_for_each_stream(run_target: Target, tmp_path: Path) -> None:
    """When it ended, what it did, and the newest feedback."""
    newer = record(2, created_at="2020-01-01T00:00:00Z")
    run_target([*stream_of([newer, record(1)])], account="acme")
    store = Store(f"sqlite:///{tmp_path}/birdie.db", "acme")
    (noted,) = store._db.exec_driver_sql("SELECT * FROM birdie_streams").all()
    store.close()
    assert (noted.account, noted.stream) == ("acme", "responses")
    assert noted.newest_posted_at == "2020-01-01T00:00:00Z"
    assert json.loads(noted.counts) == {"read": 2, "sent": 2}


SECRETS = ["ann@example.com", "+15550100", "192.0.2.1", "my own words", "ann%40example.com"]


@pytest.mark.parametrize("fault", [None, "400", "500", "reset", "html"])
@pytest.mark.parametrize("dry_run", [False, True])
def test_no_log_line_contains_a_secret(
    fault: str | None,
    dry_run: bool,
    sandbox: Sandbox,
    run_target: Target,
    config: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No key, text, e-mail address or odd id, at any level, whatever goes wrong."""
    if fault:
        sandbox.faults.on(fault, share=1.0, times=2, path="/birdie")
    caplog.set_level(logging.DEBUG)
    person = {"email": "ann@example.com", "properties": {"phone": "+15550100"}}
    odd = record(0, id="ann@example.com", end_user_id="ann@example.com")
    bad = record(2, text={"say": "my own words"}, end_user=person)
    messages = stream_of([record(1, text="my own words", end_user=person), bad, odd])
    run = run_target(messages, dry_run=dry_run, max_rejects="9")
    shown = run.log + run.error + json.dumps(run.states)

    assert "Rejected record 2 of stream 'responses': text" in run.log
    assert [secret for secret in [*SECRETS, config["api_key"]] if secret in shown] == []


@pytest.mark.parametrize(
    ("record_id", "shown"),
    [
        ("12345", "12345"),
        ("eu-12_a.b", "eu-12_a.b"),
        ("ann@example.com", "#61080ff47408"),
        ("two words", "#"),
        ("a\nb", "#"),
        ("x" * 41, "#"),
        ("", "#"),
    ],
)
def test_an_id_is_shown_only_if_it_is_a_number_or_a_short_token(record_id: str, shown: str) -> None:
    """Others may be e-mail addresses, or break a line; their hash is the same in every run."""
    found = statistics.shown_id(record_id)
    assert found.startswith(shown)
    assert (found == record_id) != found.startswith("#")


def test_a_dry_run_sends_nothing_and_writes_no_state(
    sandbox: Sandbox, run_target: Target, tmp_path: Path
) -> None:
    """It counts what is new, unchanged and invalid, and changes no file."""
    run_target(stream_of([record(1), record(2)]))
    before = (tmp_path / "birdie.db").read_bytes()
    messages = stream_of([record(1), record(2, text="new"), record(3), record(4, score=None)])
    run = run_target(messages, dry_run=True)

    assert (run.exit_code, run.states, sandbox.birdie.puts) == (1, [], 2)
    assert "4 records: 1 unchanged, 2 would be sent, 1 rejected (rating: 1)" in run.log
    assert before == (tmp_path / "birdie.db").read_bytes()


def test_a_dry_run_shows_three_samples_without_content(run_target: Target) -> None:
    """The shape is shown, what people wrote is not."""
    secret = {"properties": {"company": "my own words", "boss": {"name": "my own words"}}}
    rows = [record(n, text="my own words", end_user=secret) for n in range(1, 6)]
    run = run_target(stream_of(rows), dry_run=True, api_key=None)
    assert run.log.count("Would send feedback {") == 3
    assert ("my own words" in run.log, '"rating": 1' in run.log) == (False, True)


def test_birdies_schema_can_be_checked_first(
    sandbox: Sandbox, run_target: Target, rejects: Callable[..., Any], tmp_path: Path
) -> None:
    """A record that fails it is rejected with the name of the field, and not sent."""
    rating = {"properties": {"rating": {"maximum": 5}}}
    path = tmp_path / "feedback.json"
    path.write_text(
        json.dumps({"properties": {"kind": {"properties": {"fields": rating}}}}), encoding="utf-8"
    )
    run = run_target(stream_of([record(4), record(8)]), schema_path=str(path))
    (entry,) = rejects()
    assert (run.exit_code, list(sandbox.birdie.records())) == (1, ["4"])
    assert entry["message"] == "kind.fields.rating does not match Birdie's schema (maximum)"
