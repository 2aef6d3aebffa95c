"""Which page extends a gapless stretch of records furthest, without trusting page numbers.

Page numbers shift when a record is deleted or added in front of them, so every page after a
filter's first must begin with a record that is already known: then nothing has slipped through
between two pages. And page numbers must not tell of more records than were seen: then none was
passed over by an order of equal times that differs from one request to the next.

Pure: no HTTP, no clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from math import ceil
from typing import Generic, Literal, NamedTuple

from tap_wootric.pages import MAX_PAGE, PageRequest, PageSize, RecordT
from tap_wootric.places import Places

MAX_BARREN = 300
"""How many pages in a row may bring nothing new before a second is given up."""

SOME_BARREN = 5
"""How many may before its marks are doubted even where the order is unsteady."""

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
    """Records read in one direction without a gap, and the pages that can extend them."""

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
        self.unsure: list[int] = []
        """Seconds of which some records were not shown, however often they were asked for."""

        self._page_size = page_size
        self._since = since
        self._until = until
        self._order: Literal["asc", "desc"] = order
        self._places: Places[RecordT] = Places(order)
        self._overlap = 1
        self._gain = 0
        self._barren = 0
        self._rounds = 0
        self._all_rounds = 0
        self._again: list[PageRequest] = []
        self._held: list[RecordT] = []
        for record in reversed(beyond):
            self._places.append([record])
            self._places.marks[record.second] = self.length
        self._places.marks[since if order == "asc" else until] = self.length

    @property
    def length(self) -> int:
        """How many records were read."""
        return self._places.length

    @property
    def positions(self) -> Mapping[object, int]:
        """Where the records stand that page numbers still reach, by version."""
        return self._places.positions

    @property
    def is_shuffled(self) -> bool:
        """Whether records of equal times were seen in another order than before."""
        return self._places.is_shuffled

    @property
    def is_under_way(self) -> bool:
        """Whether pages are being read again, before what they hold is given out."""
        return bool(self._again or self._held)

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
        self._gain = window.end - self.length
        is_reached = window.end <= self.length and self._overlap == 1
        if is_reached or self._barren > MAX_BARREN:
            return None
        is_rising = self._order == "asc"
        since, until = (window.mark, self._until) if is_rising else (self._since, window.mark)
        return PageRequest(since, until, window.number, window.size, self._order)

    def is_nearly_spent(self, page: PageRequest) -> bool:
        """Whether the page chosen is the last one of its filter, and mostly known by now."""
        is_last = page.number == MAX_PAGE
        return is_last and not self.is_under_way and self._gain < self._page_size.full - 1

    def _furthest(self, size: int) -> _Window:
        best = None
        for window in self._windows(size):
            if best is None or window.start > best.start:
                best = window
            if window.start >= self.length - self._overlap:
                break
        return best or _Window(0, size, 1, None)

    def _windows(self, size: int) -> Iterator[_Window]:
        """The furthest page after each mark that still begins within what is known."""
        wanted = max(self.length - self._overlap, 0)
        for mark, position in islice(reversed(self._places.marks.items()), MARKS_TRIED):
            ahead = max(wanted - position, 0) if wanted else 0
            number = min(ahead // size + 1, MAX_PAGE)
            yield _Window(position + (number - 1) * size, size, number, mark)

    def extend(self, page: PageRequest, records: Sequence[RecordT]) -> list[RecordT] | None:
        """Add a page; returns the records that are new, or None when more must be read first.

        That is when the page was found shifted, and while pages are read again.
        """
        places = self._places
        is_again = bool(self._again)
        fresh = places.unknown(records)
        strays = places.strays(page, records, is_again=is_again)
        places.compare(records)
        if is_again:
            self._again.pop()
        is_gapless = page.number == 1 or places.begins_known(records)
        # Read again, all before a known record is known: it joins what follows in the page.
        is_joined = is_gapless or (is_again and len(fresh) < len(records))
        if not is_joined and self._barren < MAX_BARREN:
            if not self._again:
                self._step_back(page, records)
            return None
        if not is_joined:
            self.unsure += [record.second for record in records[:1]]
        new_marks = places.append(fresh, strays)
        self._held += fresh
        is_whole = is_gapless and places.unseen(page, records) <= 0
        if self._again or (not is_whole and self._read_again(page, records)):
            return None
        is_stuck = not self._held and self._barren > SOME_BARREN
        places.correct(page, records, is_stuck=is_stuck)
        places.marks |= new_marks
        places.forget((MAX_PAGE + 1) * self._page_size.full)
        return self._release()

    def _release(self) -> list[RecordT]:
        self._overlap, self._rounds = 1, 0
        self._barren = 0 if self._held else self._barren + 1
        held, self._held = self._held, []
        return sorted(held, key=lambda record: record.second, reverse=self._order == "desc")

    def _step_back(self, page: PageRequest, records: Sequence[RecordT]) -> None:
        is_unsteady = self._places.is_shuffled and self._barren
        if not (is_unsteady and self._read_again(page, records)):
            self._places.leave_mark(page)
            self._overlap = min(self._overlap * 4, max(self.length, 1))
        self._barren += 1

    def _read_again(self, page: PageRequest, records: Sequence[RecordT]) -> bool:
        """Have the pages before this one read again, in other sizes, then this one.

        Returns False when that has been of no use.
        """
        is_shuffled = self._places.is_shuffled
        is_spent = self._rounds == MAX_ROUNDS or self._all_rounds == MAX_ALL_ROUNDS
        if is_spent or (self._rounds and not is_shuffled):
            if is_shuffled:  # else they were added meanwhile, behind the walk
                self.unsure += [record.second for record in records[:1]]
            self._places.give_up(page, records)
            return False
        self._rounds += 1
        self._all_rounds += 1
        reach = (page.number - 1) * page.size
        size = max(self._page_size.full - self._rounds, ceil(reach / MAX_PAGE), 1)
        numbers = range(ceil(reach / size), 0, -1)
        last = page if records else page._replace(number=page.number - 1)
        self._again = [last, *(page._replace(number=n, size=size) for n in numbers)]
        return True
