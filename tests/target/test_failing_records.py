"""One record that keeps failing is rejected; if every record fails, the run ends."""

from typing import Any

import pytest
from target_birdie.delivery import sender
from target_birdie.delivery.client import BirdieClient, Outcome, Reply

from .messages import record, row, schema, state, sync
from .running import Target


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts decide, so the waits between attempts can be short."""
    monkeypatch.setattr(sender, "retry_wait", lambda failures, longest: 0.01)


def fail(target: Target, status: int, *numbers: int) -> None:
    """Let these feedbacks always get this status."""
    for number in numbers:
        target.fail("retry_after", number, status=status, seconds=0)


@pytest.mark.parametrize(
    ("status", "position"),
    [
        *((status, 15) for status in (403, 404, 409, 410, 423, 451, 500, 502, 429, 503)),
        *((status, position) for status in (403, 500, 503) for position in (1, 30)),
    ],
)
def test_a_single_failing_record_is_rejected_with_its_status(
    status: int, position: int, target: Target
) -> None:
    """Wherever it is in the input; the rest arrives."""
    fail(target, status, 100 + position)
    run = target(sync(*range(101, 131)), max_rejects="1")

    assert (run.result, len(target.sent)) == ((1, 30), 29)
    found = [(entry["id"], entry["reason"]) for entry in target.rejects()]
    assert found == [(str(100 + position), str(status))]


@pytest.mark.parametrize("status", [403, 500, 503])
def test_failing_records_at_the_end_are_rejected_too(
    status: int, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing follows them: that Birdie accepted another record of the type is enough."""
    # The input must end before the third attempt: until then, others could follow.
    monkeypatch.setattr(sender, "retry_wait", lambda failures, longest: 0.3)
    fail(target, status, 2, 3, 4)
    run = target(sync(1, 2, 3, 4), max_rejects="3")
    assert (run.result, len(target.rejects())) == ((1, 4), 3)


@pytest.mark.parametrize("status", [403, 500])
def test_a_failing_record_among_unchanged_ones_is_rejected(status: int, target: Target) -> None:
    """That Birdie has others is enough; no unchanged record is sent again."""
    target(sync(*range(1, 11)))
    fail(target, status, 11)
    run = target(sync(*range(1, 12)))
    assert (run.result, target.puts, len(target.rejects())) == ((1, 11), 10, 1)


@pytest.mark.parametrize("status", [403, 500])
def test_failing_records_do_not_block_the_only_connection(status: int, target: Target) -> None:
    """Others are sent between their attempts."""
    fail(target, status, 101, 102)
    run = target(sync(*range(101, 131)), max_concurrency=1, max_rejects="2")
    assert (run.result, len(target.rejects())) == ((1, 30), 2)


def test_a_failing_record_does_not_pause_the_others(target: Target) -> None:
    """Only its first failures do, since Birdie may be busy."""
    fail(target, 503, 101)
    run = target(sync(*range(101, 301)))
    assert run.log.count("all requests pause") <= 4  # of its 10 failures
    assert "10 retried" in run.log or "9 retried" in run.log


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"api_key": "wrong"}, "Birdie rejected the key (401). Check api_key."),
        (
            {"feedback_path": "/nothing/{feedback_id}"},
            "but replies 404. Check feedback_path, user_path and api_url.",
        ),
        (
            {"api_url": "http://127.0.0.1:9", "retry_budget_seconds": 1},
            "It never answered. Check api_url and the proxy, or run again later.",
        ),
    ],
)
def test_a_wrong_setting_ends_the_run_in_one_line(
    changes: dict[str, Any], line: str, target: Target
) -> None:
    """Without a state, and without a request for each record."""
    run = target(sync(*range(1, 501)), **changes)
    assert (run.result, run.error.count("\n")) == ((1, None), 1)
    assert run.error.endswith(f"{line}\n")
    assert target.puts <= 96
    assert "Failed: " in run.log


