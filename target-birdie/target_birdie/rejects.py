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
        moment = datetime.now(UTC).isoformat(timespec="microseconds")
        line = json.dumps({"at": moment, **entry}, default=str).encode() + b"\n"
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
        handle = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            if (size := os.fstat(handle).st_size) and os.pread(handle, 1, size - 1) != b"\n":
                line = b"\n" + line
            os.write(handle, line)
            os.fsync(handle)
            return self.path.exists() and os.path.samestat(os.fstat(handle), self.path.stat())
        finally:
            os.close(handle)


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
