"""Reads a time range of a list that may change between two requests, without losing a record.

Invariant: every record that exists throughout and sorts before the last record of `_Sweep.read`
was delivered. A page keeps the invariant if it starts at the first record of its filter (page 1) or
with a record that `_Sweep.read` contains. A second of about 30 pages is also read from its end.
"""

from __future__ import annotations

from collections.abc import Generator, Hashable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Generic

from tap_wootric.pagination.pages import (
    MAX_PAGE,
    MIN_PAGE_LIMIT,
    Fetch,
    IncompleteSecond,
    PageRequest,
    Placed,
    RecordT,
    Report,
    check_page,
)

TOO_MANY = "too many records"
UNSTABLE = "unstable order"
CHANGING = "keeps changing"

_MAX_REQUESTS = 120
"""Requests for one second in one direction. About 35 suffice for 30 pages that do not change."""

_WIDE_OVERLAP = 12
_MIN_TIES = 8
"""Tied records in their former order that prove a stable order (by chance: 1 in 300,000)."""

_KEPT = 300
"""Records remembered before the last second. The API can be asked from each of their seconds."""

_Key = tuple[int, Hashable]


def paginate(
    fetch: Fetch[RecordT],
    since: int | None,
    until: int | None,
    *,
    page_size: int = 50,
    report: Report,
) -> Iterator[RecordT]:
    """Yield each record with `since <= timestamp < until` once, in ascending order of timestamp.

    Records that are inserted behind the last delivered one are left to the next sync. In one case,
    a record can be lost without a report: the API returns tied records in a new order for each
    request, and another one is deleted at the same moment (2 of 9,000 random histories).

    Args:
        fetch: Requests a page.
        since: First UNIX second, or None for the beginning of the list.
        until: UNIX second after the last, or None for the end of the list.
        page_size: Records per page, 25 to 50.
        report: Receives each second with possibly missing records.

    Raises:
        PageOrderError: The API ignores a filter or the requested order.
    """
    reader = _Reader(fetch)
    sweep = _Sweep(PageRequest(since, until, 1, page_size))
    while problem := (yield from reader.read(sweep, {})):
        second = sweep.second
        if problem == TOO_MANY:
            from_end = _Sweep(PageRequest(second, second + 1, 1, page_size, descending=True))
            sweep.is_frugal = from_end.is_frugal = False
            problem = yield from reader.read(from_end, sweep.index)
            if problem == TOO_MANY:
                problem = yield from reader.read(sweep, from_end.index)
        elif problem == UNSTABLE:
            problem = yield from reader.read_unordered(second)
        if problem:
            shown = sum(timestamp == second for timestamp, _ in reader.delivered)
            report(IncompleteSecond(second, shown, problem))
        sweep = _Sweep(PageRequest(second + 1, until, 1, page_size))


class _Reader(Generic[RecordT]):
    """Requests pages, and delivers each record once."""

    def __init__(self, fetch: Fetch[RecordT]) -> None:
        self._fetch = fetch
        self._limit = MIN_PAGE_LIMIT  # longest page that the API is known to return
        self._last: int | None = None
        self.delivered: set[_Key] = set()

    def read(self, sweep: _Sweep, known: Mapping[_Key, int]) -> Generator[RecordT, None, str]:
        """Read to the end, or down to `known` records; return why `sweep.second` is incomplete."""
        while (page := sweep.next_page(self._limit)) is not None:
            if sweep.requests > _MAX_REQUESTS:
                return CHANGING
            records, is_last = self._request(page)
            keys = [_key(record) for record in records]
            if (second := sweep.find_unstable_second(keys)) is not None:
                sweep.second = second
                return UNSTABLE
            if not sweep.extend(page, keys):
                continue
            yield from self._deliver(records)
            common = [known[key] for key in keys if key in known]
            if common != sorted(common, reverse=True):
                return UNSTABLE
            if is_last or common:
                return ""
            if len(self.delivered) > 2 * _KEPT:
                oldest = sweep.read[0][0]
                self.delivered = {key for key in self.delivered if key[0] >= oldest}
        return TOO_MANY

    def read_unordered(self, second: int) -> Generator[RecordT, None, str]:
        """Read all pages of a second. Without a stable order only a single page is complete."""
        for number in range(1, MAX_PAGE + 1):
            records, is_last = self._request(PageRequest(second, second + 1, number, self._limit))
            yield from self._deliver(records)
            if is_last:
                return UNSTABLE if number > 1 else ""
        return UNSTABLE

    def _request(self, page: PageRequest) -> tuple[list[RecordT], bool]:
        records = self._fetch(page)
        check_page(page, records)
        self._limit = max(self._limit, len(records))
        return records, len(records) < min(page.size, self._limit)

    def _deliver(self, records: Sequence[RecordT]) -> Iterator[RecordT]:
        for record in records:
            is_late = self._last is not None and record.timestamp < self._last
            if not is_late and (key := _key(record)) not in self.delivered:
                self._last = record.timestamp
                self.delivered.add(key)
                yield record


