"""Reads a long time range faster: several threads each read a window of it.

The width of a window follows from the density seen last. A window that turns out to contain many
more records is cut, and its rest becomes the next window.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, Full, Queue
from typing import Generic

from tap_wootric.pagination.pages import Fetch, PageRequest, RecordT, Report, check_page
from tap_wootric.pagination.paginator import paginate

MAX_BUFFERED = 6_000
"""Records that were read but not consumed yet, at most."""

_MIN_PAGES = 12
_MAX_READ_TWICE = 20
"""Records of the last second that are requested again when a window is cut."""

_POLL_SECONDS = 1.0
"""The consumer waits in short steps, so that signals are handled on every platform."""


def read_windows(  # noqa: PLR0913 - the arguments of paginate and three more
    fetch: Fetch[RecordT],
    since: int | None,
    until: int | None,
    *,
    page_size: int = 50,
    workers: int | Callable[[], int],
    newest: int,
    report: Report,
) -> Iterator[RecordT]:
    """Yield the same records as `paginate`, read by several threads.

    Closing the iterator stops the (daemon) threads after their current requests.

    Args:
        fetch: Requests a page. Several threads call it at once.
        since: First UNIX second, or None for the beginning of the list.
        until: UNIX second after the last, or None for the end of the list.
        page_size: Records per page, 25 to 50.
        workers: Number of threads. A function is called after the first reply.
        newest: Estimated UNIX second of the newest record. It affects only the width of windows.
        report: Receives each second of which records may be missing. Any of the threads calls it.

    Raises:
        PageOrderError: The API ignores a filter or the requested order.
        Exception: Whatever `fetch` raises, once all records in front of it were consumed.
    """
    first_page = PageRequest(since, until, 1, page_size)
    first = fetch(first_page)
    check_page(first_page, first)
    replies, begin = [first], first[0].timestamp if first else 0

    def fetch_next(page: PageRequest) -> list[RecordT]:
        if not replies or page.since not in {since, begin}:
            return fetch(page)
        return [r for r in replies.pop() if page.until is None or r.timestamp < page.until]

    count = workers() if callable(workers) else workers
    if count == 1 or not first:
        yield from paginate(fetch_next, since, until, page_size=page_size, report=report)
    else:
        density = len(first) / max(first[-1].timestamp - begin, 1)
        reader = _ParallelReader(fetch_next, report, page_size, count, newest, density)
        yield from reader.read(begin, until)


class _StopError(Exception):
    """Another thread reads the rest of the window, or the consumer does not need it."""


@dataclass(eq=False)
class _Window(Generic[RecordT]):
    since: int
    until: int | None
    pages: Queue[list[RecordT] | BaseException | None]
    """Ends with an exception or None."""

    delivered: set[Hashable] = field(default_factory=set)
    """Identities of records at `since` that the window in front contains."""

    is_taken: bool = False


@dataclass(eq=False)
class _ParallelReader(Generic[RecordT]):
    """Reads each window in a thread of its own, and returns the records in order."""

    fetch: Fetch[RecordT]
    report: Report
    page_size: int
    workers: int
    newest: int
    density: float
    """Records per second."""

    windows: list[_Window[RecordT]] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    running: int = 0
    is_closed: bool = False

    @property
    def max_pages(self) -> int:
        """Pages to buffer for each of `workers + 1` windows. Each thread holds two more."""
        return max((MAX_BUFFERED // self.page_size - 2 * self.workers) // (self.workers + 1), 1)

    def read(self, since: int, until: int | None) -> Iterator[RecordT]:
        self.windows = [_Window(since, until, Queue(self.max_pages))]
        self._start_threads()
        try:
            while self.windows:
                records = self._next_records()
                if isinstance(records, BaseException):
                    raise records
                yield from records or ()
                if records is None:
                    with self.lock:
                        self.windows.pop(0)
                        self._start_threads()
        finally:
            self.is_closed = True

    def _next_records(self) -> list[RecordT] | BaseException | None:
        while True:
            with suppress(Empty):
                return self.windows[0].pages.get(timeout=_POLL_SECONDS)

    def _start_threads(self) -> None:
        with self.lock:
            for window in self.windows:  # includes the windows that _cut inserts behind this one
                taken = sum(window.is_taken for window in self.windows)
                if self.is_closed or self.running == self.workers or taken > self.workers:
                    return
                if not window.is_taken:
                    window.is_taken = True
                    self.running += 1
                    minimum, maximum = _MIN_PAGES * self.page_size, self.max_pages * self.page_size
                    expected = self.density * self._width(window) / self.workers
                    width = int(min(max(expected, minimum), maximum) / self.density) + 1
                    if width < self._width(window):
                        self._cut(window, window.since + width)
                    threading.Thread(target=self._work, args=(window,), daemon=True).start()

    def _width(self, window: _Window[RecordT]) -> int:
        until = self.newest if window.until is None else min(window.until, self.newest)
        return max(until - window.since, 1)

    def _cut(self, window: _Window[RecordT], second: int, *delivered: Hashable) -> None:
        with self.lock:
            rest = _Window[RecordT](second, window.until, Queue(self.max_pages), set(delivered))
            self.windows.insert(self.windows.index(window) + 1, rest)
            window.until = second

    def _work(self, window: _Window[RecordT]) -> None:
        end = None
        try:
            self._read_window(window)
        except BaseException as error:  # noqa: BLE001 - the consumer raises it
            end = error
        with self.lock:
            self.running -= 1
            self._start_threads()
        self._put(window, end)

    def _put(self, window: _Window[RecordT], page: list[RecordT] | BaseException | None) -> None:
        while not self.is_closed:
            with suppress(Full):
                window.pages.put(page, timeout=_POLL_SECONDS)
                return

    def _read_window(self, window: _Window[RecordT]) -> None:
        second, tied = window.since, window.delivered
        batch: list[RecordT] = []
        pages = count = 0

        def fetch(page: PageRequest) -> list[RecordT]:
            nonlocal batch, pages
            self._put(window, batch)
            batch, pages = [], pages + 1
            is_cheap = second > window.since and len(tied) <= _MAX_READ_TWICE
            if self.is_closed or (pages > 1.25 * self.max_pages and is_cheap):
                raise _StopError
            return self.fetch(page)

        try:
            for record in paginate(
                fetch, window.since, window.until, page_size=self.page_size, report=self.report
            ):
                if record.timestamp > second:
                    second, tied = record.timestamp, set()
                if record.identity not in tied:
                    tied.add(record.identity)
                    batch.append(record)
                    count += 1
        except _StopError:
            self._cut(window, second, *tied)
        self.density = max(count, 1) / self._width(window)
        self._put(window, batch)
