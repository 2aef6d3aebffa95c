"""The rejects file: what was refused, why, and enough to send it again."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from threading import Lock
from typing import Any

from target_birdie.config.settings import Settings
from target_birdie.errors import ConfigError, TargetError
from target_birdie.jobs import Job
from target_birdie.mapping.payload import Key, encode
from target_birdie.report import Report

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
        types = {stream: entry["record_type"] for stream, entry in settings.streams.items()}
        self.file = RejectsFile(settings.rejects_path, types)
        self.limited = True
        if not settings.dry_run:
            self.file.open()

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
            entry = {
                "at": job.rejected_at or datetime.now(UTC).isoformat(),
                "stream": job.stream,
                "id": record_id,
                "reason": reason,
                "detail": detail,
                "record": job.mapping.redacted(job.record) or {},
            }
            self._forget(self.file.add(entry, job.key, max(job.numbers)))
        self._report.rejected(job.stream, record_id, reason)
        self._check_number()

    def supersede(self, job: Job) -> None:
        """Let a version that was refused before this one leave the file, with the next state."""
        self.settle(job.key, max(job.numbers))

    def settle(self, key: Key, number: int) -> None:
        """Let what was refused of a record before this place in the run leave the file."""
        self._forget(self.file.supersede(key, number))

    def _forget(self, number: int) -> None:
        if number:
            self._report.count("superseded")

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
    """JSON lines, readable by their owner alone; a line is on disk when `add` returns.

    Of each id the newest refused version stands in it, until a newer one is settled.
    """

    def __init__(self, path: str, record_types: Mapping[str, str]) -> None:
        """Check that the file can be written, without creating it.

        Args:
            path: The file.
            record_types: What the records of a stream become, as ids are known by it.

        Raises:
            ConfigError: The folder is missing or not writable.
        """
        self.path = Path(path).resolve()
        self.taken = self.path.with_name(self.path.name + ".replaying")
        self._types = record_types
        self._lock = Lock()
        self._standing: dict[Key, int] = {}
        self._outdated: Counter[Key] = Counter()
        place = self.path if self.path.exists() else self.path.parent
        if self.path.is_dir() or not os.access(place, os.W_OK):
            raise ConfigError(f"rejects_path cannot be written: {path}; name a file you may write")

    def open(self) -> None:
        """Learn which records stand in the file, and in what a killed replay has left.

        Raises:
            TargetError: The disk refuses.
        """
        for _, entry in self._lines():
            if key := self._key(entry):
                self._outdated[key] += key in self._standing
                self._standing[key] = 0
        self.tidy(always=self.taken.exists())

    def take(self) -> bool:
        """Move the file to where a replay reads it; False when there is none."""
        if not self.path.is_file():
            return False
        self.path.rename(self.taken)
        sync(self.path.parent)
        self._standing.clear()
        return True

    def add(self, entry: dict[str, Any], key: Key, number: int) -> int:
        """Append an entry and wait until it is on disk.

        Args:
            entry: The entry.
            key: Type and id of the record; an empty id stands for none.
            number: The place of the record in the run: of two versions the higher is the newer.

        Returns:
            The place in the run of a refused version that does not stand any more; 0 for none.

        Raises:
            TargetError: The disk refuses.
        """
        with self._lock:
            if self._standing.get(key, 0) > number:
                return number
            self.add_line(encode(entry) + b"\n")
            older = self._outdate(key, number)
            if key[1] and self.path.is_file():
                self._standing[key] = number
            return older

    def supersede(self, key: Key, number: int) -> int:
        """Note that Birdie has a version of a record; what was refused before leaves the file.

        Returns:
            The place in the run of that refused version; 0 for none, and for an earlier run.
        """
        with self._lock:
            return self._outdate(key, number)

    def _outdate(self, key: Key, number: int) -> int:
        if self._standing.get(key, number) >= number:
            return 0
        self._outdated[key] += 1
        return self._standing.pop(key)

    def tidy(self, *, always: bool = False) -> None:
        """Write the file anew without what is outdated, when something is.

        Raises:
            TargetError: The disk refuses.
        """
        with self._lock:
            self._outdated = +self._outdated
            if not self._outdated and not always:
                return
            new = self.path.with_name(self.path.name + ".new")
            try:
                with open(new, "wb", opener=_private) as file:
                    file.writelines(self._current())
                    file.flush()
                    os.fsync(file.fileno())
                new.replace(self.path) if new.stat().st_size else self.path.unlink(missing_ok=True)
                new.unlink(missing_ok=True)
                self.taken.unlink(missing_ok=True)
                sync(self.path.parent)
            except OSError as error:
                raise self._unwritable(error) from None
            self._outdated.clear()

    def _current(self) -> Iterator[bytes]:
        for line, entry in self._lines():
            key = self._key(entry)
            if key and self._outdated[key]:
                self._outdated[key] -= 1
            else:
                yield line.rstrip(b"\n") + b"\n"

    def _lines(self) -> Iterator[tuple[bytes, dict[str, Any] | None]]:
        for path in (self.taken, self.path):
            if path.is_file():  # no device
                yield from entries(path)

    def _key(self, entry: Mapping[str, Any] | None) -> Key | None:
        if entry is None or not isinstance(entry.get("id"), str) or not entry["id"]:
            return None
        return self._types.get(entry["stream"], ""), entry["id"]

    def add_line(self, line: bytes) -> None:
        """Append a line as it is and wait until it is on disk.

        Raises:
            TargetError: The disk refuses.
        """
        try:
            while not self._append(line):
                pass
        except OSError as error:
            raise self._unwritable(error) from None

    def _unwritable(self, error: OSError) -> TargetError:
        return TargetError(f"the rejects file {self.path} cannot be written: {error.strerror}")

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


def sync(folder: Path) -> None:
    """Bring the names in a folder to disk."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def entries(path: Path) -> Iterator[tuple[bytes, dict[str, Any] | None]]:
    """Yield each line of a rejects file with what it says; None where it cannot be read."""
    with path.open("rb") as lines:
        for line in lines:
            try:
                entry = json.loads(line, parse_float=Decimal)
            except ValueError:
                entry = None
            if line.strip():
                yield line, entry if _is_reject(entry) else None


def _is_reject(entry: object) -> bool:
    wanted = {"at": str, "stream": str, "record": dict}
    return isinstance(entry, dict) and all(
        isinstance(entry.get(name), kind) for name, kind in wanted.items()
    )
