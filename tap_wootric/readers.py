"""Threads that read the slices of a history side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Generic

from tap_wootric.pages import PageRequest, RecordT
from tap_wootric.slices import Slice, Slices

SECONDS_BETWEEN_LOOKS = 1.0
"""The main thread waits in short turns, so that a signal reaches it on every platform."""


class Readers(Generic[RecordT]):
    """Reads slices with several threads and hands out their records in order."""

    def __init__(
        self,
        slices: Slices[RecordT],
        fetch: Callable[[PageRequest], list[RecordT]],
    ) -> None:
        """Take the slices and what asks for a page, which any thread may call."""
        self._slices = slices
        self._fetch = fetch
        self._changed = threading.Condition()
        self._is_over = False

    def records(
        self, interruptible: Callable[[], AbstractContextManager[None]]
    ) -> Iterator[RecordT]:
        """Yield all records in order.

        The threads are daemons: a process that ends does not wait for their requests.

        Args:
            interruptible: Marks a wait that a termination signal may break off.
        """
        for _ in range(self._slices.readers):
            threading.Thread(target=self._read_slices, daemon=True).start()
        try:
            while (records := self._next(interruptible)) is not None:
                yield from records
        finally:
            with self._changed:
                self._is_over = True
                self._changed.notify_all()

    def _next(
        self, interruptible: Callable[[], AbstractContextManager[None]]
    ) -> list[RecordT] | None:
        with interruptible(), self._changed:
            while (head := self._slices.head) is not None:
                if head.waiting:
                    self._changed.notify_all()
                    return self._slices.leave(head)
                if head.error is not None:
                    raise head.error
                self._changed.wait(SECONDS_BETWEEN_LOOKS)
        return None

    def _read_slices(self) -> None:
        while (piece := self._take()) is not None:
            try:
                self._read(piece)
            except BaseException as error:  # noqa: BLE001 - the main thread raises it in its turn
                with self._changed:
                    piece.error = error
                    self._changed.notify_all()
                return

    def _take(self) -> Slice[RecordT] | None:
        with self._changed:
            while not self._is_over and self._slices.head is not None:
                piece = self._slices.take()
                if piece is not None:
                    return piece
                self._changed.wait()
        return None

    def _read(self, piece: Slice[RecordT]) -> None:
        while (page := self._next_page(piece)) is not None:
            records = self._fetch(page)
            with self._changed:
                self._slices.add(piece, piece.walk.feed(records))
                self._changed.notify_all()

    def _next_page(self, piece: Slice[RecordT]) -> PageRequest | None:
        with self._changed:
            while not self._is_over and not self._slices.may_read(piece):
                self._changed.wait()
            return None if self._is_over else piece.walk.page
