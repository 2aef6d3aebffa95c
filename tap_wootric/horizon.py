"""Before which moment the source can't change any more.

The server's clock alone can't tell: it may run ahead of the one that stamps the records, as a
proxy's may. How far at most, the records show: none is newer than the moment at which it was read.

Pure: no HTTP, no clock. All times are UNIX seconds in UTC.
"""

from __future__ import annotations

from collections.abc import Iterable

VISIBILITY_LAG = 60
"""Seconds within which a change may still become visible with an earlier time (our choice)."""


class Horizon:
    """Learns from the records that are read by how much the clock is ahead of them at most."""

    def __init__(self) -> None:
        """Know nothing: by how much the clock was ahead in an earlier sync says nothing now."""
        self.ahead: int | None = None

    def meet(self, now: int, edges: Iterable[int]) -> None:
        """Take records that were read at `now`; those dated in the future tell nothing."""
        gaps = [now - edge for edge in edges if edge <= now]
        if gaps:
            self.ahead = min(gaps) if self.ahead is None else min(self.ahead, *gaps)

    def newest(self, now: int) -> int:
        """The second of the newest record, as far as is known."""
        return now - (self.ahead or 0)

    def settled(self, now: int) -> int:
        """The second before which no change can come any more."""
        return self.newest(now) - VISIBILITY_LAG
