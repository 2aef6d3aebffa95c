"""Where the records of a list stand, as far as it was read without a gap.

Page numbers are counted from a filter's first record. So they can be compared with what was seen:
whether records lie between that no page has shown, and whether any came or went meanwhile.

Pure: no HTTP, no clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Generic, Literal

from tap_wootric.pages import PageRequest, RecordT


class Places(Generic[RecordT]):
    """Records in the order in which they became known, and the marks to count pages from.

    A position counts the records before it. A mark is a second at which a filter can begin, with
    the position of its first record: `since` of an ascending page, `until` of a descending one.
    A stray is a record that became known later than others behind it; its position tells nothing.
    """

    def __init__(self, order: Literal["asc", "desc"]) -> None:
        self.length = 0
        self.positions: dict[object, int] = {}
        self.marks: dict[int | None, int] = {}
        self.is_shuffled = False
        """Whether known records have changed places, as those of equal times may."""

        self._order = order
        self._seconds: dict[object, int] = {}
        self._strays: set[object] = set()
        self._unshown: dict[int | None, int] = {}
        self._edge: int | None = None

    def mark(self, page: PageRequest) -> int | None:
        """The mark from which the page's number is counted."""
        return page.since if self._order == "asc" else page.until

    def begins_known(self, records: Sequence[RecordT]) -> bool:
        """Whether the first of the records is known, so that they follow what is known."""
        return bool(records) and records[0].version in self.positions

    def unknown(self, records: Sequence[RecordT]) -> list[RecordT]:
        """Those of the records that are new."""
        return [record for record in records if record.version not in self.positions]

    def compare(self, records: Sequence[RecordT]) -> None:
        """Note when records that are known have changed places."""
        known = (r.version for r in records if r.version in self.positions)
        positions = [self.positions[version] for version in known if version not in self._strays]
        self.is_shuffled |= any(a > b for a, b in pairwise(positions))

    def strays(
        self, page: PageRequest, records: Sequence[RecordT], *, is_again: bool
    ) -> set[object]:
        """Which records that are new do not come at the end of what is known.

        Args:
            page: What was asked for.
            records: The answer.
            is_again: Whether the page only repeats what was read before.
        """
        reach = self.marks[self.mark(page)] + (page.number - 1) * page.size + len(records)
        end = len(records) if is_again or reach <= self.length else 0
        for i, record in enumerate(records):
            if record.version in self.positions:
                end = max(end, i)
        return {record.version for record in self.unknown(records[:end])}

    def append(
        self, fresh: Sequence[RecordT], strays: set[object] | None = None
    ) -> dict[int | None, int]:
        """Add records at the end; returns the marks that they make."""
        self._strays |= strays or set()
        new_marks: dict[int | None, int] = {}
        for record in fresh:
            if record.version in self._strays:
                self._move_marks(record.second)
            else:
                if self._order == "asc" and record.second not in self.marks:
                    new_marks.setdefault(record.second, self.length)
                self._edge = record.second
            self.positions[record.version] = self.length
            self._seconds[record.version] = record.second
            self.length += 1
        return new_marks

    def _move_marks(self, second: int) -> None:
        """A record in front of a mark is known now: so many more lie before it."""
        for mark in self.marks:
            if mark is not None:
                is_before = second < mark if self._order == "asc" else second >= mark
                self.marks[mark] += is_before

    def unseen(self, page: PageRequest, records: Sequence[RecordT]) -> int:
        """How many more records lie between the page's mark and its end than are known.

        Of the second in which the page ends, more may be known than lie before its end.
        """
        if page.number == 1 or not records:
            return 0
        mark = self.mark(page)
        told = (page.number - 1) * page.size - self._unshown.get(mark, 0)
        last = records[-1].second
        before = sum(record.second != last for record in records)
        known = self._seconds.values()
        if self._order == "asc":
            seconds = [second for second in known if mark is None or second >= mark]
            known_before = sum(second < last for second in seconds)
        else:
            seconds = [second for second in known if mark is None or second < mark]
            known_before = sum(second > last for second in seconds)
        unseen = told + len(records) - len(seconds)
        return max(unseen, told + before - known_before) if before else unseen

    def give_up(self, page: PageRequest, records: Sequence[RecordT]) -> None:
        """Count from now on without the records that page numbers tell of and none has shown."""
        mark = self.mark(page)
        unseen = max(self.unseen(page, records), 0)
        self.marks = {mark: self.marks[mark]}
        self._unshown = {mark: self._unshown.get(mark, 0) + unseen}

    def correct(self, page: PageRequest, records: Sequence[RecordT], *, is_stuck: bool) -> None:
        """Deletions and insertions behind the walk move a mark; other marks are then unsure.

        Args:
            page: What was asked for.
            records: The answer.
            is_stuck: Whether it is one of several that brought nothing new.
        """
        placed = [
            (self.positions[record.version], i)
            for i, record in enumerate(records)
            if record.version not in self._strays
        ]
        mark = self.mark(page)
        before = (page.number - 1) * page.size
        if self.is_shuffled:
            # Records of equal times in another order tell nothing, save that the walk must move on.
            if not is_stuck or self.marks[mark] + before + len(records) <= self.length:
                return
            placed = []
        # Those that strays came before may all be gone: then the strays are the last known.
        last, index = placed[-1] if placed else (self.length, len(records))
        later = sum(self.positions[version] > last for version in self._strays)
        position = last + later - index - before
        if records and position != self.marks[mark]:
            self.marks = {mark: position}
            if self._order == "asc" and self._edge is not None:
                after = sum(second >= self._edge for second in self._seconds.values())
                self.marks.setdefault(self._edge, self.length - after)

    def leave_mark(self, page: PageRequest) -> None:
        """Count no more from the page's mark when there is a nearer one: too much has moved."""
        mark = self.mark(page)
        if self.marks[mark] < max(self.marks.values()):
            del self.marks[mark]

    def forget(self, reach: int) -> None:
        """Drop what no page can show again, so that memory stays flat.

        Args:
            reach: How many records lie at most between a mark and the end of a page.
        """
        if len(self.positions) < 2 * reach:
            return
        horizon = self.length - reach
        newest = next(reversed(self.marks))
        self.marks = {m: p for m, p in self.marks.items() if p >= horizon or m == newest}
        marks = [mark for mark in self.marks if mark is not None]
        if len(marks) < len(self.marks):
            return
        first, last = min(marks), max(marks)
        is_rising = self._order == "asc"
        self._seconds = {
            version: second
            for version, second in self._seconds.items()
            if (second >= first if is_rising else second < last)
        }
        self.positions = {v: p for v, p in self.positions.items() if v in self._seconds}
        self._strays &= self.positions.keys()
