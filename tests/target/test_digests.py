"""Unchanged records are not sent, and the store never costs a record."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from connector_sandbox import Sandbox
from target_birdie.digests import DigestStore

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

from .messages import Run, record, stream_of

HUNDRED = [record(n) for n in range(1, 101)]


@pytest.fixture
def store(tmp_path: Path) -> str:
    """Path of a store that does not exist yet."""
    return str(tmp_path / "digests.db")


def test_a_second_run_sends_nothing(
    sandbox: Sandbox, run_target: Callable[..., Run], store: str
) -> None:
    """A full refresh costs no request, and its state comes out."""
    run_target(stream_of(HUNDRED), digest_path=store)
    run = run_target(stream_of(HUNDRED), digest_path=store)

    assert (sandbox.birdie.puts, run.exit_code, run.states[-1]) == (100, 0, {"read": 100})
    assert "sent 0, unchanged 100" in run.log


def test_only_what_changed_is_sent(
    sandbox: Sandbox, run_target: Callable[..., Run], store: str
) -> None:
    """A late comment is one request; the order of a record's keys and the batch are no change."""
    run_target(stream_of(HUNDRED), digest_path=store, batch_id="one")
    turned = [dict(reversed(content.items())) for content in HUNDRED]
    run_target(
        stream_of([*turned[:-1], record(100, text="late")]), digest_path=store, batch_id="two"
    )

    assert (sandbox.birdie.puts, sandbox.birdie.records()["100"]["text"]) == (101, "late")


def test_going_back_and_forth_is_a_change_each_time(
    sandbox: Sandbox, run_target: Callable[..., Run], store: str
) -> None:
    """What counts is the last version that Birdie stored, also while another is under way."""
    run_target(stream_of([record(1, text="a")]), digest_path=store)
    sandbox.options.birdie_latency = 0.2
    run_target(stream_of([record(1, text="b"), record(1, text="a")]), digest_path=store)

    assert sandbox.birdie.records()["1"]["text"] == "a"


def test_a_refused_record_is_not_remembered(
    sandbox: Sandbox, run_target: Callable[..., Run], store: str
) -> None:
    """Once the cause is gone it goes out by itself."""
    sandbox.faults.on("422", share=1.0, times=1, path="/birdie")
    run_target(stream_of([record(1)]), digest_path=store)
    run_target(stream_of([record(1)]), digest_path=store)

    assert "1" in sandbox.birdie.records()


@pytest.mark.parametrize("change", [{"id_prefix": "eu-"}, {"kind": "csat"}, {"include_pii": True}])
def test_another_mapping_is_a_change(
    change: dict[str, object], sandbox: Sandbox, run_target: Callable[..., Run], store: str
) -> None:
    """What is compared is what would be sent."""
    run_target(stream_of([record(1)]), digest_path=store)
    run_target(stream_of([record(1)]), digest_path=store, **change)

    assert sandbox.birdie.puts == 2


def test_another_birdie_does_not_profit(
    sandbox: Sandbox,
    make_sandbox: Callable[..., Sandbox],
    run_target: Callable[..., Run],
    store: str,
) -> None:
    """A store that was filled for one address keeps nothing from another."""
    other = make_sandbox(responses=0)
    run_target(stream_of([record(1)]), digest_path=store)
    run_target(stream_of([record(1)]), digest_path=store, api_url=other.birdie_url)

    assert (sandbox.birdie.puts, other.birdie.puts) == (1, 1)


def test_a_lost_store_costs_one_more_request(
    sandbox: Sandbox, run_target: Callable[..., Run], store: str
) -> None:
    """Sent once more, never lost."""
    run_target(stream_of([record(1)]), digest_path=store)
    Path(store).unlink()
    run_target(stream_of([record(1)]), digest_path=store)

    assert sandbox.birdie.puts == 2


def test_the_store_is_for_its_owner_alone(run_target: Callable[..., Run], store: str) -> None:
    """It names ids, and is nobody else's business."""
    run_target(stream_of([record(1)]), digest_path=store)

    assert stat.S_IMODE(Path(store).stat().st_mode) == 0o600


def test_two_runs_at_once_are_told(
    sandbox: Sandbox, run_target: Callable[..., Run], store: str
) -> None:
    """The second ends in one line and does nothing."""
    first = DigestStore(store)
    run = run_target(stream_of([record(1)]), digest_path=store)
    first.close()

    assert (run.exit_code, run.states, sandbox.birdie.puts) == (1, [], 0)
    assert f"Error: digest_path {store} is in use by another run" in run.error
    assert run_target(stream_of([record(1)]), digest_path=store).exit_code == 0


