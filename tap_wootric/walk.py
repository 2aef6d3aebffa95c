"""An ascending walk over a time range of a list that misses nothing.

One filter reaches 30 pages of 50 records, so the walk asks again from the second it has reached.
A second too crowded for 30 pages is read from its other end as well.

Pure: no HTTP, no clock. `docs/design.md` tells why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Generic, NamedTuple

from tap_wootric.pages import MAX_PAGE, OrderError, PageRequest, PageSize, Placed, RecordT
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
        self.overfull: list[OverfullSecond] = []
        self._page_size = page_size
        self._head: Stretch[RecordT] = Stretch(page_size, since, until)
        self._tail: _Tail[RecordT] | None = None
        self._after: _After[RecordT] | None = None
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
        self._head.shorten(until)
        if self._after is not None:
            self._after.stretch.shorten(until)
        if self.page is not None and self._tail is None:
            self.page = self.page._replace(until=until)

    def feed(self, records: Sequence[RecordT]) -> list[RecordT]:
        """Take the answer to `page` and choose the next one.

        Raises:
            OrderError: The answer contradicts what was asked for.
        """
        page = self.page
        assert page is not None
        if self._tail is None:
            records = self._of_range(records)
        _check(page, records)
        self._page_size.observe(page.size, len(records))
        if self._tail is not None:
            return self._feed_tail(self._tail, page, records)
        if self._after is not None:
            self._begin_tail(self._after, page, records)
            return []
        fresh = self._end_probe(records) if self._is_probing else self._feed_head(page, records)
        if self.page is None:
            self._tell_doubt()
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
        if page is not None:
            return page
        # Page numbers are used up inside one second: it is read from its end as well, for which
        # the page after it is read before.
        after = (self.second or 0) + 1
        self._after = _After(Stretch(self._page_size, after, self.until))
        if self.until is None or after < self.until:
            return self._after.stretch.next_page()
        self._tail = _Tail(self._page_size, after - 1, self._head)
        return self._tail.next_page()

    def _begin_tail(
        self, after: _After[RecordT], page: PageRequest, records: Sequence[RecordT]
    ) -> None:
        after.records = after.stretch.extend(page, records) or []
        after.is_last = bool(self._page_size.is_last(page.size, len(records)))
        self._tail = _Tail(self._page_size, self.second or 0, self._head, after.records)
        self.page = self._tail.next_page()

    def _feed_tail(
        self, tail: _Tail[RecordT], page: PageRequest, records: Sequence[RecordT]
    ) -> list[RecordT]:
        fresh = tail.feed(page, records)
        self._in_second += len(fresh)
        self.page = None if tail.is_complete else tail.next_page()
        if self.page is not None:
            return fresh
        if not tail.is_complete:
            self._doubtful.add(tail.second)
        self._tell_doubt()
        return fresh + self._end_tail()

    def _end_tail(self) -> list[RecordT]:
        """Go on from the page that was read before the tail."""
        after, self._after, self._tail = self._after, None, None
        if after is None or after.is_last is None:
            return []
        fresh = self._of_range(after.records)
        self._head = after.stretch
        self._note(fresh)
        if not after.is_last and len(fresh) == len(after.records):
            self.page = self._go_on()
        return fresh


@dataclass
class _After(Generic[RecordT]):
    """The first page after a crowded second."""

    stretch: Stretch[RecordT]
    records: list[RecordT] = field(default_factory=list)
    is_last: bool | None = None


class _Tail(Generic[RecordT]):
    """A crowded second, read from its end until it meets what was read from its beginning."""

    def __init__(
        self,
        page_size: PageSize,
        second: int,
        head: Stretch[RecordT],
        beyond: Sequence[RecordT] = (),
    ) -> None:
        self.second = second
        self.is_complete = False
        self._page_size = page_size
        self._head = head
        self._stretch: Stretch[RecordT] = Stretch(page_size, second, second + 1, "desc", beyond)
        self._met: list[int] = []

    def next_page(self) -> PageRequest | None:
        """None as well when so much was read that the second changes faster than it is read."""
        is_endless = self._stretch.length > 2 * MAX_PAGE * self._page_size.full
        return None if is_endless else self._stretch.next_page()

    def feed(self, page: PageRequest, records: Sequence[RecordT]) -> list[RecordT]:
        """Returns what is new; all of it lies in one second, in which any order will do."""
        fresh = self._stretch.extend(page, records)
        if fresh is None:
            return []
        head = self._head.positions
        self._met += [head[record.version] for record in fresh if record.version in head]
        is_short = len(records) < min(page.size, self._page_size.full)
        is_spent = is_short or self.next_page() is None
        has_met = len(self._met) > 1 or (is_spent and self._met == [self._head.length - 1])
        is_sure = self._is_reverse() and not self._stretch.unsure
        self.is_complete = is_sure and (has_met or is_short)
        # What was added beyond the second meanwhile came behind the walk.
        return [r for r in fresh if r.version not in head and r.second == self.second]

    def _is_reverse(self) -> bool:
        """Whether what was met shows that both ends belong to one order, so none lies between.

        Records with equal times have no documented order: were theirs the same in both
        directions, the head would be met from its beginning.
        """
        return all(a > b for a, b in pairwise(self._met))


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
