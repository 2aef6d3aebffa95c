"""Rejected records: kept, shown, retried, and replaced by newer versions."""

import json
from typing import Any

import pytest
from target_birdie.delivery import outcomes

from .messages import record, row, schema, sync
from .running import Target

BAD = record(1, score=None)
NOTHING_NEW = [schema()]


def attempts(target: Target) -> list[int]:
    """How often each rejected record was tried."""
    return [entry["attempts"] for entry in target.rejects()]


def test_bad_records_do_not_stop_the_rest(target: Target) -> None:
    """The state moves on, and the last line says how to see the reasons."""
    rows = [record(number, score=99 if number % 100 == 7 else 5) for number in range(1, 501)]
    run = target(sync(*rows))

    assert (run.result, len(target.sent)) == ((1, 500), 495)
    line = "5 of 500 records were rejected. See --rejects; the next run retries them."
    assert run.error == f"Error: {line}\n"
    assert "5 rejected (rating: 5)" in run.log
    assert sorted(int(entry["id"]) for entry in target.rejects()) == [7, 107, 207, 307, 407]


def test_a_rejected_record_is_shown_but_not_logged_with_birdies_words(target: Target) -> None:
    """Its content only on demand, and without the personal data that is not sent."""
    target.fail("422", 1)
    run = target(sync(record(1, end_user={"id": 5, "email": "ann@example.com"})))
    (entry,) = target.rejects()
    (whole,) = target.rejects("--rejects=records")

    names = ["attempts", "first_at", "id", "last_at", "message", "reason", "record_type", "stream"]
    assert sorted(entry) == names
    assert (entry["id"], entry["reason"], entry["attempts"]) == ("1", "422", 1)
    assert entry["message"] == "Unprocessable Entity"
    assert "Unprocessable Entity" not in run.log + run.error
    assert whole["record"]["text"] == "Comment 1"
    assert not {"ann@example.com", "192.0.2.1"} & set(json.dumps(whole).split('"'))


def test_records_without_a_valid_id_are_kept_once_each(target: Target) -> None:
    bad = [*(record(number, id=None) for number in (1, 2, 1)), record(3, id=[3])]
    for _ in range(2):
        run = target(sync(*bad), max_rejects="10")

    assert (run.exit_code, len(target.rejects())) == (0, 3)
    assert {entry["reason"] for entry in target.rejects()} == {"feedback_id", "id"}


def test_the_next_run_retries_rejected_records(target: Target) -> None:
    """Without reading them again: nothing is left, exit 0."""
    target.fail("422", 1, times=1)
    target(sync(1))
    run = target(NOTHING_NEW)

    assert (run.exit_code, target.rejects(), list(target.sent)) == (0, [], ["1"])
    assert "Done: 0 records: 1 accepted on retry" in run.log


def test_a_retry_uses_the_present_mapping(target: Target) -> None:
    target(sync(record(1, created_at=1481907900)))
    run = target(NOTHING_NEW, date_properties=["created_at"])

    assert (run.exit_code, target.rejects()) == (0, [])
    assert target.sent["1"]["posted_at"] == "2016-12-16T17:05:00Z"


def test_a_retry_uses_the_stored_columns(target: Target) -> None:
    """A property that shares the name of a column gets its path."""
    target.fail("422", 1, times=1)
    messages = [schema("responses", "extra")]
    target([*messages, row(record(1, end_user={"properties": {"extra": "property"}}))])
    target(messages)

    assert target.sent["1"]["additional_fields"]["end_user.properties.extra"] == "property"


@pytest.mark.parametrize(
    ("runs", "text"),
    [([NOTHING_NEW], "old"), ([sync(record(1, text="new")), NOTHING_NEW], "new")],
)
def test_a_retry_whose_id_has_changed_replaces_no_newer_version(
    runs: list[list[dict[str, Any]]], text: str, target: Target
) -> None:
    target.fail("422", 1, times=1)
    target(sync(record(1, text="old")), account="acme")
    for messages in runs:
        target(messages, account="acme", id_prefix="eu-")

    assert (target.sent["eu-1"]["text"], target.rejects(account="acme")) == (text, [])


@pytest.mark.parametrize("messages", [NOTHING_NEW, sync(1)], ids=["not read", "read again"])
def test_a_record_that_is_rejected_again_is_tried_once_and_only_counted(
    messages: list[dict[str, Any]], target: Target
) -> None:
    """At the end of the run; it changes neither the exit code nor `max_rejects`."""
    target.fail("422", 1)
    target(sync(1))
    run = target(messages, max_rejects="0")

    assert (run.exit_code, attempts(target), len(target.sandbox.requests)) == (0, [2], 2)
    assert "1 still rejected" in run.log


