"""Files instead of requests: one per run and group, complete or not at all.

Records are collected in a temporary database, where a newer version of an id replaces the older
one; the files are written at the end of the run. Columns are text, because the column types that
Birdie's connector expects are not published.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from decimal import Decimal
from importlib.util import find_spec
from typing import IO, Any

from target_birdie import errors
from target_birdie.delivery.checkpoints import Result
from target_birdie.delivery.outcomes import new_batch_id
from target_birdie.delivery.records import Destination, PendingRecord, Row
from target_birdie.delivery.run import DeliveryRun
from target_birdie.mapping import payload
from target_birdie.mapping.mapper import StreamMapper
from target_birdie.mapping.payload import Key

_ROWS_AT_A_TIME = 5_000
_PARTIAL = ".partial"
_SPOOL = """CREATE TABLE spool (record_type TEXT, id TEXT, file TEXT, payload BLOB,
fingerprint BLOB, stream TEXT, is_newest INT, PRIMARY KEY (record_type, id))"""


class FileWriter(Destination):
    """Collects the records of a run and writes them at its end."""

    def __init__(self, run: DeliveryRun) -> None:
        """Prepare the temporary database.

        Raises:
            ConfigError: A library is missing, or `output_path` is invalid.
        """
        import fsspec  # type: ignore[import-untyped]  # noqa: PLC0415  (it is slow)

        self._outcomes = run.outcomes
        self._format = run.settings.destination
        if self._format == "parquet" and not find_spec("pyarrow"):
            needs = {"library": "pyarrow", "extra": "target-birdie[parquet]"}
            raise errors.MissingLibraryError(what="Destination 'parquet'", **needs)
        # A fixed batch_id would replace the files of the last run.
        self._name = f"{new_batch_id()}.{self._format}"
        path = run.settings.output_path.rstrip("/")
        try:
            self._fs, self._root = fsspec.core.url_to_fs(path)
        except (ImportError, ValueError) as error:
            rule = f"cannot be used: {error}"
            raise errors.InvalidSettingError(name="output_path", rule=rule) from None
        # Folders are created on a disk, but not a bucket that is missing.
        self._is_local = "file" in self._fs.protocol
        self._is_stopped = False
        self._result = Result()
        self._streams: dict[str, StreamMapper] = {}
        self._retried: dict[Key, Row] = {}
        self._spool = sqlite3.connect("")
        self._spool.execute(_SPOOL)

    def submit(self, record: PendingRecord) -> Result | None:
        """Keep a record for the file; the newest version of an id is written.

        Raises:
            TargetError: The disk is full.
        """
        query = "SELECT 1 FROM spool WHERE record_type = ? AND id = ?"
        if self._execute(query, record.key).fetchone():
            if record.retried:
                return None
            self._outcomes.statistics.count("merged", record.stream.name)
        elif self._outcomes.is_settled(record):
            return None
        is_first = not self._streams
        self._streams[record.stream.name] = record.stream
        if record.retried:
            self._retried[record.key] = record.retried
        _, body = self._outcomes.request_of(record)
        values = (*record.key, record.group, body, record.fingerprint, record.stream.name)
        self._execute("INSERT OR REPLACE INTO spool VALUES (?, ?, ?, ?, ?, ?, 1)", values)
        return self._result if is_first else None

    def overtake(self, key: Key) -> None:
        """Write the collected version, but do not note it: a newer one was rejected."""
        self._execute("UPDATE spool SET is_newest = 0 WHERE record_type = ? AND id = ?", key)

    def stop(self) -> None:
        """Write nothing: what is collected is dropped."""
        self._is_stopped = True

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
            self._remove(path(group) for group in groups for path in (self._partial, self._final))
            self.failure = errors.FileOutputError(cause=type(error).__name__)
            return
        self._remove([])
        query = "SELECT stream, record_type, id, payload, fingerprint FROM spool WHERE is_newest"
        for stream, record_type, record_id, *content in self._spool.execute(query):
            record = PendingRecord(self._streams[stream], (record_type, record_id), {}, *content)
            record.retried = self._retried.get(record.key)
            self._outcomes.accepted(record)
        self._result.is_done = True

    def _execute(self, query: str, values: Sequence[object] = ()) -> sqlite3.Cursor:
        try:
            return self._spool.execute(query, values)
        except sqlite3.Error as error:
            raise errors.SpoolError(cause=error) from None

    def _partial(self, group: str) -> str:
        return f"{self._root}/{_PARTIAL}/{group}-{self._name}"

    def _final(self, group: str) -> str:
        return f"{self._root}/{group}/{self._name}"

    def _remove(self, paths: Iterable[str]) -> None:
        """Remove files, and the folder of partial ones unless another run writes there."""
        for path in paths:
            with suppress(Exception):
                self._fs.rm(path)
        if self._is_local:
            with suppress(OSError):
                self._fs.rmdir(f"{self._root}/{_PARTIAL}")

    def _write(self, group: str) -> None:
        if self._is_local:
            for path in (self._partial(group), self._final(group)):
                self._fs.makedirs(path.rpartition("/")[0], exist_ok=True)
        with self._fs.open(self._partial(group), "wb") as file:
            if self._format == "jsonl":
                for bodies in self._batches(group):
                    file.writelines(body + b"\n" for body in bodies)
            else:
                _write_parquet(file, group.partition("-")[0], self._batches(group))

    def _batches(self, group: str) -> Iterator[list[bytes]]:
        query = "SELECT payload FROM spool WHERE file = ?"
        with closing(self._spool.execute(query, (group,))) as found:
            while batch := found.fetchmany(_ROWS_AT_A_TIME):
                yield [body for (body,) in batch]


def _write_parquet(file: IO[bytes], record_type: str, batches: Iterator[list[bytes]]) -> None:
    import pyarrow as pa  # type: ignore[import-untyped]  # noqa: PLC0415
    import pyarrow.parquet as pq  # type: ignore[import-untyped]  # noqa: PLC0415

    schema = pa.schema([(name, pa.string()) for name in payload.columns(record_type)])
    with pq.ParquetWriter(file, schema, compression="snappy") as opened:
        for bodies in batches:
            rows = [payload.flatten(json.loads(body, parse_float=Decimal)) for body in bodies]
            texts = [{name: _text(value) for name, value in row.items()} for row in rows]
            opened.write_table(pa.Table.from_pylist(texts, schema=schema))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else payload.encode(value).decode()
