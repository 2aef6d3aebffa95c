"""The delivery store, on SQLite and on PostgreSQL."""

import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from postgres import Postgres
from target_birdie.delivery.records import Row
from target_birdie.delivery.store import Store
from target_birdie.errors import TargetError

KEY = ("feedback", "1")
SENT = Row(*KEY, "responses", b"f")
Open = Callable[..., Store]


def a_reject(record_id: str = "1", **changes: Any) -> Row:
    """A rejected record, as the delivery run keeps it."""
    plain: dict[str, Any] = {
        "reason": "400",
        "message": "no text",
        "attempts": 1,
        "first_at": "2026-01-01T00:00:00Z",
        "last_at": "2026-01-01T00:00:00Z",
        "rejected_fingerprint": b"r",
        "record": b'{"id":1}',
        "columns": b'["id"]',
    }
    return Row("feedback", record_id, "responses", **plain | changes)


def filled(store: Store, *rows: Row) -> Store:
    """The store with rows that are committed."""
    for row in rows:
        store.put(row)
    store.commit()
    return store


@pytest.fixture
def open_store(store_url: str) -> Iterator[Open]:
    """Open the store; all are closed after the test."""
    with ExitStack() as opened:

        def opener(account: str = "acme", **options: Any) -> Store:
            store = Store(store_url, account, **options)
            opened.callback(store.close)
            return store

        yield opener


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Store]:
    """A store in a SQLite file."""
    store = Store(f"sqlite:///{tmp_path}/birdie.db", "acme")
    yield store
    store.close()


@pytest.mark.parametrize("is_committed", [True, False])
def test_a_killed_run_leaves_what_it_committed(*, is_committed: bool, open_store: Open) -> None:
    """A row is known at once, but to the next run only after a commit."""
    store = open_store()
    store.put(SENT)
    assert store.look_up(KEY) == SENT
    if is_committed:
        store.commit()
    store.close()
    assert open_store().look_up(KEY) == (SENT if is_committed else None)


def test_every_write_replaces_the_row(open_store: Open) -> None:
    """A rejection replaces the fingerprint, an acceptance the rejected version."""
    store, newer = filled(open_store(), SENT), Row(*KEY, "responses", b"g")
    assert filled(store, a_reject()).look_up(KEY) == a_reject()
    assert filled(store, newer).look_up(KEY) == newer
    assert list(store.rejected()) == []


def test_rejected_records_come_back(open_store: Open) -> None:
    """All of them, as they were kept, and only those from before the moment asked for."""
    old = [a_reject(str(number)) for number in range(2, 7)]
    new = a_reject("new", last_at="2026-02-01T00:00:00Z")
    store = filled(open_store(), SENT, *old, new)

    assert list(store.rejected("2026-01-15T00:00:00Z")) == old
    assert list(store.rejected()) == [*old, new]
    found = store.rejected("2026-01-15T00:00:00Z")
    assert next(found) == old[0]
    store.put(replace(old[1], last_at="2026-02-01T00:00:00Z"))  # rejected again meanwhile
    assert list(found) == old[2:]


@pytest.mark.parametrize("odd", ["nul\0byte", "half \ud800 pair", "'; DROP TABLE x", "é" * 500])
def test_any_id_and_message_can_be_stored(odd: str, open_store: Open) -> None:
    """PostgreSQL has no NUL in a text, and neither database has half a surrogate pair."""
    found = filled(open_store(), a_reject(odd, message=odd)).look_up(("feedback", odd))
    assert found
    assert found.rejected_fingerprint == b"r"


def test_one_run_at_a_time_uses_an_account(open_store: Open) -> None:
    """The second one ends with one line, and starts once the first has ended."""
    store = open_store()
    with pytest.raises(TargetError, match="Another run uses"):
        open_store()
    store.close()
    open_store()


def test_rejected_records_can_be_read_during_a_run(open_store: Open) -> None:
    """A read-only store takes no lock and sees what was committed."""
    store = filled(open_store(), a_reject())
    store.put(a_reject("2"))
    assert list(open_store(read_only=True).rejected()) == [a_reject()]


def test_nothing_is_created_by_reading(open_store: Open, tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="There is no delivery store"):
        open_store(read_only=True)
    assert list(tmp_path.glob("*")) == []


def test_an_unknown_version_is_refused(store_url: str, open_store: Open) -> None:
    """A newer target may have changed the tables."""
    open_store().close()
    with sa.create_engine(store_url.replace("postgresql:", "postgresql+psycopg:")).begin() as db:
        db.exec_driver_sql("UPDATE birdie_store SET version = 99")
    with pytest.raises(TargetError, match="version 99"):
        open_store()


def test_accounts_of_one_database_are_separate(postgres: Postgres) -> None:
    """Several runs write at the same time, each its own rows."""
    url = postgres.empty_database()
    first, second = filled(Store(url, "first"), SENT), Store(url, "second")
    assert (second.look_up(KEY), first.shown == second.shown) == (None, True)
    first.close()
    second.close()


def test_a_broken_session_ends_the_run(postgres: Postgres) -> None:
    """Its lock is gone as well, so every commit fails, even with nothing to write."""
    store = Store(postgres.empty_database(), "acme")
    postgres.lines("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 't%'")
    for _ in range(2):
        with pytest.raises(TargetError, match=r"store postgresql://.* failed: terminating conn"):
            store.commit()


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("postgres://u:geheim@127.0.0.1:9/d", r"postgresql://u@127\.0\.0\.1:9/d failed"),
        ("sqlite:///{folder}/missing/birdie.db", r"missing/birdie\.db failed: No such file"),
        ("sqlite:///{folder}/notes", "failed: file is not a database"),
    ],
)
def test_a_store_that_cannot_be_opened_is_named_without_a_password(
    url: str, line: str, tmp_path: Path
) -> None:
    (tmp_path / "notes").write_text("these are notes, not a database " * 100)
    with pytest.raises(TargetError, match=line) as caught:
        Store(url.format(folder=tmp_path), "acme")
    assert "geheim" not in str(caught.value)


def test_a_new_file_is_readable_only_by_its_owner(file: Store, tmp_path: Path) -> None:
    """It can hold rejected records."""
    file.close()
    files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert files == {"birdie.db": 0o600, "birdie.db.lock": 0o600}


@pytest.mark.parametrize("how", ["replaced", "deleted"])
def test_a_file_that_is_gone_ends_the_run(how: str, file: Store, tmp_path: Path) -> None:
    """What is written to a deleted file is lost, so nothing may be confirmed."""
    file.put(SENT)
    (tmp_path / "birdie.db").rename(tmp_path / "moved")
    if how == "replaced":
        (tmp_path / "birdie.db").touch()
    with pytest.raises(TargetError, match=r"birdie\.db failed"):
        file.commit()


def test_a_full_disk_ends_the_run(file: Store) -> None:
    """The last commit, which a state can follow, writes also what a failed one did not."""
    file._db.exec_driver_sql("PRAGMA max_page_count=200")
    with pytest.raises(TargetError, match="failed: database or disk is full"):
        filled(file, *(a_reject(str(number), message="m" * 500) for number in range(1200)))
    file._db.exec_driver_sql("PRAGMA max_page_count=2000")
    file.commit()
    assert len(list(file.rejected())) == 1200
