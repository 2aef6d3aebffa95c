"""The newest version of an id wins."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from connector_sandbox import Sandbox
from target_birdie.delivery import checkpoints

from .messages import Run, record, row, schema, state, stream_of


def versions(ids: int, rounds: int) -> list[dict[str, object]]:
    """Every id in every round, each time with another comment."""
    return [record(n, text=f"version {v}") for v in range(rounds) for n in range(1, ids + 1)]


@pytest.mark.parametrize("faults", [(), ("500", "reset", "lost_reply")])
def test_a_thousand_updates_of_a_hundred_ids(
    faults: tuple[str, ...], sandbox: Sandbox, run_target: Callable[..., Run]
) -> None:
    """With 16 connections and with faults, Birdie ends with the last version of each."""
    for fault in faults:
        sandbox.faults.on(fault, share=0.03, path="/birdie")
    sandbox.options.birdie_latency = 0.01
    run = run_target(stream_of(versions(100, 10)))

    assert (run.exit_code, run.states[-1]) == (0, {"read": 1000})
    assert {"version 9"} == {body["text"] for body in sandbox.birdie.records().values()}


def test_versions_arrive_in_order(sandbox: Sandbox, run_target: Callable[..., Run]) -> None:
    """An older version never follows a newer one, not even for a moment."""
    sandbox.options.birdie_latency = 0.005
    run_target(stream_of(versions(5, 40)))
    seen: dict[str, int] = {}
    for stored in sandbox.birdie.history:
        version = int(stored.body["text"].split()[1])
        assert version > seen.get(stored.path, -1)
        seen[stored.path] = version

    assert list(seen.values()) == [39] * 5


def behind_its_first(followers: list[dict[str, object]]) -> list[dict[str, object]]:
    """Version 0 of id 1, so many others that it must be under way, and then its followers."""
    return [record(1, text="version 0"), *(record(n) for n in range(2, 35)), *followers]


def sent(sandbox: Sandbox, number: int) -> list[str]:
    """The texts that were sent under an id."""
    path = f"/feedbacks/{number}"
    return [stored.body["text"] for stored in sandbox.birdie.history if stored.path == path]


def test_versions_in_between_are_not_sent(sandbox: Sandbox, run_target: Callable[..., Run]) -> None:
    """While a version is under way, only the newest of those that follow is sent."""
    sandbox.options.birdie_latency = 0.3
    run = run_target(stream_of(behind_its_first(versions(1, 50)[1:])))

    assert sent(sandbox, 1) == ["version 0", "version 49"]
    assert ("48 merged" in run.log, run.states[-1]) == (True, {"read": 83})


def test_a_repeated_version_is_not_sent_again(
    sandbox: Sandbox, run_target: Callable[..., Run]
) -> None:
    """The same version behind itself costs nothing."""
    sandbox.options.birdie_latency = 0.3
    run = run_target(stream_of(behind_its_first(versions(1, 1) * 20)))

    assert sent(sandbox, 1) == ["version 0"]
    assert ("20 unchanged" in run.log, run.states[-1]) == (True, {"read": 54})


def test_a_new_schema_does_not_change_the_order(
    sandbox: Sandbox, run_target: Callable[..., Run]
) -> None:
    """Records before a change of schema do not overtake those behind it."""
    sandbox.options.birdie_latency = 0.02
    messages = [schema()]
    for version in range(20):
        messages += [schema(columns={f"new_{version}": {}})]
        messages += [row(record(n, text=f"version {version}")) for n in range(1, 6)]
    run = run_target([*messages, state({"all": True})])

    assert run.states == [{"all": True}]
    assert {"version 19"} == {body["text"] for body in sandbox.birdie.records().values()}


def test_one_slow_record_holds_up_no_more_than_so_many(
    sandbox: Sandbox, run_target: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is sent ahead of an open record is bounded, and so is what a kill sends again."""
    monkeypatch.setattr(checkpoints, "MOST_OPEN", 50)
    sandbox.faults.on("hang", times=1, path="/birdie/ingestion/feedbacks/1", seconds=3)
    run_target(stream_of([record(n) for n in range(1, 301)]), request_timeout=1)
    paths = [stored.path for stored in sandbox.birdie.history]

    assert len(paths) == 300
    assert paths.index("/feedbacks/1") <= 90
