"""What becomes of each record: the store and the statistics are updated here."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from target_birdie.config.settings import Settings
from target_birdie.delivery.batch import BatchId
from target_birdie.delivery.pending import PendingRecord, RejectedRecord
from target_birdie.delivery.statistics import Statistics
from target_birdie.errors import TargetError
from target_birdie.mapping import payload

if TYPE_CHECKING:  # importing SQLAlchemy takes 0.4 s and 17 MB
    from target_birdie.delivery.store import Store

_SHARE_COUNTS_FROM = 100


class Outcomes:
    """Notes the outcomes of a run; may be shared by threads."""

    def __init__(self, settings: Settings, store: Store | None, statistics: Statistics) -> None:
        self.statistics = statistics
        self._settings = settings
        self._store = store
        self._batch = BatchId(settings.batch_id)

    def is_settled(self, record: PendingRecord) -> bool:
        """Return whether Birdie has this payload, or whether it was rejected already."""
        known = self._store.look_up(record.key) if self._store and not record.is_retry else None
        if known is None or self._store is None:
            return False
        if known.fingerprint == record.fingerprint:
            self.statistics.count("unchanged", record.stream.name)
            if known.rejected_fingerprint and not self._settings.dry_run:
                self._store.put(record.key, record.stream.name, record.fingerprint)
            return True
        if known.rejected_fingerprint == record.fingerprint:
            return True  # retried at the end of the run
        if not self._settings.dry_run and (known.fingerprint or known.rejected_fingerprint):
            # From here until the reply arrives, what Birdie has is unknown.
            self._store.put(record.key, record.stream.name)
            if self._settings.destination == "birdie":
                self._store.commit()
        return False

    def request_of(self, record: PendingRecord) -> tuple[str, bytes]:
        """Return the path and the body to send."""
        record_type, record_id = record.key
        field = payload.RECORD_TYPES[record_type]
        path = self._settings.paths[record_type].format(**{field: quote(record_id, safe="")})
        return path, payload.with_batch(record.payload, self._batch.current())

    def accepted(self, record: PendingRecord) -> None:
        """Note what the destination has."""
        if self._store:
            self._store.put(record.key, record.stream.name, record.fingerprint)
            self._release(record)
        what = "accepted on retry" if record.is_retry else "sent"
        self.statistics.count(what, record.stream.name)

    def _release(self, record: PendingRecord) -> None:
        """Clear the row of a retried record whose key has changed with the mapping."""
        if self._store and record.replaces and record.replaces != record.key:
            self._store.put(record.replaces, record.stream.name)

    def rejected(
        self, record: PendingRecord, reason: str, message: str, known: bytes | None = None
    ) -> None:
        """Keep a rejected record; `known` is the fingerprint of what Birdie has.

        Raises:
            TargetError: The settings end the run.
        """
        stream = record.stream
        if not record.is_retry:
            self.statistics.rejected(stream.name, record.key[1], reason)
            if self._settings.on_reject == "stop" and not self._settings.dry_run:
                raise TargetError(
                    f"A record of stream '{stream.name}' was rejected ({reason}) and on_reject is "
                    "'stop'. Correct the record or the mapping."
                )
        if self._store and not self._settings.dry_run:
            self._store.reject(_rejected(record, reason, message), known)
            self._release(record)
        if record.is_retry:
            self.statistics.count("still rejected", stream.name)
        else:
            self._check_number()

    def _check_number(self) -> None:
        read, rejected = self.statistics.total("read"), self.statistics.total("rejected")
        limit, counts = self._settings.max_rejects, True
        if self._settings.max_rejects_is_share:
            limit, counts = limit * read, read >= _SHARE_COUNTS_FROM
        if counts and rejected > limit and not self._settings.dry_run:
            raise TargetError(
                f"{rejected} of {read} records were rejected, more than max_rejects allows. "
                "See the reasons with --rejects and correct the mapping."
            )


def _rejected(record: PendingRecord, reason: str, message: str) -> RejectedRecord:
    kept = record.stream.mapper.redacted(record.record) if record.record else None
    now = utc_now()
    return RejectedRecord(
        record_type=record.key[0],
        id=record.key[1],
        stream=record.stream.name,
        reason=reason,
        message=message,
        attempts=record.attempts + 1,
        first_at=record.first_at or now,
        last_at=now,
        rejected_fingerprint=record.fingerprint,
        record=payload.encode(kept) if kept else None,
        columns=json.dumps(record.stream.columns).encode(),
    )


def utc_now() -> str:
    """Return the current time as RFC 3339 in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
