"""Which page extends a gapless stretch of records furthest, without trusting page numbers.

Page numbers shift when a record is deleted or added in front of them, so every page after a
filter's first must begin with a record that is already known: then nothing has slipped through
between two pages. And page numbers must not tell of more records than were seen: then none was
passed over by an order of equal times that differs from one request to the next.

Pure: no HTTP, no clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from math import ceil
from typing import Generic, Literal, NamedTuple

from tap_wootric.pages import MAX_PAGE, PageRequest, PageSize, RecordT

MAX_BARREN = 300
"""How many pages in a row may bring nothing new before a second is given up."""

MAX_ROUNDS = 20
"""How often pages are read again for records that page numbers tell of and none has shown."""

MAX_ALL_ROUNDS = 60
"""The same for all of a stretch, so that it ends whatever the order does."""

MARKS_TRIED = 100
"""How many places to begin a page at are compared; one of the latest nearly always fits."""


class _Window(NamedTuple):
    """A page as positions in a stretch: `start` is where it is expected to begin."""

    start: int
    size: int
    number: int
    mark: int | None

    @property
    def end(self) -> int:
        return self.start + self.size


class Stretch(Generic[RecordT]):
    """Records read in one direction without a gap, and the pages that can extend them.

    A record's position counts the records of the stretch before it. A mark is a second at which
    a filter can begin, with its position: `since` of an ascending page, `until` of a descending
    one.
    """

    def __init__(
        self,
        page_size: PageSize,
        since: int | None,
        until: int | None,
        order: Literal["asc", "desc"] = "asc",
        beyond: Sequence[RecordT] = (),
    ) -> None:
        """Start before the first record of `since <= second < until`.

        Args:
            page_size: Shared by all stretches of a run.
            since: First UNIX second.
            until: UNIX second at which to end.
            order: The direction.
            beyond: For a descending stretch the records that follow it, ascending: page numbers
                can be counted from any of them.
        """
        self.length = 0
        self.positions: dict[object, int] = {}
        self.unsure: list[int] = []
        """Seconds of which some records were not shown, however often they were asked for."""

        self._page_size = page_size
        self._since = since
        self._until = until
        self._order: Literal["asc", "desc"] = order
        self._marks: dict[int | None, int] = {}
        self._seconds: dict[object, int] = {}
        self._missing: dict[int | None, int] = {}
        self._overlap = 1
        self._barren = 0
        self._rounds = 0
        self._all_rounds = 0
        self._is_shuffled = False
        self._misplaced: set[object] = set()
        self._edge: int | None = None
        self._again: list[PageRequest] = []
        self._held: list[RecordT] = []
        for record in reversed(beyond):
            self._append([record])
            self._marks[record.second] = self.length
        self._marks[since if order == "asc" else until] = self.length

    def shorten(self, until: int) -> None:
        """Let the pages still to come end at `until`."""
        self._until = until

    def next_page(self) -> PageRequest | None:
        """Choose the page that reaches furthest; None when no page number does."""
        if self._again:
            again = self._again[-1]
            return again._replace(until=self._until) if self._order == "asc" else again
        window = self._furthest(self._page_size.full)
        for size in range(self._page_size.full - 1, 0, -1):
            if window.end - self.length >= size:
                break
            window = max(window, self._furthest(size), key=lambda w: w.end)
        is_reached = window.end <= self.length and self._overlap == 1
        if is_reached or self._barren > MAX_BARREN:
            return None
        is_rising = self._order == "asc"
        since, until = (window.mark, self._until) if is_rising else (self._since, window.mark)
        return PageRequest(since, until, window.number, window.size, self._order)

    def extend(self, page: PageRequest, records: Sequence[RecordT]) -> list[RecordT] | None:
        """Add a page; returns the records that are new, or None when more must be read first.

        That is when the page was found shifted, and while pages are read again.
        """
        fresh = [record for record in records if record.version not in self.positions]
        misplaced = self._out_of_place(page, records)
        self._note_places(records)
        is_gapless = page.number == 1 or (records and records[0].version in self.positions)
        is_again = bool(self._again)
        if is_again:
            self._again.pop()
        # Read again, all before a known record is known: it joins what follows in the page.
        is_joined = is_gapless or (is_again and len(fresh) < len(records))
        if not is_joined and self._barren < MAX_BARREN:
            if not self._again:
                self._step_back(page, records)
            return None
        if not is_joined:
            self.unsure += [record.second for record in records[:1]]
        self._misplaced |= misplaced
        new_marks = self._append(fresh)
        self._held += fresh
        is_whole = is_gapless and self._unseen(page, records) <= 0
        if self._again or (not is_whole and self._read_again(page, records)):
            return None
        self._overlap, self._rounds = 1, 0
        self._barren = 0 if self._held else self._barren + 1
        self._correct(page, records)
        self._marks |= new_marks
        self._forget()
        held, self._held = self._held, []
        return sorted(held, key=lambda record: record.second, reverse=self._order == "desc")

    def _step_back(self, page: PageRequest, records: Sequence[RecordT]) -> None:
        is_unsteady = self._is_shuffled and self._barren
        if not (is_unsteady and self._read_again(page, records)):
            self._overlap = min(self._overlap * 4, max(self.length, 1))
        self._barren += 1

    def _note_places(self, records: Sequence[RecordT]) -> None:
        """Note when records that are known have changed places."""
        versions = (r.version for r in records if r.version in self.positions)
        placed = [self.positions[version] for version in versions if version not in self._misplaced]
        self._is_shuffled |= any(a > b for a, b in pairwise(placed))

    def _out_of_place(self, page: PageRequest, records: Sequence[RecordT]) -> set[object]:
        """Which records that are new do not come at the end of what is known."""
        reach = self._marks[self._mark(page)] + (page.number - 1) * page.size + len(records)
        end = len(records) if self._again or reach <= self.length else 0
        for i, record in enumerate(records):
            if record.version in self.positions:
                end = max(end, i)
        return {
            record.version
            for i, record in enumerate(records)
            if record.version not in self.positions and (i < end or self._is_before_edge(record))
        }

    def _is_before_edge(self, record: RecordT) -> bool:
        if self._edge is None:
            return False
        if self._order == "asc":
            return record.second < self._edge
        return record.second > self._edge

    def _mark(self, page: PageRequest) -> int | None:
        return page.since if self._order == "asc" else page.until

    def _windows(self, size: int) -> Iterator[_Window]:
        """The furthest page after each mark that still begins within what is known."""
        wanted = max(self.length - self._overlap, 0)
        for mark, position in islice(reversed(self._marks.items()), MARKS_TRIED):
            ahead = max(wanted - position, 0) if wanted else 0
            number = min(ahead // size + 1, MAX_PAGE)
            yield _Window(position + (number - 1) * size, size, number, mark)

    def _furthest(self, size: int) -> _Window:
        best = None
        for window in self._windows(size):
            if best is None or window.start > best.start:
                best = window
            if window.start >= self.length - self._overlap:
                break
        return best or _Window(0, size, 1, None)

    def _append(self, fresh: Sequence[RecordT]) -> dict[int | None, int]:
        new_marks: dict[int | None, int] = {}
        for record in fresh:
            if record.version in self._misplaced:
                self._move_marks(record.second)
            else:
                if self._order == "asc" and record.second not in self._marks:
                    new_marks.setdefault(record.second, self.length)
                self._edge = record.second
            self.positions[record.version] = self.length
            self._seconds[record.version] = record.second
            self.length += 1
        return new_marks

    def _move_marks(self, second: int) -> None:
        """A record in front of a mark is known now: so many more lie before it."""
        for mark in self._marks:
            if mark is not None:
                is_before = second < mark if self._order == "asc" else second >= mark
                self._marks[mark] += is_before

    def _unseen(self, page: PageRequest, records: Sequence[RecordT]) -> int:
        """How many more records lie between the page's mark and its end than are known.

        Of the second in which the page ends, more may be known than lie before its end.
        """
        if page.number == 1 or not records:
            return 0
        told = (page.number - 1) * page.size - self._missing.get(self._mark(page), 0)
        last = records[-1].second
        before = sum(record.second != last for record in records)
        known = self._seconds.values()
        if self._order == "asc":
            seconds = [s for s in known if page.since is None or s >= page.since]
            known_before = sum(s < last for s in seconds)
        else:
            seconds = [s for s in known if page.until is None or s < page.until]
            known_before = sum(s > last for s in seconds)
        unseen = told + len(records) - len(seconds)
        return max(unseen, told + before - known_before) if before else unseen

    def _read_again(self, page: PageRequest, records: Sequence[RecordT]) -> bool:
        """Have the pages before this one read again, in other sizes, then this one.

        Returns False when that has been of no use.
        """
        reach = (page.number - 1) * page.size
        is_spent = self._rounds == MAX_ROUNDS or self._all_rounds == MAX_ALL_ROUNDS
        if is_spent or (self._rounds and not self._is_shuffled):
            if self._is_shuffled:  # else they were added meanwhile, behind the walk
                self.unsure += [record.second for record in records[:1]]
            mark = self._mark(page)
            self._marks = {mark: self._marks[mark]}
            unseen = max(self._unseen(page, records), 0)
            self._missing = {mark: self._missing.get(mark, 0) + unseen}
            return False
        self._rounds += 1
        self._all_rounds += 1
        size = max(self._page_size.full - self._rounds, ceil(reach / MAX_PAGE), 1)
        numbers = range(ceil(reach / size), 0, -1)
        last = page if records else page._replace(number=page.number - 1)
        self._again = [last, *(page._replace(number=n, size=size) for n in numbers)]
        return True

    def _correct(self, page: PageRequest, records: Sequence[RecordT]) -> None:
        """Deletions and insertions behind the walk move a mark; other marks are then unsure."""
        placed = [
            (self.positions[record.version], i)
            for i, record in enumerate(records)
            if record.version not in self._misplaced
        ]
        if self._is_shuffled or not placed:
            return  # records of equal times in another order tell nothing
        last, index = placed[-1]
        later = sum(self.positions[version] > last for version in self._misplaced)
        position = last + later - index - (page.number - 1) * page.size
        mark = self._mark(page)
        if position != self._marks[mark]:
            self._marks = {mark: position}
            if self._order == "asc" and self._edge is not None:
                after = sum(second >= self._edge for second in self._seconds.values())
                self._marks.setdefault(self._edge, self.length - after)

    def _forget(self) -> None:
        """Drop what no page number can reach any more, so that memory stays flat."""
        reach = (MAX_PAGE + 1) * self._page_size.full
        if len(self.positions) < 2 * reach:
            return
        horizon = self.length - reach
        self.positions = {v: p for v, p in self.positions.items() if p >= horizon}
        self._seconds = {v: s for v, s in self._seconds.items() if v in self.positions}
        self._misplaced &= self.positions.keys()
        newest = next(reversed(self._marks))
        self._marks = {m: p for m, p in self._marks.items() if p >= horizon or m == newest}
