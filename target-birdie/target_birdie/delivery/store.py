"""The delivery store: what Birdie has and what Birdie rejected.

One row per account, record type and id, in SQLite or PostgreSQL. Every write replaces a whole row;
writes are collected in memory until `commit`. One run at a time may open an account for writing.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict
from hashlib import blake2b
from pathlib import Path
from threading import RLock
from typing import Any, NamedTuple, NoReturn

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from target_birdie.delivery.pending import RejectedRecord
from target_birdie.errors import ConfigError, TargetError
from target_birdie.mapping.payload import Key

VERSION = 1
_PAGE = 100
_BUFFERED_ROWS = 500

_metadata = sa.MetaData()
_versions = sa.Table("birdie_store", _metadata, sa.Column("version", sa.Integer, nullable=False))
_accounts = sa.Table(
    "birdie_accounts",
    _metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, unique=True, nullable=False),
)
_records = sa.Table(
    "birdie_records",
    _metadata,
    sa.Column("account", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("record_type", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("stream", sa.Text, nullable=False),
    sa.Column("fingerprint", sa.LargeBinary),
    sa.Column("rejected_fingerprint", sa.LargeBinary),
    sa.Column("reason", sa.Text),
    sa.Column("message", sa.Text),
    sa.Column("attempts", sa.Integer),
    sa.Column("first_at", sa.Text),
    sa.Column("last_at", sa.Text),
    sa.Column("record", sa.LargeBinary),
    sa.Column("columns", sa.LargeBinary),
    sqlite_with_rowid=False,
)
_is_rejected = _records.c.reason.is_not(None)
sa.Index(
    "birdie_rejected_records",
    _records.c.account,
    sqlite_where=_is_rejected,
    postgresql_where=_is_rejected,
)
_streams = sa.Table(
    "birdie_streams",
    _metadata,
    sa.Column("account", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("stream", sa.Text, primary_key=True),
    sa.Column("completed_at", sa.Text, nullable=False),
    sa.Column("counts", sa.Text, nullable=False),
    sa.Column("newest_posted_at", sa.Text),
)
_known_columns = (_records.c.stream, _records.c.fingerprint, _records.c.rejected_fingerprint)

_KEEPALIVE = {
    "connect_timeout": 10,
    "keepalives": 1,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}


class MissingStoreError(ConfigError):
    """Nothing was delivered yet: the store does not exist."""


class Known(NamedTuple):
    """What the store knows of one key.

    Attributes:
        stream: Stream that produced the key last.
        fingerprint: Fingerprint of the payload that Birdie has; None if unknown.
        rejected_fingerprint: Fingerprint of the rejected version; None if none is rejected.
    """

    stream: str
    fingerprint: bytes | None = None
    rejected_fingerprint: bytes | None = None


class Store:
    """The rows of one account; may be shared by threads."""

    def __init__(self, url: str, account: str, *, read_only: bool = False) -> None:
        """Open the store, and create it if it is missing; `read_only` needs no lock.

        Args:
            url: `sqlite:///PATH`, `postgres://…` or `postgresql://…`.
            account: Name that the rows and the lock belong to.
            read_only: Whether nothing will be written.

        Raises:
            ConfigError: The store cannot be opened, or another run uses it.
        """
        self._url, self.shown = _parse(url)
        self._lock = RLock()
        self._buffer: dict[Key, dict[str, Any]] = {}
        self._file = Path(self._url.database or "") if _is_sqlite(self._url) else None
        self._insert: Any = sqlite.insert if self._file else postgresql.insert
        self._opened = ExitStack()
        self.was_created = False
        try:
            with self._explained():
                self._connect(read_only=read_only)
                self._account = self._open_account(account, read_only=read_only)
        except TargetError:
            self.close()
            raise
        self._upsert = self._upsert_of(_records)

    def _connect(self, *, read_only: bool) -> None:
        options: dict[str, Any] = {"poolclass": sa.NullPool}
        url = self._url
        if self._file is None:
            options["connect_args"] = _KEEPALIVE
        elif read_only:
            if not self._file.exists():
                raise MissingStoreError(f"There is no delivery store at {self.shown} yet.")
            query = {"mode": "ro", "uri": "true"}
            url = url.set(database=self._file.absolute().as_uri(), query=query)
        else:
            self._lock_file(self._file)
        try:
            engine = sa.create_engine(url, **options)
        except ImportError:
            raise ConfigError(
                "PostgreSQL needs the driver psycopg. Install target-birdie[postgres]."
            ) from None
        self._db = self._opened.enter_context(engine.connect())
        if self._file and not read_only:
            self._db.exec_driver_sql("PRAGMA journal_mode=WAL")
            self._db.exec_driver_sql("PRAGMA synchronous=FULL")
            self._db.commit()

    def _lock_file(self, path: Path) -> None:
        """Lock a file next to the store: readers of the store itself are not blocked."""
        for place in (path, lock := path.with_name(f"{path.name}.lock")):
            place.touch(mode=0o600)
        run_lock = sqlite3.connect(lock, timeout=0, isolation_level=None, check_same_thread=False)
        self._opened.enter_context(closing(run_lock)).execute("BEGIN EXCLUSIVE")
        self._inode = path.stat().st_ino

    def _open_account(self, name: str, *, read_only: bool) -> int:
        if not read_only and self._file is None:
            self._lock_account(name)
        if not sa.inspect(self._db).has_table(_versions.name):
            if read_only:
                raise MissingStoreError(f"There is no delivery store at {self.shown} yet.")
            _metadata.create_all(self._db)
            self._db.execute(_versions.insert().values(version=VERSION))
            self.was_created = True
        if (version := self._db.scalar(sa.select(_versions.c.version))) != VERSION:
            raise ConfigError(
                f"The delivery store {self.shown} has version {version}, this target needs "
                f"version {VERSION}. Use the target that wrote it, or another store_url."
            )
        found = self._db.scalar(sa.select(_accounts.c.id).where(_accounts.c.name == name))
        if found is None and not read_only:
            found = self._db.scalar(
                self._insert(_accounts).values(name=name).returning(_accounts.c.id)
            )
        self._db.commit()
        return found or 0

    def _lock_account(self, name: str) -> None:
        """Take the account's session lock, and one that orders the creation of the tables."""
        key = blake2b(f"target-birdie {name}".encode(), digest_size=8).digest()
        number = int.from_bytes(key, signed=True)
        if not self._db.scalar(sa.select(sa.func.pg_try_advisory_lock(number))):
            raise ConfigError(f"Another run uses {self.shown} for this account. Wait for its end.")
        self._db.commit()
        self._db.execute(sa.select(sa.func.pg_advisory_xact_lock(VERSION)))

    def _upsert_of(self, table: sa.Table) -> Any:
        statement = self._insert(table)
        values = {
            column.name: statement.excluded[column.name]
            for column in table.columns
            if not column.primary_key
        }
        return statement.on_conflict_do_update(index_elements=table.primary_key, set_=values)

    # Records

    def look_up(self, key: Key) -> Known | None:
        """Return what is known of a key, including what is not committed yet."""
        with self._explained():
            if (row := self._buffer.get(key)) is not None:
                return Known(row["stream"], row["fingerprint"], row["rejected_fingerprint"])
            found = self._db.execute(
                _look_up, {"account": self._account, "record_type": key[0], "id": _plain(key[1])}
            ).one_or_none()
        return Known(*found) if found else None

    def put(self, key: Key, stream: str, fingerprint: bytes | None = None) -> None:
        """Note what Birdie has; without a fingerprint, that this is unknown."""
        self._put(key, stream=stream, fingerprint=fingerprint)

    def reject(self, rejected: RejectedRecord, fingerprint: bytes | None = None) -> None:
        """Keep a rejected record and the fingerprint of what Birdie has, if that is known."""
        values = asdict(rejected)
        del values["record_type"], values["id"]
        values["message"] = _plain(rejected.message)
        self._put(rejected.key, fingerprint=fingerprint, **values)

    def _put(self, key: Key, **values: Any) -> None:
        place = {"account": self._account, "record_type": key[0], "id": _plain(key[1])}
        with self._explained():
            self._buffer[key] = dict.fromkeys(_records.c.keys()) | place | values
            if len(self._buffer) >= _BUFFERED_ROWS:
                self._flush()

    def _flush(self) -> None:
        if self._buffer:
            self._db.execute(self._upsert, [*self._buffer.values()])
            self._buffer.clear()

    def commit(self) -> None:
        """Write what was collected.

        Raises:
            TargetError: The store failed, or its file has gone.
        """
        with self._explained():
            if self._file and self._file.stat().st_ino != self._inode:
                raise FileNotFoundError("the file was replaced")
            self._flush()
            if self._file is None:  # proves that the session, and with it the lock, still exists
                self._db.execute(sa.select(1))
            self._db.commit()

    def rejected(self, before: str = "~") -> Iterator[RejectedRecord]:
        """Yield the rejected records whose last attempt was before a moment, by key."""
        columns = [_records.c[name] for name in RejectedRecord.__dataclass_fields__]
        place = sa.tuple_(_records.c.record_type, _records.c.id)
        query = sa.select(*columns).where(
            _records.c.account == self._account, _is_rejected, _records.c.last_at < before
        )
        query = query.order_by(_records.c.record_type, _records.c.id).limit(_PAGE)
        after: Key = ("", "")
        while True:
            with self._explained():
                self._flush()
                rows = (
                    self._db.execute(query.where(place > sa.tuple_(*map(sa.literal, after))))
                    .mappings()
                    .all()
                )
            for row in rows:
                yield RejectedRecord(**row)
            if len(rows) < _PAGE:
                return
            after = rows[-1]["record_type"], rows[-1]["id"]

    def count_rejected(self, since: str) -> int:
        """Return how many records were rejected first since a moment and not replaced later."""
        query = sa.select(sa.func.count()).where(
            _records.c.account == self._account,
            _records.c.last_at >= since,
            _records.c.attempts == 1,
        )
        with self._explained():
            self._flush()
            return self._db.scalar(query) or 0

    def forget_rejected(self) -> int:
        """Delete the rejected records and return how many there were."""
        query = _records.delete().where(_records.c.account == self._account, _is_rejected)
        with self._explained():
            deleted = self._db.execute(query).rowcount
            self._db.commit()
        return deleted

    # Streams

    def complete(
        self, stream: str, at: str, counts: Mapping[str, int], newest_posted_at: str | None
    ) -> None:
        """Note a complete run of a stream."""
        row = {"account": self._account, "stream": stream, "completed_at": at}
        query = sa.select(_streams.c.newest_posted_at).where(
            _streams.c.account == self._account, _streams.c.stream == stream
        )
        with self._explained():
            before = self._db.scalar(query)
            row["newest_posted_at"] = max(filter(None, (before, newest_posted_at)), default=None)
            row["counts"] = json.dumps(counts)
            self._db.execute(self._upsert_of(_streams), row)

    def streams(self) -> list[dict[str, Any]]:
        """Return the last complete run of each stream."""
        query = _streams.select().where(_streams.c.account == self._account)
        with self._explained():
            return [dict(row) for row in self._db.execute(query).mappings()]

    def close(self) -> None:
        """Close the store and release its lock; what was not committed is lost."""
        with self._lock:
            self._opened.close()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Let one thread use the connection; a failure becomes one line."""
        with self._lock:
            try:
                yield
            except (sa.exc.SQLAlchemyError, sqlite3.Error, OSError) as error:
                self._explain(error)

    def _explain(self, error: Exception) -> NoReturn:
        cause = getattr(error, "orig", None) or error
        text = getattr(cause, "strerror", None) or str(cause).partition("\n")[0]
        if "locked" in text:
            line = f"Another run uses the delivery store {self.shown}. Wait for its end."
        elif isinstance(cause, sqlite3.DatabaseError) and (
            not isinstance(cause, sqlite3.OperationalError) or "malformed" in text
        ):
            line = (
                f"The delivery store {self.shown} is damaged or is not a database. Name another "
                "file in store_url, or restore it; without it, all records are sent again and "
                "rejected records are lost."
            )
        else:
            line = f"The delivery store {self.shown} failed: {text}. Check store_url."
        raise TargetError(line) from None


_look_up = sa.select(*_known_columns).where(
    _records.c.account == sa.bindparam("account"),
    _records.c.record_type == sa.bindparam("record_type"),
    _records.c.id == sa.bindparam("id"),
)


def _parse(url: str) -> tuple[sa.URL, str]:
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        parsed = sa.URL.create("none")
    driver = parsed.drivername
    if driver == "sqlite" and parsed.database not in {None, "", ":memory:"}:
        return parsed, str(Path(parsed.database or "").absolute())
    if driver in {"postgres", "postgresql"}:
        place = (parsed.host, parsed.port, parsed.database)
        shown = str(sa.URL.create("postgresql", parsed.username, None, *place))
        return parsed.set(drivername="postgresql+psycopg"), shown
    raise ConfigError(
        "store_url must be sqlite:///PATH, postgresql://USER:PASSWORD@HOST/DATABASE or none."
    )


def _is_sqlite(url: sa.URL) -> bool:
    return url.drivername == "sqlite"


def _plain(text: str) -> str:
    """Return a text that both databases can store."""
    return text.replace("\0", "\\0").encode(errors="backslashreplace").decode()
