"""What was refused gives way to a newer version, so that a replay cannot undo it."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from connector_sandbox import Sandbox

from .messages import Run, record, row, schema, state, stream_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The rejects file."""
    return tmp_path / "rejects.jsonl"


def texts(path: Path) -> list[str]:
    """The texts of the records that stand in the file."""
    return [json.loads(line)["record"]["text"] for line in path.open()] if path.exists() else []


@pytest.mark.parametrize("options", [{}, {"digest_path": "digests.db"}, {"id_prefix": "eu-"}])
def test_a_newer_version_takes_the_refused_one_out_of_the_file(
    options: dict[str, str],
    sandbox: Sandbox,
    run_target: Callable[..., Run],
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Refused by Birdie, delivered newer since: a replay has nothing left to send."""
    monkeypatch.chdir(path.parent)
    sandbox.faults.on("422", share=1.0, times=1, path="/birdie")
    run_target(stream_of([record(1, text="old")]), **options)
    assert texts(path) == ["old"]
    run_target(stream_of([record(1, text="new")]), **options)
    assert not path.exists()
    run = run_target("", "--replay", **options)

    assert (run.exit_code, run.states, sandbox.birdie.puts) == (0, [], 1)


def test_a_version_that_cannot_be_mapped_gives_way_too(
    sandbox: Sandbox, run_target: Callable[..., Run], path: Path
) -> None:
    """In one run: what was refused by the mapping does not count once a newer one is stored."""
    run = run_target(stream_of([record(1, score=None), record(1)]))

    assert (run.exit_code, path.exists(), len(sandbox.birdie.records())) == (0, False, 1)


def test_an_older_version_leaves_the_refused_one_where_it_is(
    sandbox: Sandbox, run_target: Callable[..., Run], path: Path
) -> None:
    """An answer that comes late says nothing about what was refused after it was sent."""
    sandbox.options.birdie_latency = 0.3
    run = run_target(stream_of([record(1, text="old"), record(1, text="new", score=None)]))

    assert (run.exit_code, texts(path), run.states) == (1, ["new"], [{"read": 2}])


def test_a_refusal_that_comes_late_does_not_displace_a_newer_version(
    sandbox: Sandbox, run_target: Callable[..., Run], path: Path
) -> None:
    """Both are refused, the older one by Birdie after the newer one by the mapping: one stands."""
    sandbox.options.birdie_latency = 0.3
    sandbox.faults.on("422", share=1.0, times=1, path="/birdie")
    run = run_target(stream_of([record(1, text="old"), record(1, text="new", score=None)]))

    assert (run.exit_code, texts(path), run.states) == (1, ["new"], [{"read": 2}])
    assert "1 of 2 records were rejected" in run.error


def test_a_file_keeps_one_version_of_each_id(run_target: Callable[..., Run], path: Path) -> None:
    """A record that is refused every night does not fill the disk; one without id always counts."""
    for night in ("first", "second"):
        bad = [record(1, text=night, score=None), record(2, id=None, text=night)]
        run_target(stream_of(bad), max_rejects="10")

    assert sorted(texts(path)) == ["first", "second", "second"]


def test_going_back_to_what_birdie_holds_counts_as_newer(
    sandbox: Sandbox, run_target: Callable[..., Run], path: Path, tmp_path: Path
) -> None:
    """Nothing is sent, since nothing differs; the version refused in between is over."""
    store = str(tmp_path / "digests.db")
    run_target(stream_of([record(1)]), digest_path=store)
    run_target(stream_of([record(1, score=None)]), digest_path=store)
    run_target(stream_of([record(1)]), digest_path=store)

    assert (path.exists(), sandbox.birdie.puts) == (False, 1)


def test_the_other_lines_stay_and_stay_private(run_target: Callable[..., Run], path: Path) -> None:
    """Also what cannot be read; the file is its owner's alone, and no other is left behind."""
    run_target(stream_of([record(n, score=None) for n in (1, 2, 3)]), max_rejects="10")
    path.write_text(path.read_text() + "half a li")
    run_target(stream_of([record(2)]))
    lines = path.read_text().splitlines()

    assert [json.loads(line)["id"] for line in lines[:-1]] == ["1", "3"]
    assert (lines[-1], stat.S_IMODE(path.stat().st_mode)) == ("half a li", 0o600)
    assert [found.name for found in path.parent.glob("rejects*")] == ["rejects.jsonl"]


def test_no_state_passes_a_version_that_still_stands(
    sandbox: Sandbox, run_target: Callable[..., Run], path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that cannot be written anew ends the run in one line, and the record comes again."""
    run_target(stream_of([record(1, text="old", score=None)]))

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        patch.setattr(Path, "unlink", full)
        run = run_target([schema(), row(record(1, text="new")), state({"read": 1})])

    assert (run.exit_code, run.states, texts(path)) == (1, [], ["old"])
    assert "rejects.jsonl cannot be written: No space left on device" in run.error
    run = run_target([schema(), row(record(1, text="new")), state({"read": 1})])
    assert (run.exit_code, run.states, path.exists()) == (0, [{"read": 1}], False)


def test_what_a_killed_replay_had_taken_gives_way_too(
    sandbox: Sandbox, run_target: Callable[..., Run], path: Path
) -> None:
    """The next run puts it back first."""
    run_target(stream_of([record(n, text="old", score=None) for n in (1, 2)]), max_rejects="10")
    taken = path.rename(path.with_name("rejects.jsonl.replaying"))
    run_target(stream_of([record(1, text="new")]))

    assert ([json.loads(line)["id"] for line in path.open()], taken.exists()) == (["2"], False)


def test_a_file_written_instead_of_requests_counts_as_delivered(
    run_target: Callable[..., Run], path: Path, tmp_path: Path
) -> None:
    """What stands in the run's file is no reject any more."""
    options: dict[str, Any] = {"destination": "jsonl", "output_path": str(tmp_path / "out")}
    run_target(stream_of([record(1, score=None)]), **options)
    run_target(stream_of([record(1)]), **options)

    assert not path.exists()
