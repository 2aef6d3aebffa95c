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


MAX_BULK = 1_000
"""Records that may share the newest second and yet be remembered each."""


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
        self._seen = {mark.rpartition("@")[0] or mark.rpartition("#")[0]: mark for mark in seen}
        self.settled = settled
        self._sent_again: dict[str, str] = {}
        self._imported: dict[str, str] = {}
        self._recent: dict[str, str] = {}
        self._newest: dict[str, str] = {}
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
        if is_old:
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
        if self.highest_id is not None and isinstance(row.id, int):
            self.highest_id = max(self.highest_id, row.id)
        if self._second is None or row.second > self._second:
            self._boundary.clear()
            self._second = row.second
        self._boundary[name] = mark
        edge = row.edge
        if edge >= self.settled:
            self._recent[name] = mark
        if self.newest is None or edge > self.newest:
            self._newest.clear()
            self.newest = edge
        if edge == self.newest:
            self._newest[name] = mark

    def seen(self, *, is_complete: bool) -> list[str]:
        """Marks to keep for the next sync."""
        is_bulk = len(self._newest) > MAX_BULK
        kept = {**({} if is_bulk else self._newest), **self._recent}
        if not is_complete:
            kept = {**self._seen, **self._imported, **kept, **self._boundary}
        elif self.newest is None:
            kept = self._seen
        return list(kept.values())[-MAX_SEEN:]

    def as_of(self) -> int | None:
        """As of when a complete sync knows what it has read; None when it met nothing new.

        The newest second it met, and at most the moment before which seconds are settled: a change
        made while it ran may lie in a part that it had already read. After a bulk update too many
        records share the newest second to remember each: once settled, it counts as known.
        """
        if self.newest is None:
            return None
        is_bulk = len(self._newest) > MAX_BULK
        return min(self.newest + is_bulk, self.settled)


def _time_mark(row: Row) -> str:
    return f"{row.id}@{row.updated}"


def _content_mark(row: Row) -> str:
    text = json.dumps(row.record, sort_keys=True, default=str)
    return f"{row.id}#{hashlib.blake2b(text.encode(), digest_size=9).hexdigest()}"
