"""Which of the records that a sync meets are new or changed since an earlier sync sent them.

Pure: no HTTP, no clock. All times are UNIX seconds in UTC.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from tap_wootric.coverage import Coverage

MAX_SEEN = 10_000
"""Records remembered by name between syncs; beyond it some may be sent once more."""


class Row(NamedTuple):
    """A record with the second of its replication key and that of its last change.

    `version` is its id and that second: a record that moves on the time axis counts as another.
    """

    version: tuple[object, int]
    second: int
    updated: int
    record: dict[str, Any]

    @property
    def id(self) -> object:
        """What the API calls the record."""
        return self.version[0]

    @property
    def edge(self) -> int:
        """The later of the two: a sync that knows all before it knows this record."""
        return max(self.second, self.updated)


class Changes:
    """Tells new and changed records from unchanged ones.

    A record that an earlier sync read is unchanged when it was last updated before the moment as
    of which that sync knew it. Close to that moment times alone can't tell, so what was seen there
    is remembered: by its update time where no more changes can come in that second, by its content
    where they can.
    """

    def __init__(
        self,
        coverage: Coverage,
        seen: Iterable[str],
        settled: int,
        highest_id: int | None = None,
    ) -> None:
        """Start a sync.

        Args:
            coverage: What earlier syncs have read.
            seen: Marks of records sent near its edge, as `seen` returned them.
            settled: Moment before which no second can receive another change; it may be raised.
            highest_id: That of all records sent so far; None where it is not known.
        """
        self.newest: int | None = None
        self.changed = 0
        self.highest_id = highest_id if coverage.spans else 0
        self._highest_before = highest_id
        self._before = Coverage(coverage.spans)
        self._seen = {mark.rpartition("@")[0]: mark for mark in seen}
        self.settled = settled
        self._sent_again: dict[str, str] = {}
        self._imported: dict[str, str] = {}
        self._recent: dict[str, str] = {}
        self._boundary: dict[str, str] = {}
        self._second: int | None = None

    def is_new(self, row: Row) -> bool:
        """Whether to send the record; takes note of it."""
        as_of = self._before.as_of(row.second)
        is_old = as_of is not None and row.updated < as_of
        if is_old and not self._is_unheard_of(row):
            return False
        name = str(row.id)
        mark = _time_mark(row) if row.updated < self.settled else _content_mark(row)
        before = self._sent_again.get(name) or self._seen.get(name)
        is_unchanged = before is not None and before in {_time_mark(row), _content_mark(row)}
        self._note(name, mark, row)
        if as_of is not None and self._is_unheard_of(row):
            self._imported[name] = mark
        if as_of is not None and not is_unchanged:
            self.changed += 1
            self._sent_again[name] = mark
        return not is_unchanged

    def _is_unheard_of(self, row: Row) -> bool:
        """Whether it was imported since, with the times of long ago."""
        highest = self._highest_before
        return highest is not None and isinstance(row.id, int) and row.id > highest

    def _note(self, name: str, mark: str, row: Row) -> None:
        # One of a lower id that came while the sync runs may lie behind the walk.
        is_settled = row.updated < self.settled
        if is_settled and self.highest_id is not None and isinstance(row.id, int):
            self.highest_id = max(self.highest_id, row.id)
        if self._second is None or row.second > self._second:
            self._boundary.clear()
            self._second = row.second
        self._boundary[name] = mark
        edge = row.edge
        if edge >= self.settled:
            self._recent[name] = mark
        if self.newest is None or edge > self.newest:
            self.newest = edge

    def seen(self, coverage: Coverage | None = None) -> list[str]:
        """Marks to keep for the next sync.

        Args:
            coverage: What is covered after a complete sync; None where it is not complete.
        """
        if coverage is None:
            kept = {**self._seen, **self._imported, **self._recent, **self._boundary}
        else:
            before = {n: mark for n, mark in self._seen.items() if _is_needed(mark, coverage)}
            kept = {**before, **self._recent}
        return list(kept.values())[-MAX_SEEN:]

    def as_of(self) -> int | None:
        """As of when a complete sync knows what it has read; None when it met nothing new.

        Up to the newest second it met, and at most the moment before which seconds are settled: a
        change made while it ran may lie in a part that it had already read.
        """
        return None if self.newest is None else min(self.newest + 1, self.settled)


def _time_mark(row: Row) -> str:
    times = f"{row.updated}" if row.updated == row.second else f"{row.second},{row.updated}"
    return f"{row.id}@{times}"


def _content_mark(row: Row) -> str:
    text = json.dumps(row.record, sort_keys=True, default=str)
    return f"{_time_mark(row)}#{hashlib.blake2b(text.encode(), digest_size=9).hexdigest()}"


def _is_needed(mark: str, coverage: Coverage) -> bool:
    """Whether the times of a record do not tell that it was sent."""
    second, _, updated = mark.rpartition("@")[2].partition("#")[0].partition(",")
    try:
        as_of = coverage.as_of(int(second))
        return as_of is None or int(updated or second) >= as_of
    except ValueError:
        return False