class _Sweep:
    """Records read in one direction without a gap, and the page that extends them furthest."""

    def __init__(self, first_page: PageRequest) -> None:
        self._first_page = first_page
        self.read: list[_Key] = []
        self.index: dict[_Key, int] = {}
        self.second = 0  # latest second that was reached
        self.requests = 0  # since it was reached
        self.is_frugal = True  # whether small gains are left to the other end
        self._anchors: dict[int | None, int] = {}  # first position of each second, latest first
        self._shift = 0  # records inserted (> 0) or deleted (< 0) after they were read
        self._overlap = 1

    def next_page(self, limit: int) -> PageRequest | None:
        """Choose filter, number and size; None if no page contains more than was read."""
        self.requests += 1
        best = self._first_page
        most = -len(self.read) if self.read else limit
        for anchor, first in self._anchors.items():
            known = len(self.read) - first + self._shift
            last_offset = max(known - self._overlap, 0)
            for number in range(last_offset // limit + 1, MAX_PAGE + 1):
                size = min(last_offset // (number - 1), limit) if number > 1 else limit
                if size - self._overlap <= most:
                    break
                if (gain := number * size - known) > most:
                    most, size = gain, size if number > 1 else self._first_page.size
                    best = best._replace(since=anchor, number=number, size=size)
            if most >= limit - 1:
                break
        return best if most > (limit // 2 if self.is_frugal else 0) or self._overlap > 1 else None

    def find_unstable_second(self, keys: list[_Key]) -> int | None:
        """Find a second whose known records are returned in another order than before."""
        for key, following in pairwise(key for key in keys if key in self.index):
            if self.index[key] > self.index[following]:
                return key[0]
        return None

    def extend(self, page: PageRequest, keys: list[_Key]) -> bool:
        """Append a page; False if a gap is possible in front of it. The next page overlaps more."""
        first = anchor = self._anchors.get(page.since, 0)
        shift = 0
        if page.number > 1:
            first = self.index.get(keys[0], -1) if keys else -1
            shift = page.offset - (first - anchor)
            known = [key[0] for key in keys if key in self.index]
            ties = len(known) - len(set(known))
            # Changes shift the records, but so does an order that differs between requests.
            if first < 0 or (shift != self._shift and ties < _MIN_TIES):
                self._overlap = max(_WIDE_OVERLAP, 4 * self._overlap)
                return False
        self._overlap, self._shift = 1, shift
        if keys and keys[-1][0] > self.second:
            self.second, self.requests = keys[-1][0], 0
        self._remember(self.read[:first] + keys)
        return True

    def _remember(self, read: list[_Key]) -> None:
        anchors = {second: first for first, (second, _) in reversed([*enumerate(read)])}
        cut = max((first for first in anchors.values() if first <= len(read) - _KEPT), default=0)
        self.read = read[cut:]
        self.index = {key: position for position, key in enumerate(self.read)}
        self._anchors = {second: first - cut for second, first in anchors.items() if first >= cut}


def _key(record: Placed) -> _Key:
    return record.timestamp, record.identity
