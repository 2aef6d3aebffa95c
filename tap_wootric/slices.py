"""Cutting a long history into time slices that are read side by side and leave in order.

Where the data lies is not known beforehand. So slices are cut as they are needed, each about as
long as what has been read lately suggests, and one that turns out denser is cut again while it is
being read. What is read ahead of its turn is bounded.

Pure: no HTTP, no clock, no threads.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Generic

from tap_wootric.pages import PageSize, RecordT
from tap_wootric.walk import OverfullSecond, Walk

LONGEST = 26
"""Pages in a slice, at most: short enough to share the end of a history fairly."""

SHORTEST = 20
"""Pages in a slice, at least: each costs about half a page more than a walk without slices."""

READ_AHEAD = 6_000
"""Records that may wait for their turn, so that memory stays bounded."""

READ_AHEAD_BYTES = 4_000_000
"""The same for records that are large as they are sent; read, they take several times as much."""


@dataclass(eq=False)
class Slice(Generic[RecordT]):
    """A time range that one reader walks, from the second `since` on."""

    walk: Walk[RecordT]
    since: int
    waiting: deque[list[RecordT]] = field(default_factory=deque)
    records: int = 0
    is_taken: bool = False
    is_done: bool = False
    error: BaseException | None = None

    @property
    def position(self) -> int:
        """The second that has been reached."""
        return max(self.since, self.walk.second or self.since)

    def left(self, end: int) -> float:
        """Records still to come before `end`, going by those so far."""
        elapsed = self.position - self.since
        return max(end - self.position, 0) * self.records / elapsed if elapsed > 0 else 0.0


class Slices(Generic[RecordT]):
    """What is left of a time range, in order; readers take slices, records leave from the head."""

    def __init__(
        self,
        walk: Walk[RecordT],
        page_size: PageSize,
        *,
        now: int,
        readers: int,
        record_bytes: int = 1,
    ) -> None:
        """Take over from a walk that has come some way; it stays with the first slice.

        Args:
            walk: The walk.
            page_size: Shared by all walks.
            now: UNIX second at which an open range ends for the present.
            readers: How many may read side by side.
            record_bytes: Size of a record as it is sent.
        """
        self.waiting = 0
        self._room = max(min(READ_AHEAD, READ_AHEAD_BYTES // record_bytes), page_size.full)
        self.readers = min(readers, 1 + self._room // (SHORTEST * page_size.full))
        """As many as have room for a slice each while the first is read: more would just wait."""
        self.overfull: list[OverfullSecond] = []
        self._page_size = page_size
        self._until = walk.until
        self._end = now if walk.until is None else min(walk.until, now)
        self._density = walk.density or 1.0
        begin = walk.second or 0
        self._uncut: int | None = self._next_cut(begin)
        if self._uncut is not None:
            walk.shorten(self._uncut)
        self._slices = deque([Slice(walk, begin)])

    @property
    def head(self) -> Slice[RecordT] | None:
        """The slice whose records leave next; None at the end."""
        while self._slices and self._slices[0].is_done and not self._slices[0].waiting:
            self._slices.popleft()
        if not self._slices and self._uncut is not None:
            self._cut(self._uncut)
        return self._slices[0] if self._slices else None

    def may_read(self, piece: Slice[RecordT]) -> bool:
        """Whether there is room for more of its records; for those of the head there always is."""
        return piece is self.head or self.waiting < self._room

    def take(self) -> Slice[RecordT] | None:
        """A slice for a reader that is free; None while there is nothing to do."""
        piece = next((s for s in self._slices if not s.is_taken), None)
        if piece is None and self._uncut is not None and self.waiting < self._room:
            piece = self._cut(self._uncut)
        if piece is None:
            piece = self._share()
        if piece is None or not self.may_read(piece):
            return None
        piece.is_taken = True
        return piece

    def add(self, piece: Slice[RecordT], records: list[RecordT]) -> None:
        """Take what a reader has read of a slice."""
        piece.records += len(records)
        piece.is_done = piece.walk.page is None
        if records:
            piece.waiting.append(records)
            self.waiting += len(records)
        self.overfull += [found for found in piece.walk.overfull if found not in self.overfull]
        if piece.is_done:
            until = piece.walk.until or self._end
            self._density = max(piece.records, 1) / max(until - piece.since, 1)

    def leave(self, piece: Slice[RecordT]) -> list[RecordT]:
        """The next records of the head."""
        records = piece.waiting.popleft()
        self.waiting -= len(records)
        return records

    def _next_cut(self, begin: int) -> int | None:
        """Where a slice from `begin` on is to end; None when it takes all that is left."""
        full = self._page_size.full
        left = self._density * (self._end - begin) / full
        pages = min(max(left / self.readers, SHORTEST), LONGEST)
        cut = begin + max(int(pages * full / self._density), 2)
        return None if cut + 2 >= self._end else cut

    def _cut(self, begin: int) -> Slice[RecordT]:
        self._uncut = self._next_cut(begin)
        until = self._until if self._uncut is None else self._uncut
        piece = Slice(Walk[RecordT](begin, until, self._page_size), begin)
        self._slices.append(piece)
        return piece

    def _share(self) -> Slice[RecordT] | None:
        """Cut the earliest slice in two that has turned out long enough for two readers."""
        for index, piece in enumerate(self._slices):
            until = piece.walk.until
            end = self._end if until is None else min(until, self._end)
            middle = piece.position + (end - piece.position) // 2
            is_long = piece.left(end) >= 2 * SHORTEST * self._page_size.full
            if not piece.is_done and is_long and middle >= piece.position + 2:
                piece.walk.shorten(middle)
                half = Slice(Walk[RecordT](middle, until, self._page_size), middle)
                self._slices.insert(index + 1, half)
                return half
        return None
