"""What Birdie holds, as one digest an id: lets unchanged records stay unsent."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from target_birdie.errors import ConfigError, TargetError
from target_birdie.mapping.payload import Key

_TABLE = """
CREATE TABLE IF NOT EXISTS digests (
    record_type TEXT NOT NULL,
    id TEXT NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY (record_type, id)
) WITHOUT ROWID
"""


class DigestStore:
    """A SQLite file that one run at a time may use; may be shared by threads."""

    def __init__(self, path: str, *, read_only: bool = False) -> None:
        """Open the store and keep it to this run.

        Raises:
            ConfigError: Another run uses it, or it is no digest store.
        """
        self._path = path
        self._lock = Lock()
        self._failure = ""
        try:
            self._db = self._open(path, read_only=read_only)
        except (sqlite3.Error, OSError) as error:
            raise ConfigError(_explain(path, error)) from None

    @staticmethod
    def _open(path: str, *, read_only: bool) -> sqlite3.Connection:
        if read_only:
            known = Path(path).exists()
            address = f"{Path(path).absolute().as_uri()}?mode=ro" if known else ":memory:"
            db = sqlite3.connect(address, uri=True, check_same_thread=False, timeout=0)
            db.execute("SELECT 1 FROM digests LIMIT 1") if known else db.execute(_TABLE)
            return db
        if not Path(path).exists():
            Path(path).touch(mode=0o600)
        db = sqlite3.connect(path, check_same_thread=False, timeout=0, isolation_level=None)
        db.execute("PRAGMA locking_mode=EXCLUSIVE")
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        db.execute("BEGIN EXCLUSIVE")
        db.execute(_TABLE)
        db.execute("SELECT digest FROM digests LIMIT 1")
        return db

    def holds(self, key: Key, digest: bytes) -> bool:
        """Tell whether the last record stored under this id has this digest."""
        return self._digest(key) == digest

    def _digest(self, key: Key) -> bytes | None:
        row = self._run("SELECT digest FROM digests WHERE record_type = ? AND id = ?", key)
        return row[0] if row else None

    def remember(self, key: Key, digest: bytes) -> None:
        """Note what Birdie stored under this id; on disk after `commit`."""
        self._run("INSERT OR REPLACE INTO digests VALUES (?, ?, ?)", (*key, digest))

    def forget(self, key: Key) -> None:
        """Note, on disk at once, that it is not known what stands under this id."""
        if self._digest(key) is not None:
            self._run("DELETE FROM digests WHERE record_type = ? AND id = ?", key)
            self.commit()

    def commit(self) -> None:
        """Bring everything remembered to disk."""
        with self._at_work() as db:  # as one: between the two, others would find no transaction
            db.execute("COMMIT")
            db.execute("BEGIN EXCLUSIVE")

    def _run(self, statement: str, values: tuple[object, ...]) -> tuple[bytes] | None:
        with self._at_work() as db:
            row: tuple[bytes] | None = db.execute(statement, values).fetchone()
        return row

    @contextmanager
    def _at_work(self) -> Iterator[sqlite3.Connection]:
        """Lend the database to one thread; what fails later is told with the first cause."""
        with self._lock:
            try:
                yield self._db
            except sqlite3.Error as error:
                self._failure = self._failure or _explain(self._path, error)
                raise TargetError(self._failure) from None

    def close(self) -> None:
        """Let go of the file; what was not committed is forgotten."""
        with self._lock:
            self._db.close()


def _explain(path: str, error: Exception) -> str:
    if "locked" in str(error):
        return f"digest_path {path} is in use by another run: wait for it, or name another file"
    if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
        return (
            f"digest_path {path} is no readable digest store: delete it (every record is then sent "
            "once more), or name another file"
        )
    return f"digest_path {path} cannot be opened or written ({error}): check the path and the disk"