@pytest.mark.parametrize("content", [b"This is no database, but a text of some length. " * 50])
def test_an_unreadable_store_is_told_and_left_as_it_is(
    content: bytes, run_target: Callable[..., Run], store: str
) -> None:
    """One line that says what deleting it would cost."""
    Path(store).write_bytes(content)
    run = run_target(stream_of([record(1)]), digest_path=store)

    assert (1, content) == (run.exit_code, Path(store).read_bytes())
    assert "delete it (every record is then sent once more)" in run.error


def on_a_bad_disk(statement: str) -> type[sqlite3.Connection]:
    """A database on a disk that fails from the first record on, at this kind of statement."""

    class Database(sqlite3.Connection):
        @override
        def execute(self, sql: str, values: Any = (), /) -> sqlite3.Cursor:
            if sql.startswith(statement) and not sql.endswith("LIMIT 1"):
                raise sqlite3.OperationalError("disk I/O error")
            return super().execute(sql, values)

    return Database


@pytest.mark.parametrize("statement", ["SELECT", "INSERT", "DELETE", "COMMIT"])
def test_a_disk_that_fails_ends_the_run_in_one_line(
    statement: str,
    sandbox: Sandbox,
    run_target: Callable[..., Run],
    store: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No state passes what is not remembered, and the next run sends it again."""
    run_target(stream_of([record(1, text="old")]), digest_path=store)
    connect = partial(sqlite3.connect, factory=on_a_bad_disk(statement))
    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", connect)
        run = run_target(stream_of([record(1)]), digest_path=store)

    told = f"Error: digest_path {store} cannot be opened or written (disk I/O error): "
    assert (run.exit_code, run.states) == (1, [])
    assert run.error == f"{told}check the path and the disk\n"
    assert run_target(stream_of([record(1)]), digest_path=store).states == [{"read": 1}]
    assert sandbox.birdie.records()["1"]["text"] == "Comment 1"


def test_a_disk_that_is_full_is_told_as_such(
    run_target: Callable[..., Run], store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line names the cause, not what follows from it."""
    connect = sqlite3.connect

    def small(*place: Any, **options: Any) -> sqlite3.Connection:
        database = connect(*place, **options)
        database.execute("PRAGMA max_page_count = 3")
        return database

    monkeypatch.setattr(sqlite3, "connect", small)
    run = run_target(stream_of([record(n) for n in range(1, 1001)]), digest_path=store)

    assert (run.exit_code, run.states, run.error.count("\n")) == (1, [], 1)
    assert "(database or disk is full)" in run.error


def test_a_store_of_something_else_is_told(run_target: Callable[..., Run], store: str) -> None:
    """A database with another table of this name is not written to."""
    with sqlite3.connect(store) as db:
        db.execute("CREATE TABLE digests (something TEXT)")
    run = run_target(stream_of([record(1)]), digest_path=store)

    assert (run.exit_code, "digest_path" in run.error) == (1, True)


def test_a_killed_run_leaves_a_store_that_can_be_used(store: str) -> None:
    """No lock stays behind, and what was committed is there."""
    script = (
        "import os, sys; from target_birdie.digests import DigestStore\n"
        "s = DigestStore(sys.argv[1])\n"
        "s.remember(('feedback', '1'), b'one'); s.commit()\n"
        "s.remember(('feedback', '2'), b'two'); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", script, store], check=False)
    found = DigestStore(store)

    assert [found.holds(("feedback", n), d) for n, d in [("1", b"one"), ("2", b"two")]] == [
        True,
        False,
    ]
    found.close()


def test_an_answer_that_is_lost_leaves_no_old_digest_in_force(
    sandbox: Sandbox, run_target: Callable[..., Run], store: str
) -> None:
    """Birdie may hold the newer version: going back to the older one is a change."""
    old, new = record(1, score=3), record(1, score=9)
    run_target(stream_of([old]), digest_path=store)
    sandbox.faults.on("lost_reply", share=1.0, api="birdie")
    run_target(stream_of([new]), digest_path=store, retry_budget_seconds=1)
    sandbox.faults.off()

    run_target(stream_of([old]), digest_path=store)

    assert sandbox.birdie.records()["1"]["kind"]["fields"]["rating"] == 3


def test_many_threads_can_forget_and_commit_at_once(store: str) -> None:
    """Each connection forgets before it sends, while the states are brought out."""
    digests = DigestStore(store)
    failures: list[Exception] = []

    def work(number: int) -> None:
        try:
            for turn in range(200):
                digests.remember(("feedback", f"{number}-{turn % 5}"), b"digest")
                digests.forget(("feedback", f"{number}-{turn % 5}"))
        except Exception as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    digests.close()

    assert failures == []
