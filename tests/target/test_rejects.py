"""Records that are refused: kept, counted, sent again."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from connector_sandbox import Sandbox

from .messages import Run, record, row, schema, state, stream_of

Rejects = Callable[[], list[dict[str, Any]]]
ONE_PERCENT = [record(n, score=99 if n % 100 == 7 else 5) for n in range(1, 501)]


def test_one_percent_bad_records_do_not_stop_the_rest(
    sandbox: Sandbox, run_target: Callable[..., Run], rejects: Rejects
) -> None:
    """The rest arrives, the state moves on, the last line says so, exit 1."""
    run = run_target(stream_of(ONE_PERCENT))

    assert (run.exit_code, run.states[-1]) == (1, {"read": 500})
    assert [entry["id"] for entry in rejects()] == ["7", "107", "207", "307", "407"]
    assert len(sandbox.birdie.records()) == 495
    assert "5 of 500 records were rejected" in run.error
    assert "rejected 5 (rating: 5)" in run.log


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": None}, "feedback_id"),
        ({"id": [1]}, "id"),
        ({"score": None}, "rating"),
        ({"score": "high"}, "rating"),
        ({"created_at": "yesterday"}, "date"),
        ({"created_at": 5}, "date"),
        ({"text": {"en": "no"}}, "text"),
    ],
)
def test_a_record_that_cannot_be_mapped_is_kept_with_the_reason(
    change: dict[str, Any], reason: str, run_target: Callable[..., Run], rejects: Rejects
) -> None:
    """No id, a rating or a date that is none: the file says which."""
    run = run_target(stream_of([record(1), record(2, **change), record(3)]))

    assert (1, {"read": 3}, [reason]) == (
        run.exit_code,
        run.states[-1],
        [entry["reason"] for entry in rejects()],
    )


@pytest.mark.parametrize("settings", [{}, {"include_pii": True}])
def test_a_record_nested_too_deeply_does_not_stop_the_rest(
    settings: dict[str, Any],
    sandbox: Sandbox,
    run_target: Callable[..., Run],
    rejects: Rejects,
) -> None:
    """What no program reads to its end is rejected, or sent as it is, and never ends the run."""
    deep: Any = []
    for _ in range(900):
        deep = [deep]

    run = run_target(stream_of([record(1), record(2, notes=deep), record(3)]), **settings)

    arrived = set(sandbox.birdie.records())
    kept = {entry["id"] for entry in rejects()}
    assert run.states[-1] == {"read": 3}
    assert (arrived | kept, arrived & kept) == ({"1", "2", "3"}, set())
    assert {"1", "3"} <= arrived


@pytest.mark.parametrize("status", ["400", "413", "422"])
def test_a_record_that_birdie_refuses_is_kept(
    status: str, sandbox: Sandbox, run_target: Callable[..., Run], rejects: Rejects
) -> None:
    """With Birdie's own words, which are not logged: they may quote the record."""
    sandbox.faults.on(status, share=1.0, times=1, path="/birdie")
    run = run_target(stream_of([record(1)]))

    (entry,) = rejects()
    assert (1, status, "responses") == (run.exit_code, entry["reason"], entry["stream"])
    assert record(1)["text"] == entry["record"]["text"]


def test_the_file_is_for_its_owner_alone_and_without_personal_data(
    run_target: Callable[..., Run], rejects: Rejects, tmp_path: Path
) -> None:
    """Mode 0600; what would not be sent is not kept either."""
    person = {"email": "ann@example.com", "properties": {"phone": "+15550100"}}
    run_target(stream_of([record(1, score=None, end_user=person)]))

    assert stat.S_IMODE((tmp_path / "rejects.jsonl").stat().st_mode) == 0o600
    text = json.dumps(rejects())
    assert not any(secret in text for secret in ("ann@example.com", "+15550100", "192.0.2.1"))


def test_a_reject_is_on_disk_before_the_state_passes_it(
    run_target: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written through to the disk, one by one; a disk that fails stops the state."""
    synced = []

    def full_at_the_second(handle: int) -> None:
        synced.append(handle)
        if len(synced) > 1:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_at_the_second)
    bad = [record(n, score=None) for n in range(1, 4)]
    run = run_target(stream_of(bad, every=1), max_rejects="10")

    assert (run.exit_code, run.states, len(synced)) == (1, [{"read": 1}], 2)
    assert "cannot be written: No space left on device" in run.error


def test_a_reject_is_kept_while_a_replay_takes_the_file(
    run_target: Callable[..., Run],
    rejects: Rejects,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is written to a file that is just being taken away is written to the next one too."""
    path, sync = tmp_path / "rejects.jsonl", os.fsync

    def take_first(handle: int) -> None:
        sync(handle)
        if not path.with_suffix(".taken").exists():
            path.rename(path.with_suffix(".taken"))

    monkeypatch.setattr(os, "fsync", take_first)
    run = run_target(stream_of([record(1, score=None)]))

    assert (run.exit_code, [entry["id"] for entry in rejects()]) == (1, ["1"])


def test_continue_exits_0(run_target: Callable[..., Run], rejects: Rejects) -> None:
    """The rejects are kept all the same."""
    run = run_target(stream_of(ONE_PERCENT), on_reject="continue")

    assert (run.exit_code, len(rejects())) == (0, 5)


def test_stop_ends_at_the_first(run_target: Callable[..., Run], rejects: Rejects) -> None:
    """The state stays before the refused record, and the line names it."""
    records = [record(1), record(2), record(3, score=None), record(4)]
    run = run_target(stream_of(records, every=1), on_reject="stop")

    assert (run.exit_code, run.states[-1:], rejects()) == (1, [{"read": 2}], [])
    assert "record 3 is rejected (rating)" in run.error


def test_too_many_rejects_stop_the_run(sandbox: Sandbox, run_target: Callable[..., Run]) -> None:
    """More than a share, from the hundredth record on, means that the mapping is wrong."""
    run = run_target(stream_of([record(n, score=None) for n in range(1, 1001)]))

    assert (run.exit_code, "100 of 100 records" in run.error) == (1, True)
    assert "max_rejects" in run.error


@pytest.mark.parametrize("limit", ["3", 3])
def test_the_most_rejects_may_be_a_number(limit: Any, run_target: Callable[..., Run]) -> None:
    """The fourth is one too many."""
    run = run_target(stream_of([record(n, score=None) for n in range(1, 11)]), max_rejects=limit)

    assert "4 of 4 records" in run.error


def test_a_folder_that_is_missing_is_told_before_the_start(
    sandbox: Sandbox, run_target: Callable[..., Run], tmp_path: Path
) -> None:
    """Not in the middle of the night, at the first reject."""
    run = run_target(stream_of([record(1)]), rejects_path=str(tmp_path / "no" / "rejects.jsonl"))

    assert (run.exit_code, sandbox.birdie.puts) == (1, 0)
    assert run.error.startswith("Error: rejects_path cannot be written")


def test_a_torn_line_does_not_spoil_the_next(
    run_target: Callable[..., Run], tmp_path: Path
) -> None:
    """After a power failure the file goes on with a line of its own."""
    (tmp_path / "rejects.jsonl").write_text('{"torn": ')
    run_target([schema(), row(record(1, score=None)), state({"a": 1})])

    lines = (tmp_path / "rejects.jsonl").read_text().splitlines()
    assert (lines[0], json.loads(lines[1])["id"]) == ('{"torn": ', "1")
