"""Plans one incremental sync, decides which records it emits, and writes the state it leaves.

The state of a stream holds the SDK's bookmark and two keys: `intervals` and `recent`. Every state
that is written is valid: a sync that resumes from it loses nothing. The module is pure; all times
are UNIX seconds in UTC.
"""

from collections.abc import Iterator, MutableMapping
from typing import Any

from tap_wootric.state.fingerprints import RecentFingerprints, Record
from tap_wootric.state.intervals import (
    BEGINNING,
    END,
    Interval,
    Range,
    SyncedIntervals,
    merge_ranges,
)
from tap_wootric.timestamps import parse

BOOKMARK = "replication_key_value"
INTERVALS = "intervals"
RECENT = "recent"

MARGIN = 600
"""Seconds within which a change may still become visible under an earlier time (our choice)."""


class SyncState:
    """Follows one sync of one stream from range to range."""

    def __init__(self, state: MutableMapping[str, Any], replication_key: str, now: int) -> None:
        """Read the state of the stream, which the sync then updates in place.

        Args:
            state: The stream's own state, as the SDK keeps it.
            replication_key: The key that the list is sorted by.
            now: The present as a UNIX second; a bookmark after it counts as `now`.

        Raises:
            ValueError, TypeError: The state has an unknown form.
        """
        if state.get("replication_key", replication_key) != replication_key:
            state.clear()
        self._state = state
        bookmark = state.get(BOOKMARK)
        seconds = None if bookmark is None else int(parse(bookmark).timestamp())
        self._bookmark = None if seconds is None else min(seconds, now)
        if INTERVALS in state:
            self._synced = SyncedIntervals.from_state(state[INTERVALS])
        elif self._bookmark is not None:  # written by another tap: all before it is known
            self._synced = SyncedIntervals([Interval(BEGINNING, self._bookmark, self._bookmark)])
        else:
            self._synced = SyncedIntervals()
        self._recent = RecentFingerprints(state.get(RECENT) or ())
        self._done: list[Range] = []
        self._range: Range | None = None
        self._reached: int | None = None
        self._server_time: int | None = None
        self._newest_update: int | None = None
        self.changed = 0

    def ranges(self, since: int | None, until: int | None, *, asks_updates: bool) -> list[Range]:
        """Plan what to read of `since <= timestamp < until`, ascending.

        Args:
            since: None for the beginning.
            until: None for no end.
            asks_updates: False for a list that is sorted by `updated_at`: a change leaves the known
                intervals, so they need no second look.
        """
        planned = (_range(*part) for part in self._synced.split(since, until))
        return merge_ranges(r for r in planned if asks_updates or r.updated_since is None)

    def is_known(self, timestamp: int) -> bool:
        """Return whether an earlier sync read the records of a second."""
        return self._synced.known_at(timestamp) is not None

    def look_back(self, until: int | None, seconds: int, *, is_ignored: bool) -> list[Range]:
        """Plan the rest of a sync if the API cannot list changes: re-read the last `seconds`.

        Args:
            until: None for no end.
            seconds: How far before the bookmark, or before the end of what is known.
            is_ignored: The API ignores the filter. Then nothing more can be asked about older
                intervals, so they count as known. If it refuses the filter, they stay as they are.
        """
        edge = self._synced.items[-1].until if self._synced.items else END
        begin = (edge if self._bookmark is None else self._bookmark) - seconds
        current = self._range
        if current is not None and self._reached is not None:
            self._done.append(Range(current.since, self._reached))
        if is_ignored:
            older = (i for i in self._synced.items if i.since < begin)
            self._done += [Range(i.since, min(i.until, begin)) for i in older]
        start = current.since if current else None
        start = start if self._reached is None else self._reached
        return merge_ranges(self._plain_ranges(start, until, begin))

    def _plain_ranges(self, start: int | None, until: int | None, begin: int) -> Iterator[Range]:
        for since, end, known_at in self._synced.split(start, until):
            since = since if known_at is None else max(since, begin)  # noqa: PLW2901
            if since < end:
                yield _range(since, end)

    def start(self, range_: Range) -> None:
        """Note that the sync reads this range now."""
        self._range, self._reached = range_, None

    def finish(self) -> None:
        """Note that the range was read to its end."""
        if self._range is not None:
            self._done.append(self._range)
        self._range = None

    def saw_reply(self, server_time: int) -> None:
        """Note the server's clock. Only the first reply counts: later changes are not known."""
        if self._server_time is None:
            self._server_time = server_time

    def is_new(self, record: Record) -> bool:
        """Decide whether to emit a record of the current range."""
        self._reached = max(record.timestamp, self._reached or record.timestamp)
        self._newest_update = max(record.updated, self._newest_update or record.updated)
        known_at = self._synced.known_at(record.timestamp)
        if known_at is not None and record.updated < known_at:
            return False
        is_new = self._recent.add(record)
        self.changed += is_new and known_at is not None
        return is_new

    def save(self) -> None:
        """Write into the state what the next sync need not read again."""
        known_at = self._known_at()
        if known_at is None:
            return
        after = SyncedIntervals(self._synced.items)
        for done in self._done:
            after.cover(
                done.since, min(END if done.until is None else done.until, known_at), known_at
            )
        if self._range is not None and self._reached is not None:
            after.cover(self._range.since, min(self._reached, known_at), known_at)
        self._state[INTERVALS] = after.to_state()
        self._state[RECENT] = self._recent.to_state(after)

    def _known_at(self) -> int | None:
        """As of when this sync knows what it has read; None if it has read nothing.

        The newest update bounds a server clock that is ahead of the clock that stamps the records.
        """
        if self._newest_update is None or self._server_time is None:
            return self._synced.latest
        known_at = min(self._server_time, self._newest_update) - MARGIN
        return max(known_at, self._synced.latest or known_at)


def _range(since: int, until: int, known_at: int | None = None) -> Range:
    begin, end = None if since == BEGINNING else since, None if until == END else until
    return Range(begin, end, known_at)