def test_after_five_attempts_only_a_changed_payload_is_retried(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record stays in the store."""
    monkeypatch.setattr(outcomes, "MOST_ATTEMPTS", 2)
    target.fail("422", 1)
    for messages in (sync(1), NOTHING_NEW, NOTHING_NEW):
        target(messages)
    assert (len(target.sandbox.requests), attempts(target)) == (2, [2])
    target(NOTHING_NEW, kind="csat")
    assert (len(target.sandbox.requests), attempts(target)) == (3, [3])


def test_a_newer_version_replaces_the_rejected_one(target: Target) -> None:
    """Accepted, rejected again, or unchanged: the older one is never sent afterwards."""
    target.fail("422", 1, times=1)
    target(sync(record(1, text="old")))
    target.sandbox.options.birdie_latency = 0.3
    run = target(sync(record(1, text="new")), kind="csat")
    assert (run.exit_code, target.rejects()) == (0, [])

    target(sync(record(1, text="bad", score=None)), kind="csat")
    target(sync(record(1, text="new")), kind="csat")
    assert (target.history(1), target.rejects()) == (["new"], [])


@pytest.mark.parametrize("destination", ["birdie", "jsonl"])
def test_a_version_on_its_way_does_not_hide_a_newer_rejected_one(
    destination: str, target: Target
) -> None:
    target.sandbox.options.birdie_latency = 0.3
    options = {"destination": destination, "output_path": str(target.folder / "out")}
    run = target(sync(2, 1, record(1, text="new", score=None)), max_concurrency=1, **options)
    (entry,) = target.rejects("--rejects=records", **options)

    assert (run.exit_code, entry["record"]["text"]) == (1, "new")
    assert len(target.sent) == (2 if destination == "birdie" else 0)


def test_a_version_that_a_newer_one_replaces_in_the_same_run_does_not_count(target: Target) -> None:
    """Nothing is missing at Birdie, so the run is complete."""
    run = target(sync(BAD, 1))

    assert (run.exit_code, target.rejects(), len(target.sent)) == (0, [], 1)


def test_a_rejected_record_stays_until_the_fate_of_a_newer_version_is_known(target: Target) -> None:
    """The run ended before the reply: the older one is neither lost nor sent over the newer one."""
    target.fail("422", 1, times=1)
    target(sync(record(1, text="old")))
    target.fail("lost_reply")
    target(sync(record(1, text="new")), retry_budget_seconds=1)
    target.sandbox.faults.off()
    assert [entry["id"] for entry in target.rejects()] == ["1"]
    target(NOTHING_NEW)

    assert target.sent["1"]["text"] == "new"


def test_a_failed_run_retries_nothing(target: Target) -> None:
    target.fail("422", 1, times=1)
    target(sync(1))

    assert (target("nonsense").exit_code, target.sent) == (1, {})


def test_a_record_of_a_stream_that_is_not_mapped_any_more_stays(target: Target) -> None:
    """It is counted, and another mapping may bring it back."""
    target(sync(BAD))
    entry = {"record_type": "user", "fields": {"user_id": "id"}}
    run = target([schema("people")], streams={"people": entry})

    assert (run.exit_code, attempts(target), "1 still rejected" in run.log) == (0, [1], True)


def test_another_account_does_not_retry_them(target: Target) -> None:
    """The prefix of ids is a part of the account, unless the account has a name."""
    target.fail("422", times=1)
    target(sync(1), id_prefix="eu-")
    target(NOTHING_NEW, id_prefix="us-")

    assert (target.sent, len(target.rejects(id_prefix="eu-"))) == ({}, 1)


def test_forget_deletes_them(target: Target) -> None:
    """What is known of other records stays."""
    target(sync(BAD, 2))
    run = target("", "--rejects=forget")
    target(sync(2))

    assert (run.exit_code, run.error) == (0, "1 rejected records deleted.\n")
    assert (target.rejects(), target.puts) == ([], 1)


def test_continue_exits_with_0_and_keeps_the_record(target: Target) -> None:
    assert target(sync(BAD), on_reject="continue").exit_code == 0
    assert len(target.rejects()) == 1


@pytest.mark.parametrize("store", [{}, {"store_url": "none"}])
def test_stop_ends_the_run_before_its_state(store: dict[str, str], target: Target) -> None:
    """The next run gets the record again, so nothing is lost without a store."""
    messages = sync(1, 2, record(3, score=None), 4, every=1)
    run = target(messages, on_reject="stop", **store)

    assert run.result == (1, 2)
    assert "was rejected (rating), and on_reject is 'stop'" in run.error


@pytest.mark.parametrize(
    ("limit", "count", "line"),
    [("5%", 1000, "100 of 100 records"), ("3", 10, "4 of 4 records"), (3, 10, "4 of 4 records")],
)
def test_too_many_rejected_records_stop_the_run(
    limit: str | int, count: int, line: str, target: Target
) -> None:
    """A number, or a share that counts from the hundredth record."""
    run = target(sync(*(record(n, score=None) for n in range(count))), max_rejects=limit)

    assert (run.exit_code, line in run.error, "max_rejects" in run.error) == (1, True, True)
