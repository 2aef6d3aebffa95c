"""Before which moment the source can't change any more.

The server's clock alone can't tell: it may run ahead of the one that stamps the records, as a
proxy's may. How far at most, the records show: none is newer than the moment at which it was read.

Pure: no HTTP, no clock. All times are UNIX seconds in UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tap_wootric.changes import Row

VISIBILITY_LAG = 60
"""Seconds within which a change may still become visible with an earlier time (our choice)."""

NEWEST_KEPT = 60
"""Seconds for which the newest records count as the end of the list (our choice)."""


class Horizon:
    """Learns from the records that are read by how much the clock is ahead of them at most."""

    def __init__(self) -> None:
        """Know nothing: by how much the clock was ahead in an earlier sync says nothing now."""
        self.ahead: int | None = None
        self._newest: Sequence[Row] = ()
        self._newest_met: int | None = None

    def meet(self, now: int, edges: Iterable[int]) -> None:
        """Take records that were read at `now`; those dated in the future tell nothing."""
        gaps = [now - edge for edge in edges if edge <= now]
        if gaps:
            self.ahead = min(gaps) if self.ahead is None else min(self.ahead, *gaps)

    def needs_newest(self, *, may_be_all: bool) -> bool:
        """Whether to ask for the newest records: what was read may not reach them."""
        is_enough = may_be_all and self.ahead is not None
        return self._newest_met is None and not is_enough

    def meet_newest(self, now: int, rows: Sequence[Row]) -> None:
        """Take the newest page, ascending. Where all are dated later, the clock is behind."""
        self._newest, self._newest_met = rows, now
        self.meet(now, (row.edge for row in rows))
        self.ahead = self.ahead or 0

    def ending(self, now: int) -> Sequence[Row]:
        """The last records of the list, ascending, as far as they are known at present."""
        is_fresh = self._newest_met is not None and now - self._newest_met <= NEWEST_KEPT
        return self._newest if is_fresh else ()

    def newest(self, now: int) -> int:
        """The second of the newest record, as far as is known."""
        return now - (self.ahead or 0)

    def settled(self, now: int) -> int:
        """The second before which no change can come any more."""
        return self.newest(now) - VISIBILITY_LAG
