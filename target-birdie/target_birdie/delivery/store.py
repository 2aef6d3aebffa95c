"""The delivery store: what Birdie has and what Birdie rejected.

One row per account, record type and id, in SQLite or PostgreSQL. Every write replaces a whole row
and is collected in memory until `commit`. One run at a time may open an account for writing.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, fields
from hashlib import blake2b
from pathlib import Path
from threading import RLock

import sqlalchemy as sa

from target_birdie import errors
from target_birdie.delivery.records import Row
from target_birdie.mapping.payload import Key

VERSION = 1
_BUFFERED_ROWS = 5_000
_NAMES = [field.name for field in fields(Row)]
_REJECTED = "FROM birdie_records WHERE account = :account AND reason <> ''"
_LOOK_UP = sa.text(
    f"SELECT {', '.join(_NAMES)} FROM birdie_records "
    "WHERE account = :account AND record_type = :record_type AND id = :id"
)
_UPSERT = sa.text(
    f"INSERT INTO birdie_records (account, {', '.join(_NAMES)}) "
    f"VALUES (:account, :{', :'.join(_NAMES)}) ON CONFLICT (account, record_type, id) "
    f"DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _NAMES[2:])}"
)
_COMPLETE = sa.text(
    "INSERT INTO birdie_streams VALUES (:account, :stream, :at, :counts, :newest) "
    "ON CONFLICT (account, stream) DO UPDATE SET completed_at = :at, counts = :counts, "
    "newest_posted_at = CASE WHEN birdie_streams.newest_posted_at > :newest "
    "THEN birdie_streams.newest_posted_at ELSE :newest END"
)
# A connection that breaks must be noticed within a minute.
_PATIENCE = (
    "connect_timeout=10&keepalives_idle=30&keepalives_interval=10&keepalives_count=3"
    "&tcp_user_timeout=60000"
)


def account_number(name: str) -> int:
    """Return what identifies an account in the table of records and in its lock."""
    digest = blake2b(f"target-birdie {name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


class Store:
    """The rows of one account; may be shared by threads."""

    def __init__(self, url: str, account: str, *, read_only: bool = False) -> None:
        """Open the store, and create it if it is missing.

        Args:
            url: `sqlite:///PATH`, `postgres://…` or `postgresql://…`.
            account: Name that the rows and the lock belong to.
            read_only: Whether nothing will be written; then no lock is taken.

        Raises:
            TargetError: The store cannot be opened, or another run uses it.
        """
        parsed = sa.make_url(url)
        self._file = Path(parsed.database or "") if parsed.drivername == "sqlite" else None
        public = parsed.set(drivername="postgresql", query={})._replace(password=None)
        self.shown = str(self._file.absolute() if self._file else public)
        self._name = account
        self._account = account_number(account)
        self._lock = RLock()
        self._buffer: dict[Key, Row] = {}
        self._opened = ExitStack()
        self.was_created = False
        self._error: errors.TargetError | None = None
        try:
            with self._explained():
                self._open(parsed, read_only=read_only)
        except errors.TargetError:
            self.close()
            raise

    def _open(self, url: sa.URL, *, read_only: bool) -> None:
        if self._file is None:
            url = url.set(drivername="postgresql+psycopg").update_query_string(_PATIENCE)
        elif not read_only:
            self._lock_file(self._file)
        elif not self._file.exists():
            raise errors.MissingStoreError(store=self.shown)
        try:
            engine = sa.create_engine(url, poolclass=sa.NullPool)
        except ImportError:
            needs = {"library": "psycopg", "extra": "target-birdie[postgres]"}
            raise errors.MissingLibraryError(what="A store in PostgreSQL", **needs) from None
        self._db = self._opened.enter_context(engine.connect())
        if not read_only:
            self._prepare()
        elif not self._has_tables():
            raise errors.MissingStoreError(store=self.shown)
        elif self._file:
            self._db.exec_driver_sql("PRAGMA query_only=ON")
        found = self._db.exec_driver_sql("SELECT version FROM birdie_store").scalar()
        if found != VERSION:
            raise errors.StoreVersionError(store=self.shown, found=found, needed=VERSION)
        self._db.commit()

    def _lock_file(self, path: Path) -> None:
        """Lock a file next to the store, so that readers of the store itself are not blocked."""
        for place in (path, lock := path.with_name(f"{path.name}.lock")):
            place.touch(mode=0o600)
        run_lock = sqlite3.connect(lock, timeout=0, isolation_level=None, check_same_thread=False)
        self._opened.enter_context(closing(run_lock)).execute("BEGIN EXCLUSIVE")
        self._inode = path.stat().st_ino

    def _prepare(self) -> None:
        """Set up SQLite, or take the session lock in PostgreSQL; then create missing tables."""
        if self._file:
            self._db.exec_driver_sql("PRAGMA journal_mode=WAL")
            self._db.exec_driver_sql("PRAGMA synchronous=FULL")
        elif not self._db.scalar(sa.select(sa.func.pg_try_advisory_lock(self._account))):
            raise errors.StoreInUseError(store=self.shown)
        else:  # two accounts may create the tables at the same time
            self._db.execute(sa.select(sa.func.pg_advisory_xact_lock(VERSION)))
        if not self._has_tables():
            tables = Path(__file__).with_suffix(".sql").read_text("utf-8")
            words = ("BLOB", "WITHOUT ROWID") if self._file else ("BYTEA", "")
            for statement in tables.format(bytes=words[0], option=words[1]).split(";"):
                self._db.exec_driver_sql(statement)
            self.was_created = True

    def _has_tables(self) -> bool:
        return sa.inspect(self._db).has_table("birdie_store")

    def look_up(self, key: Key) -> Row | None:
        """Return what is known of a key, including what is not committed yet."""
        with self._explained():
            if row := self._buffer.get(key):
                return row
            place = {"account": self._account, "record_type": key[0], "id": _plain(key[1])}
            found = self._db.execute(_LOOK_UP, place).one_or_none()
        return Row(*found) if found else None

    def put(self, row: Row) -> None:
        """Replace what is known of a key."""
        with self._explained():
            self._buffer[row.key] = row
            if len(self._buffer) >= _BUFFERED_ROWS:
                self.commit()

    def _flush(self) -> None:
        if self._buffer:
            rows = [
                asdict(row)
                | {"account": self._account, "id": _plain(row.id), "message": _plain(row.message)}
                for row in self._buffer.values()
            ]
            self._db.execute(_UPSERT, rows)

    def commit(self) -> None:
        """Write what was collected.

        Raises:
            TargetError: The store failed, or its file has gone.
        """
        with self._explained():
            if self._file and self._file.stat().st_ino != self._inode:
                raise FileNotFoundError("the file was replaced")
            self._flush()
            self._db.exec_driver_sql("SELECT 1")  # proves that the session holds its lock
            self._db.commit()
            self._buffer.clear()  # not before: a commit that fails may undo all rows

    def rejected(self, before: str = "~") -> Iterator[Row]:
        """Yield the rejected records whose last attempt was before a moment, by key."""
        query = sa.text(f"SELECT record_type, id {_REJECTED} AND last_at < :before ORDER BY 1, 2")
        with self._explained():
            self._flush()
            keys = self._db.execute(query, {"account": self._account, "before": before}).all()
        for record_type, record_id in keys:
            # A newer version may have been accepted or rejected since.
            if (row := self.look_up((record_type, record_id))) and "" < row.last_at < before:
                yield row

    def count_rejected(self, since: str) -> int:
        """Return how many records were rejected first since a moment and not replaced later."""
        query = sa.text(f"SELECT count(*) {_REJECTED} AND last_at >= :since AND attempts = 1")
        with self._explained():
            self._flush()
            return self._db.scalar(query, {"account": self._account, "since": since}) or 0

    def forget_rejected(self) -> int:
        """Delete the rejected records and return how many there were."""
        with self._explained():
            done = self._db.execute(sa.text(f"DELETE {_REJECTED}"), {"account": self._account})
            self._db.commit()
        return done.rowcount

    def complete(self, stream: str, at: str, counts: Mapping[str, int], newest: str) -> None:
        """Note a complete run of a stream, with the time of its newest feedback."""
        row = {"account": self._name, "stream": stream, "at": at, "newest": newest}
        with self._explained():
            self._db.execute(_COMPLETE, row | {"counts": json.dumps(counts)})

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
                cause = getattr(error, "orig", None) or error
                text = getattr(cause, "strerror", None) or str(cause).partition("\n")[0]
                failed = errors.StoreInUseError if "locked" in text else errors.StoreError
                # Later errors are its consequences.
                self._error = self._error or failed(store=self.shown, cause=text)
                raise self._error from None


def _plain(text: str) -> str:
    """Return a text that both databases can store."""
    return text.replace("\0", "\\0").encode(errors="backslashreplace").decode()
