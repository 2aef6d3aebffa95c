"""The delivery store, on SQLite and on PostgreSQL."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack
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
        "record_type": "feedback",
        "id": record_id,
        "stream": "responses",
        "reason": "400",
        "message": "no text",
        "attempts": 1,
        "first_at": "2026-01-01T00:00:00Z",
        "last_at": "2026-01-01T00:00:00Z",
        "rejected_fingerprint": b"r",
        "record": b'{"id":1}',
        "columns": b'["id"]',
    }
    return Row(**plain | changes)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of an empty store."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/birdie.db"
    server: Postgres = request.getfixturevalue("postgres")
    return server.empty_database()


@pytest.fixture
def open_store(url: str) -> Iterator[Open]:
    """Open the store; all are closed after the test."""
    with ExitStack() as opened:

        def opener(account: str = "acme", **options: Any) -> Store:
            store = Store(url, account, **options)
            opened.callback(store.close)
            return store

        yield opener


def reopened(store: Store, open_store: Open) -> Store:
    """The store as the next run finds it."""
    store.close()
    return open_store()


def test_a_fingerprint_is_known_at_once_and_after_a_commit(open_store: Open) -> None:
    """Before the commit from memory, afterwards from the database."""
    store = open_store()
    store.put(Row(*KEY, "responses", b"f"))
    assert store.look_up(KEY) == SENT
    store.commit()
    assert reopened(store, open_store).look_up(KEY) == SENT


def test_what_was_not_committed_is_lost(open_store: Open) -> None:
    """A killed run leaves what it committed."""
    store = open_store()
    store.put(Row(*KEY, "responses", b"f"))
    assert reopened(store, open_store).look_up(KEY) is None


def test_every_write_replaces_the_row(open_store: Open) -> None:
    """A rejection replaces the fingerprint, an acceptance the rejected version."""
    store = open_store()
    store.put(Row(*KEY, "responses", b"f"))
    store.commit()
    store.put(a_reject())
    store.commit()
    assert store.look_up(KEY) == a_reject()
    store.put(Row(*KEY, "responses", b"g"))
    store.commit()
    assert (store.look_up(KEY), list(store.rejected())) == (Row(*KEY, "responses", b"g"), [])


def test_rejected_records_come_back(open_store: Open) -> None:
    """All of them, as they were kept, and only those from before the moment asked for."""
    store = open_store()
    old = [a_reject(str(n)) for n in range(5)]
    for rejected in [*old, a_reject("new", last_at="2026-02-01T00:00:00Z")]:
        store.put(rejected)
    store.put(Row("feedback", "sent", "responses", b"f"))
    store.commit()

    assert list(store.rejected("2026-01-15T00:00:00Z")) == old
    assert len(list(store.rejected())) == 6


@pytest.mark.parametrize("odd", ["nul\0byte", "half \ud800 pair", "'; DROP TABLE x", "é" * 500])
def test_any_id_and_message_can_be_stored(odd: str, open_store: Open) -> None:
    """PostgreSQL has no NUL in a text, and neither database has half a surrogate pair."""
    store = open_store()
    store.put(a_reject(odd, message=odd))
    store.commit()
    found = store.look_up(("feedback", odd))
    assert found
    assert found.rejected_fingerprint == b"r"


def test_forgetting_deletes_rejected_records_alone(open_store: Open) -> None:
    """Fingerprints stay."""
    store = open_store()
    store.put(Row("feedback", "sent", "responses", b"f"))
    store.put(a_reject())
    store.commit()

    assert store.forget_rejected() == 1
    assert list(store.rejected()) == []
    assert store.look_up(("feedback", "sent")) == Row("feedback", "sent", "responses", b"f")


def test_a_stream_keeps_its_last_complete_run_and_its_newest_record(open_store: Open) -> None:
    """An older record does not move `newest_posted_at` back."""
    store = open_store()
    store.complete("responses", "2026-01-01T00:00:00Z", {"sent": 3}, "2025-12-31T00:00:00Z")
    store.complete("responses", "2026-01-02T00:00:00Z", {"sent": 1}, "2024-01-01T00:00:00Z")
    store.commit()
    rows = reopened(store, open_store)._db.exec_driver_sql("SELECT * FROM birdie_streams").all()

    last, newest = "2026-01-02T00:00:00Z", "2025-12-31T00:00:00Z"
    assert rows == [("acme", "responses", last, '{"sent": 1}', newest)]


def test_one_run_at_a_time_uses_an_account(open_store: Open) -> None:
    """The second one ends with one line, and starts once the first has ended."""
    store = open_store()
    with pytest.raises(TargetError, match="Another run uses"):
        open_store()
    store.close()
    open_store()


def test_rejected_records_can_be_read_during_a_run(open_store: Open) -> None:
    """A read-only store takes no lock and sees what was committed."""
    store = open_store()
    store.put(a_reject())
    store.commit()
    store.put(a_reject("2"))

    assert [found.id for found in open_store(read_only=True).rejected()] == ["1"]


def test_nothing_is_created_by_reading(open_store: Open, tmp_path: Path) -> None:
    """A dry run before the first run leaves no store."""
    with pytest.raises(TargetError, match="There is no delivery store"):
        open_store(read_only=True)
    assert list(tmp_path.glob("*")) == []


def test_an_unknown_version_is_refused(url: str, open_store: Open) -> None:
    """A newer target may have changed the tables."""
    open_store().close()
    with sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:")).begin() as db:
        db.exec_driver_sql("UPDATE birdie_store SET version = 99")
    with pytest.raises(TargetError, match="version 99"):
        open_store()


def test_accounts_of_one_database_are_separate(postgres: Postgres) -> None:
    """Several runs write at the same time, each its own rows."""
    url = postgres.empty_database()
    first, second = Store(url, "first"), Store(url, "second")
    first.put(Row(*KEY, "responses", b"f"))
    first.commit()

    assert (second.look_up(KEY), first.shown == second.shown) == (None, True)
    first.close()
    second.close()


def test_a_broken_session_ends_the_run(postgres: Postgres) -> None:
    """Its lock is gone as well, so the next commit fails, even with nothing to write."""
    store = Store(postgres.empty_database(), "acme")
    postgres.lines("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 't%'")
    with pytest.raises(TargetError, match=r"The delivery store postgresql://.* failed"):
        store.commit()


@pytest.mark.parametrize(
    "url",
    ["mysql://host/db", "sqlite://", "sqlite:///:memory:", "no url", "postgresql+asyncpg://h/d"],
)
def test_any_other_url_is_refused(url: str) -> None:
    """One line says which URLs there are."""
    with pytest.raises(
        TargetError, match="Setting 'store_url' must be sqlite:///PATH, postgresql://"
    ):
        Store(url, "acme")


def test_no_error_shows_the_password() -> None:
    """A server that does not answer is named without it."""
    with pytest.raises(TargetError, match=r"postgresql://u@127\.0\.0\.1:9/d failed") as caught:
        Store("postgres://u:geheim@127.0.0.1:9/d", "acme")
    assert "geheim" not in str(caught.value)


def test_a_new_file_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    """It can hold rejected records."""
    store = Store(f"sqlite:///{tmp_path}/birdie.db", "acme")
    store.close()
    files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert files == {"birdie.db": 0o600, "birdie.db.lock": 0o600}


@pytest.mark.parametrize("how", ["replaced", "deleted"])
def test_a_file_that_is_gone_ends_the_run(how: str, tmp_path: Path) -> None:
    """What is written to a deleted file is lost, so nothing may be confirmed."""
    store = Store(f"sqlite:///{tmp_path}/birdie.db", "acme")
    store.put(Row(*KEY, "responses", b"f"))
    (tmp_path / "birdie.db").rename(tmp_path / "moved")
    if how == "replaced":
        (tmp_path / "birdie.db").touch()
    with pytest.raises(TargetError, match=r"birdie\.db failed"):
        store.commit()
    store.close()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """One line, no stack trace."""
    (tmp_path / "birdie.db").write_text("these are notes, not a database " * 100)
    with pytest.raises(TargetError, match="failed: file is not a database"):
        Store(f"sqlite:///{tmp_path}/birdie.db", "acme")


def test_a_full_disk_ends_the_run(tmp_path: Path) -> None:
    """One line with the reason that the database gives."""
    store = Store(f"sqlite:///{tmp_path}/birdie.db", "acme")
    store._db.exec_driver_sql("PRAGMA max_page_count=20")
    for number in range(400):
        store.put(a_reject(str(number), message="m" * 500))
    with pytest.raises(TargetError, match="failed: database or disk is full"):
        store.commit()
    store.close()


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """The store is not created where nobody expects it."""
    with pytest.raises(TargetError, match=r"missing/birdie\.db failed: No such file"):
        Store(f"sqlite:///{tmp_path}/missing/birdie.db", "acme")
