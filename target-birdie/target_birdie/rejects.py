"""The rejects file: what was refused, why, and enough to send it again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

from target_birdie.errors import ConfigError, TargetError
from target_birdie.report import Report
from target_birdie.settings import Settings
from target_birdie.uploader import Job

_SHARE_COUNTS_FROM = 100


class Rejects:
    """Decides what a refused record means for the run."""

    def __init__(self, settings: Settings, report: Report) -> None:
        """Check that the file can be written.

        Raises:
            ConfigError: It cannot.
        """
        self._settings = settings
        self._report = report
        self._file = RejectsFile(settings.rejects_path)
        self.limited = True

    def add(self, job: Job, reason: str, detail: str) -> None:
        """Keep a refused record on disk.

        Args:
            job: The record.
            reason: A word to count by, fit for a log.
            detail: More, for the file alone: it may quote the record.

        Raises:
            TargetError: The settings want the run to end here.
        """
        record_id = job.key[1]
        if self._settings.on_reject == "stop":
            raise TargetError(
                f"{job.stream}: record {record_id} is rejected ({reason}), and on_reject is stop"
            )
        if not self._settings.dry_run:
            self._file.add(
                {
                    "at": job.rejected_at or datetime.now(UTC).isoformat(),
                    "stream": job.stream,
                    "id": record_id,
                    "reason": reason,
                    "detail": detail,
                    "record": job.mapping.redacted(job.record),
                }
            )
        self._report.rejected(job.stream, record_id, reason)
        self._check_number()

    def _check_number(self) -> None:
        read, rejects = self._report["read"], self._report.rejects
        limit, counts = self._settings.max_rejects, True
        if self._settings.max_rejects_is_share:
            limit, counts = limit * read, read >= _SHARE_COUNTS_FROM
        if self.limited and counts and rejects > limit:
            raise TargetError(
                f"{rejects} of {read} records are rejected, more than max_rejects allows: see "
                f"{self._settings.rejects_path} for the reasons, correct the mapping, and send "
                "them with --replay"
            )


class RejectsFile:
    """JSON lines, readable by their owner alone; a line is on disk when `add` returns."""

    def __init__(self, path: str) -> None:
        """Check that the file can be written, without creating it.

        Raises:
            ConfigError: The folder is missing or not writable.
        """
        self.path = Path(path)
        self._lock = Lock()
        place = self.path if self.path.exists() else self.path.absolute().parent
        if self.path.is_dir() or not os.access(place, os.W_OK):
            raise ConfigError(f"rejects_path cannot be written: {path}; name a file you may write")

    def add(self, entry: dict[str, Any]) -> None:
        """Append an entry and wait until it is on disk.

        Raises:
            TargetError: The disk refuses.
        """
        self.add_line(json.dumps(entry, default=str).encode() + b"\n")

    def add_line(self, line: bytes) -> None:
        """Append a line as it is and wait until it is on disk.

        Raises:
            TargetError: The disk refuses.
        """
        try:
            with self._lock:
                while not self._append(line):
                    pass
        except OSError as error:
            raise TargetError(
                f"the rejects file {self.path} cannot be written: {error.strerror}"
            ) from None

    def _append(self, line: bytes) -> bool:
        """Write the line; False when a replay took the file away meanwhile."""
        with open(self.path, "ab+", buffering=0, opener=_private) as file:
            if file.tell():
                file.seek(-1, os.SEEK_END)
                line = line if file.read(1) == b"\n" else b"\n" + line
            file.write(line)
            os.fsync(file.fileno())
            return self.path.exists() and os.path.samestat(
                os.fstat(file.fileno()), self.path.stat()
            )


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def entries(path: Path) -> Iterator[tuple[bytes, dict[str, Any] | None]]:
    """Yield each line of a rejects file with what it says; None where it cannot be read."""
    with path.open("rb") as lines:
        for line in lines:
            try:
                entry = json.loads(line)
            except ValueError:
                entry = None
            readable = isinstance(entry, dict) and {"at", "stream", "record"} <= entry.keys()
            if line.strip():
                yield line, entry if readable else None
