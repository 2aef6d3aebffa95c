"""Files instead of requests: one per run and group, complete or not at all.

Records are collected in a temporary database, where a newer version of an id replaces the older
one; the files are written at the end of the run. Columns are text, because the column types that
Birdie's connector expects are not published.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress

import fsspec  # type: ignore[import-untyped]
from fsspec.implementations.local import LocalFileSystem  # type: ignore[import-untyped]

from target_birdie.delivery import file_formats
from target_birdie.delivery.checkpoints import Result
from target_birdie.delivery.outcomes import Outcomes
from target_birdie.delivery.pending import MappedStream, PendingRecord, Row
from target_birdie.errors import FileOutputError, InvalidSettingError, SpoolError, TargetError
from target_birdie.mapping.payload import Key

_ROWS_AT_A_TIME = 5_000
_PARTIAL = ".partial"


class FileWriter:
    """Collects the records of a run and writes them at its end."""

    def __init__(self, file_type: str, output_path: str, name: str, outcomes: Outcomes) -> None:
        """Prepare the temporary database.

        Args:
            file_type: `parquet` or `jsonl`.
            output_path: Folder or bucket prefix, as fsspec accepts it.
            name: Name of the files, without the extension.
            outcomes: Notes what is written.

        Raises:
            ConfigError: A library is missing, or `output_path` is invalid.
        """
        self.failure: TargetError | None = None
        self._name = f"{name}.{file_type}"
        self._outcomes = outcomes
        self._write_file = file_formats.writer(file_type)
        try:
            self._fs, self._root = fsspec.core.url_to_fs(output_path.rstrip("/"))
        except (ImportError, ValueError) as error:
            rule = f"cannot be used: {error}"
            raise InvalidSettingError(name="output_path", rule=rule) from None
        self._is_stopped = False
        self._result = Result()
        self._streams: dict[str, MappedStream] = {}
        self._retried: dict[Key, Row] = {}
        self._spool = sqlite3.connect("")
        self._spool.execute(
            "CREATE TABLE spool (record_type TEXT, id TEXT, file TEXT, payload BLOB, "
            "fingerprint BLOB, stream TEXT, is_newest INT, "
            "PRIMARY KEY (record_type, id))"
        )

    def submit(self, record: PendingRecord) -> Result | None:
        """Keep a record for the file; the newest version of an id is written.

        Raises:
            TargetError: The disk is full.
        """
        with self._explained():
            is_collected = self._spool.execute(
                "SELECT 1 FROM spool WHERE record_type = ? AND id = ?", record.key
            ).fetchone()
            if (is_collected and record.retried) or (
                not is_collected and self._outcomes.is_settled(record)
            ):
                return None
            if is_collected:
                self._outcomes.statistics.count("merged", record.stream.name)
            is_first = not self._streams
            self._streams[record.stream.name] = record.stream
            if record.retried:
                self._retried[record.key] = record.retried
            _, payload = self._outcomes.request_of(record)
            values = (record.group, payload, record.fingerprint, record.stream.name)
            self._spool.execute(
                "INSERT OR REPLACE INTO spool VALUES (?, ?, ?, ?, ?, ?, 1)",
                (*record.key, *values),
            )
        return self._result if is_first else None

    def overtake(self, key: Key) -> None:
        """Write the collected version, but do not note it: a newer one was rejected."""
        with self._explained():
            query = "UPDATE spool SET is_newest = 0 WHERE record_type = ? AND id = ?"
            self._spool.execute(query, key)

    def stop(self) -> None:
        """Write nothing: what is collected is dropped."""
        self._is_stopped = True

    def wait(self, _seconds: Callable[[], float]) -> bool:
        """Return at once: no request is ever on its way."""
        return True

    def drain(self) -> None:
        """Write the files; no record counts as delivered before its file is complete."""
        if self._is_stopped:
            return
        found = self._spool.execute("SELECT DISTINCT file FROM spool ORDER BY file")
        groups = [group for (group,) in found]
        try:
            for group in groups:
                self._write(group)
            for group in groups:
                self._fs.mv(self._partial(group), self._final(group))
        except Exception as error:  # noqa: BLE001  (each object store has errors of its own)
            self._withdraw(groups)
            self.failure = FileOutputError(cause=type(error).__name__)
            return
        self._tidy()
        query = "SELECT stream, record_type, id, payload, fingerprint FROM spool WHERE is_newest"
        for stream, record_type, record_id, *content in self._spool.execute(query):
            record = PendingRecord(self._streams[stream], (record_type, record_id), {}, *content)
            record.retried = self._retried.get(record.key)
            self._outcomes.accepted(record)
        self._result.is_done = True

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise SpoolError(cause=error) from None

    def _partial(self, group: str) -> str:
        return f"{self._root}/{_PARTIAL}/{group}-{self._name}"

    def _final(self, group: str) -> str:
        return f"{self._root}/{group}/{self._name}"

    def _write(self, group: str) -> None:
        if isinstance(self._fs, LocalFileSystem):  # a missing bucket must not be created
            for path in (self._partial(group), self._final(group)):
                self._fs.makedirs(path.rpartition("/")[0], exist_ok=True)
        with self._fs.open(self._partial(group), "wb") as file:
            self._write_file(file, group.partition("-")[0], self._batches(group))

    def _withdraw(self, groups: list[str]) -> None:
        """Remove the files that exist already: the next run writes all of them again."""
        for group in groups:
            for path in (self._partial(group), self._final(group)):
                with suppress(Exception):
                    self._fs.rm(path)
        self._tidy()

    def _tidy(self) -> None:
        if isinstance(self._fs, LocalFileSystem):
            with suppress(OSError):  # another run writes there
                self._fs.rmdir(f"{self._root}/{_PARTIAL}")

    def _batches(self, group: str) -> Iterator[list[bytes]]:
        query = "SELECT payload FROM spool WHERE file = ?"
        with closing(self._spool.execute(query, (group,))) as found:
            while batch := found.fetchmany(_ROWS_AT_A_TIME):
                yield [payload for (payload,) in batch]
