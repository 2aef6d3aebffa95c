"""One record that keeps failing is rejected; if every record fails, the run ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from connector_sandbox import Sandbox
from target_birdie.delivery import sender
from target_birdie.delivery.client import BirdieClient, Reply

from .messages import Run, record, row, schema, state, stream_of

Target = Callable[..., Run]
Rejects = Callable[..., list[dict[str, Any]]]
TEN = stream_of([record(n) for n in range(1, 11)])


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts decide, so the waits between attempts can be short."""
    monkeypatch.setattr(sender, "retry_wait", lambda failures, longest: 0.01)


def fail(sandbox: Sandbox, status: int, *numbers: int) -> None:
    """Let these records always get this status."""
    for number in numbers:
        path = f"/birdie/ingestion/feedbacks/{number}"  # a part of it is enough to match
        sandbox.faults.on("retry_after", share=1.0, path=path, status=status, seconds=0)


@pytest.mark.parametrize("status", [403, 404, 409, 410, 423, 451, 500, 502, 429, 503])
@pytest.mark.parametrize(
    "position", [1, 15, 30], ids=["first record", "in the middle", "last record"]
)
def test_a_single_failing_record_does_not_stop_the_rest(
    status: int, position: int, sandbox: Sandbox, run_target: Target, rejects: Rejects
) -> None:
    """It is rejected with the status, wherever it is in the input."""
    fail(sandbox, status, 100 + position)
    run = run_target(stream_of([record(n) for n in range(101, 131)]), max_rejects="1")

    assert (run.exit_code, run.states[-1], len(sandbox.birdie.records())) == (1, {"read": 30}, 29)
    assert [(entry["id"], entry["reason"]) for entry in rejects()] == [
        (str(100 + position), str(status))
    ]


@pytest.mark.parametrize("status", [403, 500, 503])
def test_many_failing_records_at_the_end_are_decided_too(
    status: int, sandbox: Sandbox, run_target: Target, rejects: Rejects
) -> None:
    """Nothing follows them: that Birdie accepted another record of the type is enough."""
    fail(sandbox, status, 2, 3, 4)
    run = run_target(stream_of([record(1), record(2), record(3), record(4)]), max_rejects="3")
    assert (run.exit_code, run.states, len(rejects())) == (1, [{"read": 4}], 3)


@pytest.mark.parametrize("status", [403, 500])
def test_a_failing_record_among_unchanged_ones_is_decided(
    status: int, sandbox: Sandbox, run_target: Target, rejects: Rejects
) -> None:
    """That Birdie has others is enough; no unchanged record is sent again."""
    run_target(TEN)
    fail(sandbox, status, 11)
    run = run_target(stream_of([record(n) for n in range(1, 12)]))
    assert (run.exit_code, run.states, len(rejects())) == (1, [{"read": 11}], 1)
    assert sandbox.birdie.puts == 10


@pytest.mark.parametrize("status", [403, 500])
def test_one_connection_is_not_blocked_by_records_that_fail(
    status: int, sandbox: Sandbox, run_target: Target, rejects: Rejects
) -> None:
    """Others are sent between its attempts."""
    fail(sandbox, status, 101, 102)
    rows = stream_of([record(n) for n in range(101, 131)])
    run = run_target(rows, max_concurrency=1, max_rejects="2")
    assert (run.exit_code, run.states[-1], len(rejects())) == (1, {"read": 30}, 2)


def test_a_503_for_one_record_does_not_pause_the_others(
    sandbox: Sandbox, run_target: Target
) -> None:
    """Only its first ones do, since Birdie may be busy."""
    fail(sandbox, 503, 101)
    run = run_target(stream_of([record(n) for n in range(101, 301)]))
    assert run.log.count("all requests pause") <= 4  # of its 10 failures
    assert "10 retried" in run.log or "9 retried" in run.log


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"api_key": "wrong"}, "Birdie rejected the key (401). Check api_key."),
        (
            {"feedback_path": "/nothing/{feedback_id}"},
            "Birdie replies 404, no success. Check feedback_path, user_path and api_url.",
        ),
        (
            {"api_url": "http://127.0.0.1:9", "retry_budget_seconds": 1},
            "It never answered. Check api_url and the proxy, or run again later.",
        ),
    ],
)
def test_a_wrong_setting_ends_the_run_in_one_line(
    changes: dict[str, Any], line: str, sandbox: Sandbox, run_target: Target
) -> None:
    """Without a state, and without a request for each record."""
    run = run_target(stream_of([record(n) for n in range(1, 501)]), **changes)
    assert (run.exit_code, run.states, run.error.count("\n")) == (1, [], 1)
    assert run.error.endswith(f"{line}\n")
    assert sandbox.birdie.puts <= 64
    assert "Failed: " in run.log


