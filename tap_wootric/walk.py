"""An ascending walk over a time range of a list that misses nothing.

One filter reaches 30 pages of 50 records, so the walk asks again from the second it has reached.
A second too crowded for 30 pages is read from its other end as well.

Pure: no HTTP, no clock. `docs/design.md` tells why.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, NamedTuple

from tap_wootric.crowd import Crowd
from tap_wootric.pages import OrderError, PageRequest, PageSize, Placed, RecordT
from tap_wootric.stretch import Stretch


class OverfullSecond(NamedTuple):
    """A second with more records than the API can show, or shows however often it is asked."""

    second: int
    shown: int


class Walk(Generic[RecordT]):
    """An ascending walk over `since <= second < until`.

    Ask for `page`, hand what the API answers to `feed`, which returns the records that are new,
    in order, until `page` is None. Every record that exists from the beginning to the end of the
    walk is returned exactly once, save in the seconds listed in `overfull`; in which order within
    a second is left open.
    """

    def __init__(self, since: int | None, until: int | None, page_size: PageSize) -> None:
        """Start before the first record.

        Args:
            since: First UNIX second, or None for the beginning of time.
            until: UNIX second at which to end (exclusive), or None for no end.
            page_size: Shared by all walks of a run, so that what one learns serves all.
        """
        self.until = until
        self.second = since
        self.newest: Sequence[RecordT] = ()
        """The last records of the list, ascending, as one page has just shown them."""

        self.overfull: list[OverfullSecond] = []
        self._page_size = page_size
        self._head: Stretch[RecordT] = Stretch(page_size, since, until)
        self._crowd: Crowd[RecordT] | None = None
        self._is_probing = False
        self._first: int | None = None
        self._count = 0
        self._in_second = 0
        self._doubtful: set[int] = set()
        self.page: PageRequest | None = self._head.next_page()

    @property
    def density(self) -> float | None:
        """Records a second so far; None while it can't be told."""
        if self._first is None or self.second is None or self.second <= self._first:
            return None
        return self._count / (self.second - self._first)

    def shorten(self, until: int) -> None:
        """Leave what is not before `until`, a second that the walk has not reached, to another."""
        self.until = until
        if self._crowd is not None:
            self._crowd.after.shorten(until)
            return
        self._head.shorten(until)
        if self.page is not None:
            self.page = self.page._replace(until=until)

    def feed(self, records: Sequence[RecordT]) -> list[RecordT]:
        """Take the answer to `page` and choose the next one.

        Raises:
            OrderError: The answer contradicts what was asked for.
        """
        page = self.page
        assert page is not None
        if self._crowd is None:
            records = self._of_range(records)
        _check(page, records)
        self._page_size.observe(page.size, len(records))
        if self._crowd is not None:
            return self._feed_crowd(self._crowd, page, records)
        fresh = self._end_probe(records) if self._is_probing else self._feed_head(page, records)
        if self.page is None:
            self._tell_doubt()
        return fresh + self._finish()

    def _finish(self) -> list[RecordT]:
        """Spare the last page where the walk has come to the newest records."""
        is_met = self.second is not None and self.newest and self.newest[0].second < self.second
        is_open = self.page is not None and self.until is None and self._crowd is None
        if not is_met or not is_open or self._head.is_under_way:
            return []
        known, second = self._head.positions, self.second or 0
        fresh = [r for r in self.newest if r.second >= second and r.version not in known]
        self._note(fresh)
        self._tell_doubt()
        self.page = None
        return fresh

    def _of_range(self, records: Sequence[RecordT]) -> list[RecordT]:
        """Without what was asked for before the walk was shortened."""
        return [r for r in records if self.until is None or r.second < self.until]

    def _feed_head(self, page: PageRequest, records: Sequence[RecordT]) -> list[RecordT]:
        fresh = self._head.extend(page, records)
        if fresh is None:
            self.page = self._go_on()
            return []
        self._note(fresh)
        is_last = self._page_size.is_last(page.size, len(records))
        if is_last is None:
            self._is_probing = True
            self.page = page._replace(number=page.number + 1)
        else:
            self.page = None if is_last else self._go_on()
        return fresh

    def _note(self, fresh: list[RecordT]) -> None:
        self._doubtful.update(self._head.unsure)
        if fresh and self._first is None:
            self._first = fresh[0].second
        self._count += len(fresh)
        for record in fresh:
            if self.second is None or record.second > self.second:
                self._tell_doubt()
                self.second, self._in_second = record.second, 0
            self._in_second += record.second == self.second  # else it was added behind the walk

    def _tell_doubt(self) -> None:
        if self.second in self._doubtful:
            self._doubtful.remove(self.second)
            self.overfull.append(OverfullSecond(self.second, self._in_second))

    def _end_probe(self, records: Sequence[RecordT]) -> list[RecordT]:
        """A first page was short: either it was all there is, or the server caps its pages."""
        self._is_probing = False
        if records:
            self._page_size.cap(self._head.length)
        self.page = self._go_on() if records else None
        return []

    def _go_on(self) -> PageRequest | None:
        page = self._head.next_page()
        is_crowded = page is None or (
            page.since == self.second and self._head.is_nearly_spent(page)
        )
        if not is_crowded:
            return page
        self._crowd = Crowd(self._page_size, self.second or 0, self.until, self._head, self.newest)
        return self._crowd.next_page()

    def _feed_crowd(
        self, crowd: Crowd[RecordT], page: PageRequest, records: Sequence[RecordT]
    ) -> list[RecordT]:
        fresh = crowd.feed(page, records)
        self._in_second += len(fresh)
        self.page = None if crowd.is_complete else crowd.next_page()
        if self.page is not None:
            return fresh
        self._doubtful.update(self._head.unsure)
        if not crowd.is_complete:
            self._doubtful.add(crowd.second)
        self._tell_doubt()
        return fresh + self._end_crowd(crowd)

    def _end_crowd(self, crowd: Crowd[RecordT]) -> list[RecordT]:
        """Go on from the page after it."""
        fresh = self._of_range(crowd.beyond)
        self._head, self._crowd = crowd.after, None
        self._note(fresh)
        if not crowd.is_last and len(fresh) == len(crowd.beyond):
            self.page = self._go_on()
        return fresh


def _check(page: PageRequest, records: Sequence[Placed]) -> None:
    seconds = [record.second for record in records]
    if not seconds:
        return
    if seconds != sorted(seconds, reverse=page.order == "desc"):
        message = f"a page asked for in {page.order}ending order came in another order"
        raise OrderError(message)
    low, high = min(seconds[0], seconds[-1]), max(seconds[0], seconds[-1])
    if (page.since is not None and low < page.since) or (
        page.until is not None and high >= page.until
    ):
        message = "a page holds records from outside the time range that was asked for"
        raise OrderError(message)
