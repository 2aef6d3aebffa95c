"""Rejected records: kept, shown, retried, and replaced by newer versions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from connector_sandbox import Sandbox
from target_birdie.delivery import run as delivery_run

from .messages import Run, record, row, schema, stream_of

Target = Callable[..., Run]
Rejects = Callable[..., list[dict[str, Any]]]
BAD = record(1, score=None)
NOTHING_NEW = [schema()]


def refuse(sandbox: Sandbox, times: int | None = None, number: int = 1) -> None:
    """Let Birdie reject a record."""
    path = f"/birdie/ingestion/feedbacks/{number}"
    sandbox.faults.on("422", share=1.0, times=times, path=path)


def test_one_percent_bad_records_do_not_stop_the_rest(
    sandbox: Sandbox, run_target: Target, rejects: Rejects
) -> None:
    """The rest arrives, the state moves on, and the last line says how to see the reasons."""
    rows = [record(n, score=99 if n % 100 == 7 else 5) for n in range(1, 501)]
    run = run_target(stream_of(rows))

    assert (run.exit_code, run.states[-1], len(sandbox.birdie.records())) == (1, {"read": 500}, 495)
    assert run.error == (
        "Error: 5 of 500 records were rejected. See the reasons with --rejects; the next run "
        "retries them.\n"
    )
    assert "5 rejected (rating: 5)" in run.log
    assert sorted(int(entry["id"]) for entry in rejects()) == [7, 107, 207, 307, 407]


def test_a_rejected_record_is_shown_with_its_reason(
    sandbox: Sandbox, run_target: Target, rejects: Rejects
) -> None:
    """Its content only on demand, and without the personal data that is not sent."""
    refuse(sandbox)
    person = {"id": 5, "email": "ann@example.com"}
    run_target(stream_of([record(1, end_user=person)]))
    (entry,) = rejects()
    (whole,) = rejects("--rejects=records")

    names = ["attempts", "first_at", "id", "last_at", "message", "reason", "record_type", "stream"]
    assert sorted(entry) == names
    assert (entry["id"], entry["reason"], entry["attempts"]) == ("1", "422", 1)
    assert entry["message"] == "Unprocessable Entity"
    assert whole["record"]["text"] == "Comment 1"
    assert not {"ann@example.com", "192.0.2.1"} & set(json.dumps(whole).split('"'))


def test_birdies_words_are_not_logged(sandbox: Sandbox, run_target: Target) -> None:
    """They may quote the record."""
    refuse(sandbox)
    run = run_target(stream_of([record(1)]))
    assert "Unprocessable Entity" not in run.log + run.error


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": None}, "feedback_id"),
        ({"id": [1]}, "id"),
        ({"score": "high"}, "rating"),
        ({"created_at": "yesterday"}, "date"),
    ],
)
def test_an_invalid_record_is_kept(
    change: dict[str, Any], reason: str, run_target: Target, rejects: Rejects
) -> None:
    """With the name of the field; also without an id."""
    run = run_target(stream_of([record(1), record(2, **change), record(3)]))
    assert (run.exit_code, run.states[-1]) == (1, {"read": 3})
    assert [entry["reason"] for entry in rejects()] == [reason]


def test_records_without_id_are_kept_apart(run_target: Target, rejects: Rejects) -> None:
    """And the same one twice is kept once."""
    without = [record(n, id=None) for n in (1, 2, 1)]
    run_target(stream_of(without), max_rejects="10")
    run_target(stream_of(without), max_rejects="10")
    assert len(rejects()) == 2


def test_rejected_records_are_retried_without_being_read_again(
    sandbox: Sandbox, run_target: Target, rejects: Rejects
) -> None:
    """Birdie accepts one that it rejected before: nothing is left, exit 0."""
    refuse(sandbox, times=1)
    run_target(stream_of([record(1)]))
    run = run_target(NOTHING_NEW)

    assert (run.exit_code, rejects(), list(sandbox.birdie.records())) == (0, [], ["1"])
    assert "Done: 0 records: 1 accepted on retry" in run.log


def test_the_mapping_of_today_decides(
    sandbox: Sandbox, run_target: Target, rejects: Rejects
) -> None:
    """A record that the mapping rejected is delivered once the settings are correct."""
    dated = record(1, created_at=1481907900)
    run_target(stream_of([dated]))
    run = run_target(NOTHING_NEW, date_properties=["created_at"])

    assert (run.exit_code, rejects()) == (0, [])
    assert sandbox.birdie.records()["1"]["posted_at"] == "2016-12-16T17:05:00Z"


def test_names_of_properties_are_those_of_the_stored_schema(
    sandbox: Sandbox, run_target: Target
) -> None:
    """A property that shares the name of a column gets its path, also on a retry."""
    refuse(sandbox, times=1)
    content = record(1, end_user={"properties": {"extra": "property"}})
    run_target([schema(columns={"extra": {}}), row(content)])
    run_target([schema(columns={"extra": {}})])
    fields = sandbox.birdie.records()["1"]["additional_fields"]
    assert fields["end_user.properties.extra"] == "property"


def test_a_record_that_is_rejected_again_changes_neither_exit_code_nor_limit(
    sandbox: Sandbox, run_target: Target, rejects: Rejects
) -> None:
    """It was reported; the summary counts it."""
    refuse(sandbox)
    run_target(stream_of([record(1)]))
    run = run_target(NOTHING_NEW, max_rejects="0")

    assert (run.exit_code, [entry["attempts"] for entry in rejects()]) == (0, [2])
    assert "1 still rejected" in run.log


def test_a_record_that_arrives_unchanged_is_tried_once_per_run(
    sandbox: Sandbox, run_target: Target
) -> None:
    """Not on arrival, but at the end, as a retry."""
    refuse(sandbox)
    run_target(stream_of([record(1)]))
    run = run_target(stream_of([record(1)]))
    assert (run.exit_code, sandbox.birdie.puts, run.states) == (0, 0, [{"read": 1}])
    assert sum(found.status == 422 for found in sandbox.requests) == 2


def test_after_five_attempts_only_a_changed_payload_is_retried(
    sandbox: Sandbox, run_target: Target, rejects: Rejects, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record stays in the store."""
    monkeypatch.setattr(delivery_run, "MOST_ATTEMPTS", 2)
    refuse(sandbox, times=3)
    for messages in (stream_of([record(1)]), NOTHING_NEW, NOTHING_NEW):
        run_target(messages)
    assert (len(sandbox.requests), [entry["attempts"] for entry in rejects()]) == (2, [2])
    run_target(NOTHING_NEW, kind="csat")
    assert (len(sandbox.requests), [entry["attempts"] for entry in rejects()]) == (3, [3])