def test_a_record_that_fails_slowly_does_not_end_a_run_that_proceeds(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counts decide, not the time since its first failure."""
    monkeypatch.setitem(sender.MOST_FAILURES, Outcome.FAULT, 3)
    target.fail("hang", 101, seconds=9)
    limits = {"request_timeout": 1, "retry_budget_seconds": 2, "max_requests_per_second": 12}
    run = target(sync(*range(101, 151)), **limits)
    assert (run.result, len(target.rejects())) == ((1, 50), 1)


def test_a_wrong_path_of_one_type_does_not_reject_its_records(target: Target) -> None:
    """That feedbacks are accepted says nothing about users."""
    users = [schema("end_users"), *(row({"id": n}, "end_users") for n in range(1, 6))]
    messages = [*sync(*range(1, 51)), *users, state({"read": 55})]
    run = target(messages, user_path="/nobody/{user_id}")
    assert (run.result, target.rejects()) == ((1, 50), [])
    assert "user_path" in run.error


def test_a_slow_acceptance_is_awaited_before_a_403_ends_the_run(target: Target) -> None:
    """A firewall replies faster than Birdie."""
    fail(target, 403, 1, 2, 3)
    target.fail("slow", 4, seconds=1)
    run = target(sync(1, 2, 3, 4), max_rejects="3")
    assert (run.exit_code, len(target.sent), len(target.rejects())) == (1, 1, 3)


@pytest.mark.parametrize("fault", ["500", "503", "hang"])
def test_an_outage_ends_the_run_with_what_is_safe(fault: str, target: Target) -> None:
    """No record is rejected, however often it failed."""
    target.fail(fault, after=20)
    options = {"retry_budget_seconds": 2, "max_concurrency": 1, "request_timeout": 1}
    run = target(sync(*range(1, 41), every=1), **options)

    assert (run.result, target.rejects()) == ((1, 20), [])
    assert "Birdie accepted no record for" in run.error
    assert "never answered" not in run.error


@pytest.mark.parametrize("seconds", [3600, 10**30])
def test_no_pause_is_longer_than_the_retry_budget(seconds: int, target: Target) -> None:
    """Whatever Birdie asks for."""
    target.fail("retry_after", seconds=seconds)
    run = target(sync(*range(1, 11)), retry_budget_seconds=2)
    assert (run.exit_code, "Birdie accepted no record for" in run.error) == (1, True)


def test_a_limit_far_below_the_pace_rejects_no_record(target: Target) -> None:
    target.sandbox.options.birdie_rate_limit = 5
    run = target(sync(*range(1, 61)))
    assert (run.result, len(target.sent)) == ((0, 60), 60)


@pytest.mark.parametrize("fault", ["500", "408", "reset", "lost_reply", "html", "object", "503"])
def test_a_passing_fault_costs_only_time(fault: str, target: Target) -> None:
    """Three in a row: everything arrives."""
    target.fail(fault, times=3)
    run = target(sync(*range(1, 11)))
    assert (run.result, len(target.sent)) == ((0, 10), 10)
    assert "3 retried" in run.log


def test_retry_after_pauses_all_connections(target: Target) -> None:
    target.fail("retry_after", times=1, seconds=2)
    run = target(sync(*range(1, 40)), max_concurrency=1)
    times = [found.started for found in target.sandbox.requests if found.api == "birdie"]
    assert (run.exit_code, times[1] - times[0] >= 2) == (0, True)
    assert "Birdie is busy (503), all requests pause for 2.0 s" in run.log


def test_an_acceptance_makes_the_next_pause_short_again(target: Target) -> None:
    for number in (101, 104):
        target.fail("503", number, times=1)
    run = target(sync(*range(101, 105)), max_concurrency=1)
    assert run.log.count("all requests pause for 0.2 s") == 2


def test_a_retry_without_evidence_does_not_fail_the_run(target: Target) -> None:
    """A quiet day with one rejected record: nothing else is sent that could prove anything."""
    fail(target, 403, 11)
    target(sync(*range(1, 12)))
    run = target([schema()])
    assert (run.exit_code, [entry["attempts"] for entry in target.rejects()]) == (0, [2])


def test_a_defect_ends_the_run_in_one_line(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the text of the exception, which may quote a record."""

    def defect(*_: object) -> Reply:
        raise LookupError(record(1)["text"])

    monkeypatch.setattr(BirdieClient, "put", defect)
    run = target(sync(1))
    assert run.result == (1, None)
    assert run.error == "Error: Internal error while sending: LookupError.\n"
    assert record(1)["text"] not in run.log