def test_a_wrong_path_of_one_type_does_not_reject_its_records(
    run_target: Target, rejects: Rejects
) -> None:
    """That feedbacks are accepted says nothing about users."""
    users = [schema("end_users"), *(row({"id": n}, "end_users") for n in range(1, 6))]
    messages = [*stream_of([record(n) for n in range(1, 51)]), *users, state({"n": 2})]
    run = run_target(messages, user_path="/nobody/{user_id}")
    assert (run.exit_code, run.states[-1], rejects()) == (1, {"read": 50}, [])
    assert "user_path" in run.error


def test_a_slow_acceptance_is_awaited_before_a_403_ends_the_run(
    sandbox: Sandbox, run_target: Target, rejects: Rejects
) -> None:
    """A firewall replies faster than Birdie."""
    fail(sandbox, 403, 1)
    sandbox.faults.on("slow", share=1.0, path="/birdie/ingestion/feedbacks/2", seconds=1)
    run = run_target(stream_of([record(1), record(2)]), max_rejects="1")
    assert (len(sandbox.birdie.records()), len(rejects()), run.exit_code) == (1, 1, 1)


@pytest.mark.parametrize("fault", ["500", "503", "hang"])
def test_an_outage_ends_the_run_with_what_is_safe(
    fault: str, sandbox: Sandbox, run_target: Target, rejects: Rejects
) -> None:
    """No record is rejected, however often it failed."""
    sandbox.faults.on(fault, share=1.0, after=20, path="/birdie")
    rows = stream_of([record(n) for n in range(1, 41)], every=1)
    options = {"retry_budget_seconds": 2, "max_concurrency": 1, "request_timeout": 1}
    run = run_target(rows, **options)

    assert (run.exit_code, run.states[-1], rejects()) == (1, {"read": 20}, [])
    assert "Birdie accepted no record for" in run.error
    assert "never answered" not in run.error


@pytest.mark.parametrize("seconds", [3600, 10**30])
def test_no_pause_is_longer_than_the_retry_budget(
    seconds: int, sandbox: Sandbox, run_target: Target
) -> None:
    """Whatever Birdie asks for."""
    sandbox.faults.on("retry_after", share=1.0, path="/birdie", seconds=seconds)
    run = run_target(TEN, retry_budget_seconds=2)
    assert (run.exit_code, "Birdie accepted no record for" in run.error) == (1, True)


@pytest.mark.parametrize("fault", ["500", "408", "reset", "lost_reply", "html", "object", "503"])
def test_a_passing_fault_costs_time_alone(fault: str, sandbox: Sandbox, run_target: Target) -> None:
    """Three in a row over real HTTP: everything arrives."""
    sandbox.faults.on(fault, share=1.0, times=3, path="/birdie")
    run = run_target(TEN)
    assert (run.exit_code, run.states, len(sandbox.birdie.records())) == (0, [{"read": 10}], 10)
    assert "3 retried" in run.log


def test_retry_after_pauses_all_connections(sandbox: Sandbox, run_target: Target) -> None:
    """Except requests that are on their way."""
    sandbox.faults.on("retry_after", share=1.0, times=1, path="/birdie", seconds=2)
    run = run_target(stream_of([record(n) for n in range(1, 40)]), max_concurrency=1)
    times = [request.started for request in sandbox.requests if request.api == "birdie"]
    assert (run.exit_code, len(sandbox.birdie.records())) == (0, 39)
    assert times[1] - times[0] >= 2
    assert "Birdie is busy (503), all requests pause for 2.0 s" in run.log


def test_a_retry_without_evidence_does_not_fail_the_run(
    sandbox: Sandbox, run_target: Target, rejects: Rejects
) -> None:
    """A quiet day with one rejected record: nothing else is sent that could prove anything."""
    fail(sandbox, 403, 11)
    run_target(stream_of([*(record(n) for n in range(1, 12))]))
    run = run_target([schema()])
    assert (run.exit_code, [entry["attempts"] for entry in rejects()]) == (0, [2])


def test_a_defect_ends_the_run_in_one_line(
    run_target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the text of the exception, which may quote a record."""

    def defect(*_: object) -> Reply:
        raise LookupError(record(1)["text"])

    monkeypatch.setattr(BirdieClient, "put", defect)
    run = run_target(stream_of([record(1)]))
    assert (run.exit_code, run.states) == (1, [])
    assert run.error == "Error: Internal error while sending: LookupError.\n"
    assert record(1)["text"] not in run.log
