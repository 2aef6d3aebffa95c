"""A record on its way, its row in the store, and what a destination does with it."""

from dataclasses import dataclass, field
from typing import Any

from target_birdie.delivery.checkpoints import Result
from target_birdie.mapping.mapper import StreamMapper
from target_birdie.mapping.payload import Key
from target_birdie.mapping.values import InvalidRecordError

MOST_ATTEMPTS = 5
"""Attempts after which a rejected record is retried only if its payload has changed."""


@dataclass(frozen=True, slots=True)
class Row:
    """What the store knows of one record type and id.

    Attributes:
        record_type: Type of the Birdie record.
        id: Its id.
        stream: Stream that produced it last.
        fingerprint: Fingerprint of the payload that Birdie has; empty if unknown.
        rejected_fingerprint: Fingerprint of the rejected version.
        reason: Why it was rejected; empty if it was not.
        message: Birdie's text, or the detail.
        attempts: How often it was tried.
        first_at: When it was rejected first, as RFC 3339.
        last_at: When it was rejected last.
        record: The rejected record as JSON; empty if it cannot be retried.
        columns: Names of the columns in its SCHEMA as JSON.
    """

    record_type: str
    id: str
    stream: str
    fingerprint: bytes = b""
    rejected_fingerprint: bytes = b""
    reason: str = ""
    message: str = ""
    attempts: int = 0
    first_at: str = ""
    last_at: str = ""
    record: bytes = b""
    columns: bytes = b""

    @property
    def key(self) -> Key:
        """Record type and id."""
        return self.record_type, self.id


@dataclass(slots=True)
class PendingRecord:
    """A record on its way.

    Attributes:
        stream: The stream that it comes from.
        key: Record type and id.
        record: The record as the tap wrote it; empty once its result is done.
        payload: Encoded payload without the batch.
        fingerprint: Fingerprint of the payload, or of the record if it cannot be mapped.
        group: Name of the files that contain such records.
        posted_at: When the feedback was posted, as RFC 3339; "" for other records.
        retried: The rejected row that it is a retry of.
        error: Why it cannot be mapped.
        result: What states wait for.
        newer: The newest version of the id, which waits for this one.
        started: Monotonic time of the first attempt; 0 before it.
        failures: Failed attempts.
        accepted_before: Acceptances of its record type before its first failure.
    """

    stream: StreamMapper
    key: Key
    record: dict[str, Any]
    payload: bytes = b""
    fingerprint: bytes = b""
    group: str = ""
    posted_at: str = ""
    retried: Row | None = None
    error: InvalidRecordError | None = None
    result: Result = field(default_factory=Result)
    newer: "PendingRecord | None" = None
    started: float = 0.0
    failures: int = 0
    accepted_before: int = 0

    def finish(self) -> None:
        """Mark the result as done and release the record."""
        self.record = {}
        self.result.is_done = True


class Destination:
    """Where records are delivered; this one, before the first mapped stream, takes none."""

    def submit(self, record: PendingRecord) -> Result | None:  # noqa: ARG002
        """Take a record; return the result that states wait for, or None."""
        return None

    def drain(self) -> None:
        """Finish every record that was taken.

        Raises:
            TargetError: The run cannot be completed.
        """

    def stop(self) -> None:
        """Start no further request."""

    def wait(self, seconds: float) -> bool:  # noqa: ARG002
        """Wait so long at most for requests on their way; return whether all are over."""
        return True
