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
from typing import Generic, Literal, NamedTuple, Protocol, TypeVar

MAX_PAGE = 30
"""The last page number that the API serves for one filter."""

MAX_BARREN = 300
"""How many pages in a row may bring nothing new before a second is given up."""

MAX_ROUNDS = 20
"""How often pages are read again for records that page numbers tell of and none has shown."""

MAX_ALL_ROUNDS = 60
"""The same for all of a stretch, so that it ends whatever the order does."""

MARKS_TRIED = 100
"""How many places to begin a page at are compared; one of the latest nearly always fits."""


class PageRequest(NamedTuple):
    """One page of a list: records with `since <= second < until`, in the given order."""

    since: int | None
    until: int | None
    number: int
    size: int
    order: Literal["asc", "desc"] = "asc"


class Placed(Protocol):
    """A record with its place on the walked time axis."""

    @property
    def second(self) -> int:
        """UNIX second of the replication key, as shown."""

    @property
    def version(self) -> object:
        """What tells this record at this place from every other."""


RecordT = TypeVar("RecordT", bound=Placed)


class OrderError(Exception):
    """The pages contradict what was asked for; the text says how."""


class PageSize:
    """How many records a full page holds: as asked, or fewer when the server caps it."""

    def __init__(self, asked: int) -> None:
        """Assume that the server gives what is asked until it shows otherwise."""
        self.full = asked
        self.smallest = 1
        """A page with fewer records is the last one: no server that is known caps so low."""

        self._is_proven = False

    def observe(self, asked: int, got: int) -> None:
        """Take note of a page's length."""
        self._is_proven |= got >= asked == self.full

    def is_last(self, asked: int, got: int) -> bool | None:
        """Whether a page of `got` records is the last one; None when only the next can tell."""
        if got >= min(asked, self.full):
            return False
        return True if self._is_proven or got < self.smallest else None

    def cap(self, got: int) -> None:
        """The server has more, and yet gave only `got` records on a page."""
        self.full = got
        self.smallest = min(self.smallest, got)
        self._is_proven = True


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
    a filter can begin, with its position.
    """

    def __init__(
        self,
        page_size: PageSize,
        since: int | None,
        until: int | None,
        order: Literal["asc", "desc"] = "asc",
    ) -> None:
        """Start empty, before the first record of `since <= second < until`."""
        self.length = 0
        self.positions: dict[object, int] = {}
        self.unsure: list[int] = []
        """Seconds of which some records were not shown, however often they were asked for."""

        self._page_size = page_size
        self._until = until
        self._order: Literal["asc", "desc"] = order
        self._marks: dict[int | None, int] = {since: 0}
        self._seconds: dict[object, int] = {}
        self._missing: dict[int | None, int] = {}
        self._overlap = 1
        self._barren = 0
        self._rounds = 0
        self._all_rounds = 0
        self._is_shuffled = False
        self._misplaced: set[object] = set()
        self._again: list[PageRequest] = []
        self._held: list[RecordT] = []

    def shorten(self, until: int) -> None:
        """Let the pages still to come end at `until`."""
        self._until = until

    def next_page(self) -> PageRequest | None:
        """Choose the page that reaches furthest; None when no page number does."""
        if self._again:
            return self._again[-1]._replace(until=self._until)
        window = self._furthest(self._page_size.full)
        for size in range(self._page_size.full - 1, 0, -1):
            if window.end - self.length >= size:
                break
            window = max(window, self._furthest(size), key=lambda w: w.end)
        is_reached = window.end <= self.length and self._overlap == 1
        if is_reached or self._barren > MAX_BARREN:
            return None
        return PageRequest(window.mark, self._until, window.number, window.size, self._order)

    def extend(self, page: PageRequest, records: Sequence[RecordT]) -> list[RecordT] | None:
        """Add a page; returns the records that are new, or None when more must be read first.

        That is when the page was found shifted, and while pages are read again.
        """
        fresh = self._fresh(page, records)
        is_gapless = page.number == 1 or (records and records[0].version in self.positions)
        if self._again:
            self._again.pop()
        elif not is_gapless and self._barren < MAX_BARREN:
            if not (self._is_shuffled and self._barren and self._read_again(page, records)):
                self._overlap = min(self._overlap * 4, max(self.length, 1))
            self._barren += 1
            return None
        new_marks = self._append(fresh)
        self._held += fresh
        is_whole = is_gapless and self._unseen(page, records) <= 0
        if self._again or (not is_whole and self._read_again(page, records)):
            return None
        self._overlap, self._rounds = 1, 0
        self._barren = 0 if self._held else self._barren + 1
        self._correct(page, [self.positions[record.version] for record in records])
        self._marks |= new_marks
        self._forget()
        held, self._held = self._held, []
        return sorted(held, key=lambda record: record.second, reverse=self._order == "desc")

    def _fresh(self, page: PageRequest, records: Sequence[RecordT]) -> list[RecordT]:
        """The records of a page that are not known yet.

        Notes when those that are have changed places, and which come out of place themselves.
        """
        known = [i for i, record in enumerate(records) if record.version in self.positions]
        versions = (records[i].version for i in known)
        placed = [self.positions[v] for v in versions if v not in self._misplaced]
        self._is_shuffled |= any(a > b for a, b in pairwise(placed))
        reach = self._marks[page.since] + (page.number - 1) * page.size + len(records)
        is_behind = bool(self._again) or reach <= self.length
        end = len(records) if is_behind else known[-1] if known else 0
        fresh = [record for record in records if record.version not in self.positions]
        self._misplaced |= {r.version for r in records[:end] if r.version not in self.positions}
        return fresh

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
            if self._order == "asc" and record.second not in self._marks:
                new_marks.setdefault(record.second, self.length)
            self.positions[record.version] = self.length
            self._seconds[record.version] = record.second
            self.length += 1
        return new_marks

    def _unseen(self, page: PageRequest, records: Sequence[RecordT]) -> int:
        """How many more records lie between the page's mark and its end than are known.

        Of the second in which the page ends, more may be known than lie before its end.
        """
        if page.number == 1 or not records:
            return 0
        told = (page.number - 1) * page.size - self._missing.get(page.since, 0)
        last = records[-1].second
        before = sum(record.second != last for record in records)
        seconds = [s for s in self._seconds.values() if page.since is None or s >= page.since]
        unseen = told + len(records) - len(seconds)
        if before:
            unseen = max(unseen, told + before - sum(s < last for s in seconds))
        return unseen

    def _read_again(self, page: PageRequest, records: Sequence[RecordT]) -> bool:
        """Have the pages before this one read again, in other sizes, then this one.

        Returns False when that has been of no use.
        """
        reach = (page.number - 1) * page.size
        is_spent = self._rounds == MAX_ROUNDS or self._all_rounds == MAX_ALL_ROUNDS
        if is_spent or (self._rounds and not self._is_shuffled):
            if self._is_shuffled:  # else they were added meanwhile, behind the walk
                self.unsure += [record.second for record in records[:1]]
            self._marks = {page.since: self._marks[page.since]}
            unseen = max(self._unseen(page, records), 0)
            self._missing = {page.since: self._missing.get(page.since, 0) + unseen}
            return False
        self._rounds += 1
        self._all_rounds += 1
        size = max(self._page_size.full - self._rounds, ceil(reach / MAX_PAGE), 1)
        numbers = range(ceil(reach / size), 0, -1)
        last = page if records else page._replace(number=page.number - 1)
        self._again = [last, *(page._replace(number=n, size=size) for n in numbers)]
        return True

    def _correct(self, page: PageRequest, positions: Sequence[int]) -> None:
        """Deletions and insertions behind the walk move a mark; other marks are then unsure."""
        if not positions or any(a > b for a, b in pairwise(positions)):
            return  # records of equal times in another order tell nothing
        position = positions[-1] - len(positions) + 1 - (page.number - 1) * page.size
        if position != self._marks[page.since]:
            self._marks = {page.since: position}

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
