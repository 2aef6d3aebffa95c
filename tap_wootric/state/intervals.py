"""Keeps the synced intervals of a stream: which part of its history is known, and as of when.

The state of a stream holds them, and `SyncState` plans a sync with them. All times are UNIX
seconds in UTC. The module is pure.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple, Self

from tap_wootric.timestamps import from_unix, parse

BEGINNING = -(2**62)
END = 2**62

MAX_INTERVALS = 12
"""A `start_date` that moves with every run adds an interval each time; the state stays short."""


class Interval(NamedTuple):
    """All records with `since <= timestamp < until` are known as of `known_at`.

    Known means: each version that was updated before `known_at` was emitted.
    """

    since: int
    until: int
    known_at: int


class Range(NamedTuple):
    """A part of the history to read, in full or only what was updated since a time.

    None means unbounded.
    """

    since: int | None
    until: int | None
    updated_since: int | None = None


class SyncedIntervals:
    """Disjoint intervals in ascending order; adjacent ones differ in `known_at`."""

    def __init__(self, intervals: Iterable[Interval] = ()) -> None:
        """Take disjoint intervals in ascending order."""
        self.items = list(intervals)

    @classmethod
    def from_state(cls, rows: Iterable[Any]) -> Self:
        """Read what `to_state` wrote.

        Raises:
            ValueError, TypeError: The rows have another form.
        """
        items = [
            Interval(BEGINNING if since is None else _second(since), *map(_second, rest))
            for since, *rest in rows
        ]
        if any(a.until > b.since for a, b in pairwise(items)):
            raise ValueError("synced intervals overlap")
        return cls(items)

    def to_state(self) -> list[list[str | None]]:
        """Return a row of RFC 3339 texts per interval; a null `since` means the beginning."""
        return [
            [None if i.since == BEGINNING else from_unix(i.since), *map(from_unix, i[1:])]
            for i in self.items
        ]

    @property
    def latest(self) -> int | None:
        """The latest `known_at`; None if nothing is known."""
        return max((i.known_at for i in self.items), default=None)

    def known_at(self, timestamp: int) -> int | None:
        """Return as of when the records of a second are known; None if they are not."""
        for i in reversed(self.items):
            if i.since <= timestamp:
                return i.known_at if timestamp < i.until else None
        return None

    def cover(self, since: int | None, until: int, known_at: int) -> None:
        """Add the interval `since <= timestamp < until`; it replaces what it overlaps."""
        begin = BEGINNING if since is None else since
        if begin >= until:
            return
        before = [i._replace(until=min(i.until, begin)) for i in self.items if i.since < begin]
        after = [i._replace(since=max(i.since, until)) for i in self.items if i.until > until]
        self.items = _merge([*before, Interval(begin, until, known_at), *after])

    def split(self, since: int | None, until: int | None) -> Iterator[tuple[int, int, int | None]]:
        """Yield the parts of a range as (since, until, known_at), ascending.

        `known_at` is None for a part that no interval contains.
        """
        position, end = BEGINNING if since is None else since, END if until is None else until
        for i in self.items:
            begin, stop = max(i.since, position), min(i.until, end)
            if begin < stop:
                if position < begin:
                    yield position, begin, None
                yield begin, stop, i.known_at
                position = stop
        if position < end:
            yield position, end, None


def merge_ranges(ranges: Iterable[Range]) -> list[Range]:
    """Merge adjacent ranges of the same kind, to save requests.

    Merged updates are requested since the earliest time. `SyncState` still judges each record by
    the interval that contains it.
    """
    merged: list[Range] = []
    for after in ranges:
        last = merged[-1] if merged else None
        is_same_kind = last and (last.updated_since is None) == (after.updated_since is None)
        if last and is_same_kind and last.until == after.since:
            times = [t for t in (last.updated_since, after.updated_since) if t is not None]
            earliest = min(times, default=None)
            merged[-1] = Range(last.since, after.until, earliest)
        else:
            merged.append(after)
    return merged


def _merge(intervals: Iterable[Interval]) -> list[Interval]:
    merged: list[Interval] = []
    for after in intervals:
        last = merged[-1] if merged else None
        if last and last.until == after.since and last.known_at == after.known_at:
            merged[-1] = last._replace(until=after.until)
        else:
            merged.append(after)
    while len(merged) > MAX_INTERVALS:
        i = next((i for i, (a, b) in enumerate(pairwise(merged)) if a.until == b.since), None)
        if i is None:
            break
        # The earlier known_at: a change may then be sent twice, but none is lost.
        known_at = min(merged[i].known_at, merged[i + 1].known_at)
        merged[i : i + 2] = [Interval(merged[i].since, merged[i + 1].until, known_at)]
    return merged


def _second(text: str) -> int:
    return int(parse(text).timestamp())
