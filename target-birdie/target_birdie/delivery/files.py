"""Files instead of requests: one per run and group, complete or not at all.

Records are collected in a temporary database, where a newer version of an id replaces the older
one; the files are written at the end of the run. Columns are text, because the column types that
Birdie's connector expects are not published.
"""

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from target_birdie import errors
from target_birdie.delivery.checkpoints import Result
from target_birdie.delivery.outcomes import new_batch_id
from target_birdie.delivery.records import Destination, PendingRecord, Row
from target_birdie.delivery.run import DeliveryRun
from target_birdie.mapping import payload
from target_birdie.mapping.mapper import StreamMapper
from target_birdie.mapping.payload import Key

_ROWS_AT_A_TIME = 5_000
_SPOOL = """CREATE TABLE spool (record_type TEXT, id TEXT, file TEXT, payload BLOB,
fingerprint BLOB, stream TEXT, is_newest INT, PRIMARY KEY (record_type, id))"""


class FileWriter(Destination):
    """Collects the records of a run and writes them at its end."""

    def __init__(self, run: DeliveryRun) -> None:
        """Prepare the temporary database.

        Raises:
            TargetError: A library is missing, or `output_path` is invalid.
        """
        import fsspec  # type: ignore[import-untyped]  # noqa: PLC0415  (it is slow)

        self._run, self._outcomes = run, run.outcomes
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
        is_collected = self._execute(query, record.key).fetchone() is not None
        if is_collected and record.error:  # it is written, but not noted as the newest version
            query = "UPDATE spool SET is_newest = 0 WHERE record_type = ? AND id = ?"
            self._execute(query, record.key)
        if is_collected and record.retried:
            return None
        if (record.error or not is_collected) and self._outcomes.is_settled(record):
            return None
        if is_collected:
            self._outcomes.statistics.count("merged", record.stream.name)
        is_first = not self._streams
        self._streams[record.stream.name] = record.stream
        if record.retried:
            self._retried[record.key] = record.retried
        _, body = self._outcomes.request_of(record)
        values = (*record.key, record.group, body, record.fingerprint, record.stream.name)
        self._execute("INSERT OR REPLACE INTO spool VALUES (?, ?, ?, ?, ?, ?, 1)", values)
        return self._result if is_first else None

    def drain(self) -> None:
        """Write the files, then count their records as delivered; if stopped, write nothing."""
        if self._run.is_stopped:
            return
        groups = [group for (group,) in self._spool.execute("SELECT DISTINCT file FROM spool")]
        try:
            self._write(groups)
        except Exception as error:  # noqa: BLE001  (each object store has errors of its own)
            for group in groups:
                with suppress(Exception):
                    self._fs.rm(f"{self._root}/{group}/{self._name}")
            raise errors.FileOutputError(cause=type(error).__name__) from None
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

    def _write(self, groups: Collection[str]) -> None:
        """Write all files, then move or upload them: each appears at once."""
        for group in groups if self._is_local else ():
            self._fs.makedirs(f"{self._root}/{group}", exist_ok=True)
        place = self._root if groups and self._is_local else None  # a move must stay on its disk
        with TemporaryDirectory(prefix=".partial-", dir=place) as folder:
            for group in groups:
                query = "SELECT payload FROM spool WHERE file = ?"
                bodies = (body for (body,) in self._spool.execute(query, (group,)))
                if self._format == "parquet":
                    _write_parquet(f"{folder}/{group}", group.partition("-")[0], bodies)
                else:
                    with Path(folder, group).open("wb") as file:
                        file.writelines(body + b"\n" for body in bodies)
            publish = self._fs.mv if self._is_local else self._fs.put_file
            for group in groups:
                publish(f"{folder}/{group}", f"{self._root}/{group}/{self._name}")


def _write_parquet(path: str, record_type: str, bodies: Iterator[bytes]) -> None:
    import pyarrow as pa  # type: ignore[import-untyped]  # noqa: PLC0415
    import pyarrow.parquet as pq  # type: ignore[import-untyped]  # noqa: PLC0415

    schema = pa.schema([(name, pa.string()) for name in payload.COLUMNS[record_type]])
    with pq.ParquetWriter(path, schema) as file:
        while rows := [payload.flatten(body) for body in islice(bodies, _ROWS_AT_A_TIME)]:
            file.write_table(pa.Table.from_pylist(rows, schema=schema))
