"""Remembers the latest emitted records by fingerprint, so that a re-read emits only changes.

Times alone cannot decide near the end of a stream's history: a sync re-reads the last minutes, and
two changes can share a second. The module is pure; all times are UNIX seconds in UTC.
"""

import hashlib
from collections.abc import Iterable
from typing import Any, NamedTuple, Self

import msgspec

from tap_wootric.state.intervals import SyncedIntervals

MAX_FINGERPRINTS = 10_000
"""Bounds the state. More records than this in ten minutes are sent again by the next sync."""


class Record(NamedTuple):
    """A record of a list with what pagination and state need to know of it.

    `timestamp` is the second of the replication key, `updated` that of the last change, and `sent`
    the object of the API. `error` says why the record cannot be delivered, if so.
    """

    id: int | str
    timestamp: int
    updated: int
    sent: Any
    error: str | None = None

    @property
    def identity(self) -> tuple[int | str, int]:
        """What distinguishes this record at this place from every other."""
        return self.id, self.timestamp


def content_hash(sent: Any) -> str:
    """Return a short hash of an object of the API. Equal content has an equal hash."""
    content = msgspec.json.encode(sent, order="deterministic")
    return hashlib.blake2b(content, digest_size=9).hexdigest()


class Fingerprint(NamedTuple):
    """A record that was emitted: its id, its times, and a hash of its content."""

    id: int | str
    timestamp: int
    updated: int
    hash: str

    @classmethod
    def of(cls, record: Record) -> Self:
        """Compute the fingerprint of a record."""
        return cls(record.id, record.timestamp, record.updated, content_hash(record.sent))


class RecentFingerprints:
    """The fingerprints that a later sync still needs."""

    def __init__(self, rows: Iterable[Any]) -> None:
        """Read what `to_state` wrote.

        Raises:
            ValueError, TypeError: The rows have another form.
        """
        found = [Fingerprint(*row) for row in rows]
        self._known = {f.id: f for f in found if f.timestamp + f.updated is not None}

    def add(self, record: Record) -> bool:
        """Remember a record. Return False if the same version is already remembered."""
        known, found = self._known.get(record.id), Fingerprint.of(record)
        self._known[record.id] = found
        return known is None or known.hash != found.hash

    def to_state(self, intervals: SyncedIntervals) -> list[list[Any]]:
        """Forget what the given intervals make superfluous, and return a row per fingerprint."""
        needed = (f for f in self._known.values() if _is_needed(f, intervals))
        latest = sorted(needed, key=lambda f: max(f.timestamp, f.updated))
        self._known = {f.id: f for f in latest[-MAX_FINGERPRINTS:]}
        return [[*f] for f in self._known.values()]


def _is_needed(item: Fingerprint, intervals: SyncedIntervals) -> bool:
    """Whether a later sync reads the record again and cannot judge it by its times."""
    known_at = intervals.known_at(item.timestamp)
    return known_at is None or item.updated >= known_at
