"""Files instead of requests: one a run and kind, whole or not at all.

Records are spooled in a private database that the operating system deletes, where a newer version
of an id replaces the older; the files are written at the end of the run. Columns are text and
RFC 3339, because the column types that Birdie's connector expects are not published.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress

import fsspec  # type: ignore[import-untyped]
from fsspec.implementations.local import LocalFileSystem  # type: ignore[import-untyped]

from target_birdie import file_formats
from target_birdie.errors import ConfigError, TargetError
from target_birdie.jobs import Job, Outcomes

_ROWS_AT_A_TIME = 5_000
_PARTIAL = ".partial"


class FileWriter:
    """Collects the run's records and writes them when it ends."""

    def __init__(self, file_type: str, output_path: str, name: str, outcomes: Outcomes) -> None:
        """Prepare the spool.

        Args:
            file_type: `parquet` or `jsonl`.
            output_path: Folder or bucket prefix, as fsspec takes it.
            name: Name of the run's files, without the extension.
            outcomes: Who is told what became of the records.

        Raises:
            ConfigError: A library is missing, or the place cannot be reached.
        """
        self.failure: TargetError | None = None
        self._name = f"{name}.{file_type}"
        self._outcomes = outcomes
        self._format = file_formats.FORMATS[file_type]
        self._format.check()
        try:
            self._fs, self._root = fsspec.core.url_to_fs(output_path.rstrip("/"))
        except (ImportError, ValueError) as error:
            raise ConfigError(f"output_path cannot be used: {error}") from None
        self._stopped = False
        self._spool = sqlite3.connect("")
        self._spool.execute(
            "CREATE TABLE spool (kind TEXT, id TEXT, body BLOB, digest BLOB, numbers TEXT, "
            "PRIMARY KEY (kind, id))"
        )

    def submit(self, job: Job) -> None:
        """Keep a record for the file; the newest version of an id counts.

        Raises:
            TargetError: The disk is full.
        """
        try:
            self._keep(job)
        except sqlite3.Error as error:
            raise TargetError(
                f"records cannot be collected in the folder for temporary files ({error}): make "
                "room there, or name another folder in SQLITE_TMPDIR"
            ) from None

    def _keep(self, job: Job) -> None:
        place = (job.group, job.key[1])
        row = self._spool.execute(
            "SELECT numbers FROM spool WHERE kind = ? AND id = ?", place
        ).fetchone()
        if row is None and self._outcomes.is_unchanged(job):
            self._outcomes.unchanged()
            self._outcomes.settled(job)
            return
        if row is not None:
            self._outcomes.merged()
            job.numbers += json.loads(row[0])
        values = (*place, job.body, job.digest, json.dumps(job.numbers))
        self._spool.execute("INSERT OR REPLACE INTO spool VALUES (?, ?, ?, ?, ?)", values)

    def settle_queued(self) -> None:
        """Nothing can."""

    def stop(self) -> None:
        """Write nothing: what is collected is forgotten."""
        self._stopped = True

    def wait_in_flight(self, seconds: Callable[[], float]) -> None:
        """Nothing is ever under way."""

    def drain(self) -> None:
        """Write the files; no record counts as settled before its file stands."""
        if self._stopped:
            return
        found = self._spool.execute("SELECT DISTINCT kind FROM spool ORDER BY kind")
        kinds = [kind for (kind,) in found]
        try:
            for kind in kinds:
                self._write(kind)
            for kind in kinds:
                self._fs.mv(self._partial(kind), self._final(kind))
        except Exception as error:  # noqa: BLE001  (each object store has errors of its own)
            self._withdraw(kinds)
            self.failure = TargetError(
                f"output_path cannot be written ({type(error).__name__}): check the place and "
                "your rights there; nothing of this run counts as delivered"
            )
            return
        self._tidy()
        for kind, record_id, digest, numbers in self._spool.execute(
            "SELECT kind, id, digest, numbers FROM spool"
        ):
            self._outcomes.written((_record_type(kind), record_id), digest, json.loads(numbers))

    def _partial(self, kind: str) -> str:
        return f"{self._root}/{_PARTIAL}/{kind}-{self._name}"

    def _final(self, kind: str) -> str:
        return f"{self._root}/{kind}/{self._name}"

    def _write(self, kind: str) -> None:
        if isinstance(self._fs, LocalFileSystem):  # a bucket would be made where there is none
            for path in (self._partial(kind), self._final(kind)):
                self._fs.makedirs(path.rpartition("/")[0], exist_ok=True)
        with self._fs.open(self._partial(kind), "wb") as file:
            self._format.write(file, _record_type(kind), self._batches(kind))

    def _withdraw(self, kinds: list[str]) -> None:
        """Take back what stands already: files are repeated whole, and would be read twice."""
        for kind in kinds:
            for path in (self._partial(kind), self._final(kind)):
                with suppress(Exception):
                    self._fs.rm(path)
        self._tidy()

    def _tidy(self) -> None:
        if isinstance(self._fs, LocalFileSystem):
            with suppress(OSError):  # another run writes there
                self._fs.rmdir(f"{self._root}/{_PARTIAL}")

    def _batches(self, kind: str) -> Iterator[list[bytes]]:
        with closing(
            self._spool.execute("SELECT body FROM spool WHERE kind = ?", (kind,))
        ) as found:
            while batch := found.fetchmany(_ROWS_AT_A_TIME):
                yield [body for (body,) in batch]


def _record_type(kind: str) -> str:
    return kind.partition("-")[0]
