"""The rejects file sent again: what is accepted leaves it, and nothing else does."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from connector_sandbox import Sandbox
from target_birdie.mapping.mapper import BirdieRecord, StreamMapper

from .messages import Run, record, stream_of

Rejects = Callable[[], list[dict[str, Any]]]


def test_replay_sends_what_was_refused(
    sandbox: Sandbox, run_target: Callable[..., Run], rejects: Rejects
) -> None:
    """Once the cause is gone, everything arrives and the file is gone."""
    sandbox.faults.on("422", share=1.0, times=3, path="/birdie")
    run_target(stream_of([record(n) for n in range(1, 11)]), max_rejects="10")
    assert (len(sandbox.birdie.records()), len(rejects())) == (7, 3)
    run = run_target("", "--replay")

    assert (run.exit_code, run.states, rejects()) == (0, [], [])
    assert len(sandbox.birdie.records()) == 10
    assert {"created"} == {stored.outcome for stored in sandbox.birdie.history}


def test_replay_maps_anew(
    sandbox: Sandbox, run_target: Callable[..., Run], rejects: Rejects
) -> None:
    """A corrected mapping is what replay is for; what is refused again stays."""
    sandbox.options.birdie_strict = False
    run_target(stream_of([record(1, score=0), record(2, score=-1)]), kind="csat")
    run = run_target("", "--replay")

    assert (run.exit_code, [entry["id"] for entry in rejects()]) == (1, ["2"])
    assert sandbox.birdie.history[-1].body["kind"]["fields"]["rating"] == 0


def test_replay_sends_numbers_as_they_came(
    sandbox: Sandbox, run_target: Callable[..., Run], rejects: Rejects
) -> None:
    """A record that waited in the file arrives like one that did not."""
    row = record(1, score=9.0, end_user={"properties": {"weight": 1.25}})
    sandbox.faults.on("422", share=1.0, times=1, path="/birdie")
    run_target(stream_of([row]), max_rejects="10")
    run = run_target("", "--replay")
    (body,) = [stored.body for stored in sandbox.birdie.history]

    assert (run.exit_code, rejects()) == (0, [])
    assert (body["kind"]["fields"]["rating"], body["additional_fields"]["weight"]) == (9, 1.25)


def test_replay_keeps_what_it_could_not_send(
    sandbox: Sandbox, run_target: Callable[..., Run], rejects: Rejects
) -> None:
    """An outage in the middle loses no reject, nor a line that cannot be read."""
    sandbox.options.birdie_strict = False
    rows = [record(n, score=0) for n in range(1, 11)]
    run_target(stream_of(rows), max_rejects="10", kind="csat")
    before = rejects()
    sandbox.faults.on("500", share=1.0, path="/birdie", after=3)
    run = run_target("", "--replay", retry_budget_seconds=1, max_concurrency=1)

    assert (1, [entry["id"] for entry in before[3:]]) == (
        run.exit_code,
        [entry["id"] for entry in rejects()],
    )


def test_replay_goes_on_where_a_killed_one_stopped(
    sandbox: Sandbox, run_target: Callable[..., Run], tmp_path: Path
) -> None:
    """The file that was taken away is read too, and an unreadable line of it is kept."""
    run_target(stream_of([record(1, score=None)]))
    entry = json.loads((tmp_path / "rejects.jsonl").read_text())
    entry["record"] |= {"id": 2, "score": 5}
    (tmp_path / "rejects.jsonl.replaying").write_text(
        json.dumps(entry | {"id": "2"}) + "\nhalf a li"
    )
    run = run_target("", "--replay")

    assert (run.exit_code, list(sandbox.birdie.records())) == (1, ["2"])
    lines = (tmp_path / "rejects.jsonl").read_text().splitlines()
    assert sorted(line[:6] for line in lines) == ["half a", '{"at":']


def test_replay_without_rejects_has_nothing_to_do(run_target: Callable[..., Run]) -> None:
    """No file is no fault."""
    assert run_target("", "--replay").exit_code == 0


def test_replay_keeps_what_is_not_mapped_any_more(
    sandbox: Sandbox, run_target: Callable[..., Run], rejects: Rejects
) -> None:
    """A stream that has left the table may come back to it: its rejects wait in the file."""
    sandbox.faults.on("422", share=1.0, times=1, path="/birdie")
    run_target(stream_of([record(1)]))
    before = rejects()
    other = {"people": {"record_type": "user", "fields": {"user_id": "id"}}}
    run = run_target("", "--replay", streams=other)

    assert "1 rejects stay in" in run.log
    assert (run.exit_code, rejects(), sandbox.birdie.puts) == (0, before, 0)


def test_replay_keeps_a_record_of_which_the_file_has_but_a_part(
    sandbox: Sandbox, run_target: Callable[..., Run], rejects: Rejects
) -> None:
    """What was nested too deeply is not in the file: the rest alone would pass for all of it."""
    deep: Any = []
    for _ in range(700):
        deep = [deep]
    run_target(stream_of([record(1, notes=deep)]))
    before = rejects()
    run = run_target("", "--replay")

    assert [entry["reason"] for entry in before] == ["nesting"]
    assert (rejects(), sandbox.birdie.puts) == (before, 0)
    assert "1 rejects stay in" in run.log


def stop_at(number: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a signal come while this record is mapped."""
    plain = StreamMapper.map

    def mapped(self: StreamMapper, content: Mapping[str, Any]) -> BirdieRecord:
        if self.identify(content) == number:
            signal.raise_signal(signal.SIGTERM)
        return plain(self, content)

    monkeypatch.setattr(StreamMapper, "map", mapped)


@pytest.mark.parametrize("last", ["1", "6", "10"])
def test_a_replay_that_is_stopped_keeps_what_it_has_not_sent(
    last: str,
    sandbox: Sandbox,
    run_target: Callable[..., Run],
    rejects: Rejects,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At once, with 128 + signal; each reject is at Birdie or in the file, none in both."""
    sandbox.options.birdie_strict = False
    rows = [record(n, score=0) for n in range(1, 11)]
    run_target(stream_of(rows), max_rejects="10", kind="csat")
    stop_at(last, monkeypatch)
    run = run_target("", "--replay", kind="csat", max_requests_per_second=50)
    sent, kept = sandbox.birdie.records().keys(), [entry["id"] for entry in rejects()]

    assert (run.exit_code, run.error) == (143, "")
    assert f"Done: read {last}, " in run.log
    assert sorted([*sent, *kept], key=int) == [str(n) for n in range(1, 11)]
    assert set(kept) >= {str(n) for n in range(int(last), 11)}


def test_a_replay_that_is_stopped_at_the_last_reject_writes_no_file(
    run_target: Callable[..., Run],
    rejects: Rejects,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Files are whole or not there, and what stands in none stays a reject."""
    run_target(stream_of([record(n, score=15) for n in (1, 2)]), max_rejects="10")
    stop_at("2", monkeypatch)
    options = {"destination": "jsonl", "output_path": str(tmp_path / "out"), "kind": "csat"}
    run = run_target("", "--replay", **options)

    assert (run.exit_code, [entry["id"] for entry in rejects()]) == (143, ["1", "2"])
    assert list(tmp_path.rglob("feedback*")) == []
