"""A record on its way, and the interface of the destinations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from target_birdie.delivery.checkpoints import Result
from target_birdie.errors import TargetError
from target_birdie.mapping.mapper import StreamMapper
from target_birdie.mapping.payload import Key


@dataclass(frozen=True, slots=True)
class MappedStream:
    """A stream with its mapper and the columns of its SCHEMA."""

    name: str
    mapper: StreamMapper
    columns: tuple[str, ...]


@dataclass(slots=True)
class PendingRecord:
    """A record on its way.

    Attributes:
        stream: Where it comes from.
        key: Record type and id.
        record: The record as the tap wrote it; empty once its result is done.
        payload: Encoded payload without the batch.
        fingerprint: Fingerprint of the payload.
        group: Name of the files that contain such records.
        posted_at: When the feedback was posted, as RFC 3339; "" for other records.
        attempts: How often earlier runs tried it.
        first_at: When an earlier run rejected it first; "" for a record of this run.
        replaces: Key of the rejected record that this one replaces; None if there is none.
    """

    stream: MappedStream
    key: Key
    record: dict[str, Any]
    payload: bytes = b""
    fingerprint: bytes = b""
    group: str = ""
    posted_at: str = ""
    attempts: int = 0
    first_at: str = ""
    replaces: Key | None = None
    result: Result = field(default_factory=Result)

    @property
    def is_retry(self) -> bool:
        """Whether an earlier run rejected this very record."""
        return bool(self.attempts)

    def finish(self) -> None:
        """Mark the result as done and release the record."""
        self.record = {}
        self.result.is_done = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRecord:
    """A record that Birdie or the mapping rejected; `record` is None if it cannot be retried."""

    record_type: str
    id: str
    stream: str
    reason: str
    message: str
    attempts: int
    first_at: str
    last_at: str
    rejected_fingerprint: bytes
    record: bytes | None
    columns: bytes

    @property
    def key(self) -> Key:
        """Record type and id."""
        return self.record_type, self.id


class Destination(Protocol):
    """Where records are delivered."""

    failure: TargetError | None

    def submit(self, record: PendingRecord) -> Result | None:
        """Take a record; return the result that states wait for, None if there is none."""

    def overtake(self, key: Key) -> None:
        """Finish the version on its way: a newer one was rejected before it was submitted."""

    def drain(self) -> None:
        """Finish every record that was taken."""

    def stop(self) -> None:
        """Start no further request."""

    def wait(self, seconds: Callable[[], float]) -> bool:
        """Wait for requests on their way while seconds are left; return whether all are over."""