def test_a_newer_version_replaces_the_rejected_one(
    sandbox: Sandbox, run_target: Target, rejects: Rejects
) -> None:
    """Accepted, rejected again, or unchanged: the older one is never sent afterwards."""
    refuse(sandbox, times=1)
    run_target(stream_of([record(1, text="old")]))
    run = run_target(stream_of([record(1, text="new")]))
    assert (run.exit_code, rejects()) == (0, [])

    run_target(stream_of([record(1, text="bad", score=None)]))
    run_target(stream_of([record(1, text="new")]))
    assert [stored.body["text"] for stored in sandbox.birdie.history] == ["new"]
    assert rejects() == []


@pytest.mark.parametrize("destination", ["birdie", "jsonl"])
def test_a_version_on_its_way_does_not_hide_a_newer_rejected_one(
    destination: str, sandbox: Sandbox, run_target: Target, rejects: Rejects, tmp_path: Path
) -> None:
    """The older one arrives late, the newer one stays rejected."""
    sandbox.options.birdie_latency = 0.3
    options = {"destination": destination, "output_path": str(tmp_path / "out")}
    run = run_target(stream_of([record(1), record(1, text="new", score=None)]), **options)
    (entry,) = rejects("--rejects=records", **options)
    assert (run.exit_code, entry["record"]["text"]) == (1, "new")


