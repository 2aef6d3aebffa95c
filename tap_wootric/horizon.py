"""Before which moment the source can't change any more.

The server's clock alone can't tell: it may run ahead of the one that stamps the records, as a
proxy's may. How far at most, the records show: none is newer than the moment at which it was read.

Pure: no HTTP, no clock. All times are UNIX seconds in UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tap_wootric.changes import Row

VISIBILITY_LAG = 60
"""Seconds within which a change may still become visible with an earlier time (our choice)."""

NEWEST_KEPT = 60
"""Seconds for which the newest records count as the end of the list (our choice)."""

QUIET = 600
"""Seconds after which all changes up to one that an earlier sync has met are visible (our choice).

Longer than `VISIBILITY_LAG` by what `Date` may have come to be ahead meanwhile.
"""


class LastChange(NamedTuple):
    """The second of the last change that a sync has met, and by when it had."""

    second: int
    met: int


class Horizon:
    """Learns from the records that are read by how much the clock is ahead of them at most."""

    def __init__(self, before: LastChange | None = None) -> None:
        """Know nothing: by how much the clock was ahead in an earlier sync says nothing now.

        Args:
            before: The last change that an earlier sync has met.
        """
        self.ahead: int | None = None
        self._before = before
        self._latest: int | None = None
        self._newest: Sequence[Row] = ()
        self._newest_met: int | None = None

    def meet(self, now: int, updates: Iterable[int]) -> None:
        """Take records that were read at `now`; those dated in the future tell nothing."""
        latest = max((second for second in updates if second <= now), default=None)
        if latest is not None:
            self.ahead = now - latest if self.ahead is None else min(self.ahead, now - latest)
            self._latest = latest if self._latest is None else max(self._latest, latest)

    def needs_newest(self, *, may_be_all: bool) -> bool:
        """Whether to ask for the newest records: what was read may not reach them."""
        is_enough = may_be_all and self.ahead is not None
        return self._newest_met is None and not is_enough

    def meet_newest(self, now: int, rows: Sequence[Row]) -> None:
        """Take the newest page, ascending. Where all are dated later, the clock is behind."""
        self._newest, self._newest_met = rows, now
        self.meet(now, (row.updated for row in rows))
        self.ahead = self.ahead or 0

    def ending(self, now: int) -> Sequence[Row]:
        """The last records of the list, ascending, as far as they are known at present."""
        is_fresh = self._newest_met is not None and now - self._newest_met <= NEWEST_KEPT
        return self._newest if is_fresh else ()

    def newest(self, now: int) -> int:
        """The second of the newest record, as far as is known."""
        return now - (self.ahead or 0)

    def settled(self, now: int, *, is_dated: bool = False) -> int:
        """The second before which no change can come any more.

        Args:
            now: The present.
            is_dated: Whether that is by the server's clock, so that syncs can be told apart by it.
        """
        settled = self.newest(now) - VISIBILITY_LAG
        if self._before is not None and is_dated and now - self._before.met >= QUIET:
            settled = max(settled, self._before.second + 1)
        return settled

    def last_change(self, now: int) -> LastChange | None:
        """What to tell the next sync: the latest change met by now, or by an earlier sync."""
        if self._latest is None or (self._before and self._before.second >= self._latest):
            return self._before
        return LastChange(self._latest, now)
