"""Reads a long time range faster: several threads each read a window of it.

The width of a window follows from the density seen last. A window that turns out to contain many
more records is cut, and its rest becomes the next window.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice
from queue import Full, Queue
from typing import Generic

from tap_wootric.pagination.pages import Fetch, PageRequest, RecordT, Report
from tap_wootric.pagination.paginator import paginate

MAX_BUFFERED = 6_000
"""Records that were read but not consumed yet, at most."""

_MAX_READ_TWICE = 20
"""Records of the last second that are requested again when a window is cut."""


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
        report: Receives each second with possibly missing records. Any of the threads calls it.

    Raises:
        PageOrderError: The API ignores a filter or the requested order.
        Exception: Whatever `fetch` raises, once all records in front of it were consumed.
    """
    read = partial(paginate, page_size=page_size, report=report)
    records = read(fetch, since, until)
    first_page = list(islice(records, page_size))
    count = workers() if callable(workers) else workers
    if count <= 1 or len(first_page) < page_size:
        yield from chain(first_page, records)
        return
    begin, second = first_page[0].timestamp, first_page[-1].timestamp
    yield from (record for record in first_page if record.timestamp < second)
    end = max(second + 1, newest if until is None else min(newest, until))
    reader = _ParallelReader(fetch, read, count, 1 / max(second - begin, 1), end, until)
    yield from reader.read(second)


class _CutError(Exception):
    """The window contains many more records than expected."""


@dataclass(eq=False)
class _Window(Generic[RecordT]):
    since: int
    end: int
    pages: Queue[list[RecordT] | BaseException | None]
    """Ends with an exception or None."""

    is_taken: bool = False


@dataclass(eq=False)
class _ParallelReader(Generic[RecordT]):
    """Reads each window in a thread of its own, and returns the records in order."""

    fetch: Fetch[RecordT]
    paginate: Callable[[Fetch[RecordT], int, int | None], Iterator[RecordT]]
    workers: int
    pages_per_second: float
    """In the window that was read last; it determines the width of the next window."""

    end: int
    """Estimated end of the list. Only the window that contains it ends at `until` instead."""

    until: int | None
    windows: list[_Window[RecordT]] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    running: int = 0
    is_closed: bool = False

    @property
    def max_pages(self) -> int:
        """Pages to buffer for each of `workers + 1` windows. Each thread holds two more."""
        return max((MAX_BUFFERED // 50 - 2 * self.workers) // (self.workers + 1), 1)

    def read(self, since: int) -> Iterator[RecordT]:
        self.windows = [_Window(since, self.end, Queue(self.max_pages))]
        with self.lock:
            self._start_threads()
        try:
            while self.windows:
                records = self.windows[0].pages.get()
                if isinstance(records, BaseException):
                    raise records
                yield from records or ()
                if records is None:
                    with self.lock:
                        self.windows.pop(0)
                        self._start_threads()
        finally:
            self.is_closed = True

    def _start_threads(self) -> None:
        for window in self.windows:  # includes the windows that _cut inserts behind this one
            taken = sum(window.is_taken for window in self.windows)
            if self.is_closed or self.running == self.workers or taken > self.workers:
                return
            if not window.is_taken:
                width = int(self.max_pages / self.pages_per_second) + 1
                if window.end - window.since > 1.25 * width:
                    self._cut(window, window.since + width)
                window.is_taken = True
                self.running += 1
                threading.Thread(target=self._read_window, args=(window,), daemon=True).start()

    def _cut(self, window: _Window[RecordT], second: int) -> None:
        with self.lock:
            rest = _Window[RecordT](second, window.end, Queue(self.max_pages))
            self.windows.insert(self.windows.index(window) + 1, rest)
            window.end = second

    def _read_window(self, window: _Window[RecordT]) -> None:
        batch: list[RecordT] = []
        end: BaseException | None = None
        pages = 0

        def fetch(page: PageRequest) -> list[RecordT]:
            nonlocal batch, pages
            tied = sum(record.timestamp == batch[-1].timestamp for record in batch)
            if pages > 1.25 * self.max_pages and tied < min(len(batch), _MAX_READ_TWICE):
                raise _CutError
            self._put(window, batch)
            if self.is_closed:
                raise SystemExit
            batch, pages = [], pages + 1
            return self.fetch(page)

        until = self.until if window.end == self.end else window.end
        try:
            for record in self.paginate(fetch, window.since, until):
                batch.append(record)  # noqa: PERF402 - fetch replaces the list
        except _CutError:
            second = batch[-1].timestamp
            batch = [record for record in batch if record.timestamp < second]
            self._cut(window, second)
        except BaseException as error:  # noqa: BLE001 - the consumer raises it
            end = error
        self._put(window, batch)
        with self.lock:
            self.pages_per_second = pages / max(window.end - window.since, 1)
            self.running -= 1
            self._start_threads()
        self._put(window, end)

    def _put(self, window: _Window[RecordT], page: list[RecordT] | BaseException | None) -> None:
        while not self.is_closed:
            with suppress(Full):
                window.pages.put(page, timeout=0.5)
                return