def test_a_version_that_a_newer_one_replaces_in_the_same_run_does_not_count(
    sandbox: Sandbox, run_target: Target, rejects: Rejects
) -> None:
    """Nothing is missing at Birdie, so the run is complete."""
    run = run_target(stream_of([BAD, record(1)]))
    assert (run.exit_code, rejects(), len(sandbox.birdie.records())) == (0, [], 1)


def test_a_rejected_record_survives_a_newer_version_of_unknown_fate(
    sandbox: Sandbox, run_target: Target, rejects: Rejects
) -> None:
    """The run ended before the reply: the older one is neither lost nor sent over the newer one."""
    refuse(sandbox, times=1)
    run_target(stream_of([record(1, text="old")]))
    sandbox.faults.on("lost_reply", share=1.0, api="birdie")
    run_target(stream_of([record(1, text="new")]), retry_budget_seconds=1)
    sandbox.faults.off()
    assert [entry["id"] for entry in rejects()] == ["1"]
    run_target(NOTHING_NEW)
    assert sandbox.birdie.records()["1"]["text"] == "new"


def test_a_stopped_run_retries_nothing(sandbox: Sandbox, run_target: Target) -> None:
    """A failure comes first."""
    refuse(sandbox, times=1)
    run_target(stream_of([record(1)]))
    run = run_target("nonsense")
    assert (run.exit_code, sandbox.birdie.records()) == (1, {})


def test_a_record_of_a_stream_that_is_not_mapped_any_more_stays(
    run_target: Target, rejects: Rejects, config: dict[str, Any]
) -> None:
    """It is counted, and another mapping may bring it back."""
    run_target(stream_of([BAD]))
    entry = {"record_type": "user", "fields": {"user_id": "id"}}
    run = run_target([schema("people")], streams={"people": entry})
    assert (run.exit_code, len(rejects())) == (0, 1)
    assert "1 still rejected" in run.log


def test_forget_deletes_them(run_target: Target, rejects: Rejects) -> None:
    """And says how many."""
    run_target(stream_of([BAD]))
    run = run_target("", "--rejects=forget")
    assert (run.exit_code, run.error, rejects()) == (0, "1 rejected records deleted.\n", [])


def test_continue_exits_with_0(run_target: Target, rejects: Rejects) -> None:
    """The record is kept all the same."""
    assert run_target(stream_of([BAD]), on_reject="continue").exit_code == 0
    assert len(rejects()) == 1


@pytest.mark.parametrize("store", [{}, {"store_url": "none"}])
def test_stop_ends_the_run_before_its_state(store: dict[str, str], run_target: Target) -> None:
    """The next run gets the record again; so nothing is lost without a store."""
    records = [record(1), record(2), record(3, score=None), record(4)]
    run = run_target(stream_of(records, every=1), on_reject="stop", **store)
    assert (run.exit_code, run.states[-1:]) == (1, [{"read": 2}])
    assert "was rejected (rating), and on_reject is 'stop'" in run.error


def test_without_a_store_rejected_records_must_stop_the_run(run_target: Target) -> None:
    """Otherwise they would be lost."""
    run = run_target(stream_of([record(1)]), store_url="none")
    assert (run.exit_code, "on_reject" in run.error) == (1, True)


@pytest.mark.parametrize(
    ("limit", "count", "line"),
    [("5%", 1000, "100 of 100 records"), ("3", 10, "4 of 4 records"), (3, 10, "4 of 4 records")],
)
def test_too_many_rejected_records_stop_the_run(
    limit: Any, count: int, line: str, run_target: Target
) -> None:
    """A number, or a share that counts from the hundredth record: then the mapping is wrong."""
    bad = [record(n, score=None) for n in range(1, count + 1)]
    run = run_target(stream_of(bad), max_rejects=limit)
    assert (run.exit_code, line in run.error, "max_rejects" in run.error) == (1, True, True)


def test_a_dry_run_keeps_none(run_target: Target, tmp_path: Path) -> None:
    """And creates no store."""
    run = run_target(stream_of([BAD]), dry_run=True)
    assert (run.exit_code, (tmp_path / "birdie.db").exists()) == (1, False)
