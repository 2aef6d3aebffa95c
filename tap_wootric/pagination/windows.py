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
    pages, density = (MAX_BUFFERED // 50 - 2 * count) // (count + 1), 1 / max(second - begin, 1)
    yield from _ParallelReader(fetch, read, count, max(pages, 1), density, end, until).read(second)


@dataclass(eq=False)
class _Window(Generic[RecordT]):
    since: int
    end: int
    pages: Queue[list[RecordT] | BaseException | None]
    """Ends with an exception or None."""

    is_taken: bool = False
    is_read: bool = False


@dataclass(eq=False)
class _ParallelReader(Generic[RecordT]):
    """Reads each window in a thread of its own, and returns the records in order."""

    fetch: Fetch[RecordT]
    paginate: Callable[[Fetch[RecordT], int, int | None], Iterator[RecordT]]
    workers: int
    max_pages: int
    """Pages to buffer for each of `workers + 1` windows. Each thread holds two more."""

    pages_per_second: float
    """In the window that was read last; it determines the width of the next window."""

    end: int
    """Estimated end of the list. The window that ends here reads on to `until`."""

    until: int | None
    windows: list[_Window[RecordT]] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    is_closed: bool = False

    def read(self, since: int) -> Iterator[RecordT]:
        self.windows = [_Window(since, self.end, Queue(self.max_pages))]
        self._start_threads()
        try:
            while self.windows:
                records = self.windows[0].pages.get()
                if isinstance(records, BaseException):
                    raise records
                yield from records or ()
                if records is None:
                    self.windows.pop(0)
                    self._start_threads()
        finally:
            self.is_closed = True

    def _start_threads(self) -> None:
        with self.lock:
            for window in self.windows:  # includes the windows that _cut inserts behind this one
                taken = sum(window.is_taken for window in self.windows)
                running = taken - sum(window.is_read for window in self.windows)
                if self.is_closed or running >= self.workers or taken > self.workers:
                    return
                if not window.is_taken:
                    width = int(self.max_pages / self.pages_per_second) + 1
                    if window.end - window.since > 1.25 * width:
                        self._cut(window, window.since + width)
                    window.is_taken = True
                    threading.Thread(target=self._read_window, args=(window,), daemon=True).start()

    def _cut(self, window: _Window[RecordT], second: int) -> None:
        with self.lock:
            rest = _Window[RecordT](second, window.end, Queue(self.max_pages))
            self.windows.insert(self.windows.index(window) + 1, rest)
            window.end = second

    def _read_window(self, window: _Window[RecordT]) -> None:
        batch: list[RecordT] = []
        end: BaseException | None = None
        pages, reached = 0, window.end

        def fetch(page: PageRequest) -> list[RecordT]:
            nonlocal batch, pages
            is_long = pages > 1.25 * self.max_pages
            # The next window requests the last second again, so cut only if it has few records.
            if is_long and len({record.timestamp for record in batch[-20:]}) > 1:
                self._cut(window, batch[-1].timestamp)
                raise SystemExit
            self._put(window, batch)
            if self.is_closed:
                raise SystemExit
            batch, pages = [], pages + 1
            return self.fetch(page)

        try:
            # Without an upper limit, the first record after the window shows how long a gap is.
            for record in self.paginate(fetch, window.since, self.until):
                reached = record.timestamp
                if reached >= window.end != self.end:
                    break
                batch.append(record)
        except SystemExit:
            batch = [record for record in batch if record.timestamp < window.end]
        except BaseException as error:  # noqa: BLE001 - the consumer raises it
            end = error
        self._put(window, batch)
        self.pages_per_second = pages / max(reached - window.since, 1)
        window.is_read = True
        self._start_threads()
        self._put(window, end)

    def _put(self, window: _Window[RecordT], page: list[RecordT] | BaseException | None) -> None:
        while not self.is_closed:
            with suppress(Full):
                window.pages.put(page, timeout=0.5)
                return
