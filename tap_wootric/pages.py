"""Which page extends a gapless stretch of records furthest, without trusting page numbers.

Page numbers shift when a record is deleted or added in front of them, so every page after a
filter's first must begin with a record that is already known: then nothing has slipped through
between two pages.

Pure: no HTTP, no clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Generic, Literal, NamedTuple, Protocol, TypeVar

MAX_PAGE = 30
"""The last page number that the API serves for one filter."""

MAX_SHIFTS = 25
"""How often in a row a page may be found shifted before the order itself is in doubt."""

MAX_BARREN = 5_000
"""How many pages in a row may bring nothing new."""

SMALLEST_CAP = 10
"""Fewer records than this on a page are taken for the end, not for a server's cap (our choice)."""

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
        self._is_proven = False

    def observe(self, asked: int, got: int) -> None:
        """Take note of a page's length."""
        self._is_proven |= got >= asked == self.full

    def is_last(self, asked: int, got: int) -> bool | None:
        """Whether a page of `got` records is the last one; None when only the next can tell."""
        if got >= min(asked, self.full):
            return False
        return True if self._is_proven or got < SMALLEST_CAP else None

    def cap(self, got: int) -> None:
        """The server has more, and yet gave only `got` records on a page."""
        self.full = got
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
        self._page_size = page_size
        self._until = until
        self._order: Literal["asc", "desc"] = order
        self._marks: dict[int | None, int] = {since: 0}
        self._overlap = 1
        self._shifts = 0
        self._barren = 0

    def shorten(self, until: int) -> None:
        """Let the pages still to come end at `until`."""
        self._until = until

    def next_page(self) -> PageRequest | None:
        """Choose the page that reaches furthest; None when no page number does."""
        window = self._furthest(self._page_size.full)
        for size in range(self._page_size.full - 1, 0, -1):
            if window.end - self.length >= size:
                break
            window = max(window, self._furthest(size), key=lambda w: w.end)
        if window.end <= self.length and self._overlap == 1:
            return None
        return PageRequest(window.mark, self._until, window.number, window.size, self._order)

    def extend(self, page: PageRequest, records: Sequence[RecordT]) -> list[RecordT] | None:
        """Add a page; returns the records that are new, or None when it was found shifted.

        Raises:
            OrderError: Pages are found shifted again and again.
        """
        if page.number > 1 and (not records or records[0].version not in self.positions):
            self._widen_overlap()
            return None
        self._overlap = 1
        fresh = [record for record in records if record.version not in self.positions]
        self._shifts = 0
        self._barren = 0 if fresh else self._barren + 1
        if self._barren > MAX_BARREN:
            message = "records of one second come in another order for each request"
            raise OrderError(message)
        new_marks = self._append(fresh)
        if records:
            self._correct(page, self.positions[records[-1].version] - len(records) + 1)
        self._marks |= new_marks
        self._forget()
        return fresh

    def _windows(self, size: int) -> Iterator[_Window]:
        """The furthest page after each mark that still begins within what is known."""
        wanted = max(self.length - self._overlap, 0)
        for mark, position in islice(reversed(self._marks.items()), MARKS_TRIED):
            number = min(max(wanted - position, 0) // size + 1, MAX_PAGE)
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
            self.length += 1
        return new_marks

    def _correct(self, page: PageRequest, start: int) -> None:
        """Deletions and insertions behind the walk move a mark; other marks are then unsure."""
        position = start - (page.number - 1) * page.size
        if position != self._marks[page.since]:
            self._marks = {page.since: position}

    def _widen_overlap(self) -> None:
        self._shifts += 1
        if self._shifts > MAX_SHIFTS:
            message = "records keep changing places between two requests for the same filter"
            raise OrderError(message)
        self._overlap = min(self._overlap * 4, max(self.length, 1))

    def _forget(self) -> None:
        """Drop what no page number can reach any more, so that memory stays flat."""
        reach = (MAX_PAGE + 1) * self._page_size.full
        if len(self.positions) < 2 * reach:
            return
        horizon = self.length - reach
        self.positions = {v: p for v, p in self.positions.items() if p >= horizon}
        newest = next(reversed(self._marks))
        self._marks = {m: p for m, p in self._marks.items() if p >= horizon or m == newest}
