"""What becomes of each record: the store and the statistics are updated here."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from target_birdie.config.settings import Settings
from target_birdie.delivery.batch import BatchId
from target_birdie.delivery.pending import MOST_ATTEMPTS, PendingRecord, Row
from target_birdie.delivery.statistics import Statistics
from target_birdie.errors import RejectedRecordError, TooManyRejectedError
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
        row = self._store.look_up(record.key) if self._store and not record.retried else None
        if row is None:
            return False
        if row.fingerprint == record.fingerprint:
            self.statistics.count("unchanged", record.stream.name)
            if row.reason:
                self._put(Row(*record.key, record.stream.name, record.fingerprint))
            return True
        if row.rejected_fingerprint == record.fingerprint:
            return True  # retried at the end of the run
        if row.fingerprint or row.reason:
            # Until the reply arrives, what Birdie has is unknown. A rejected record stays, in case
            # this run is killed, but a retry must not overwrite the version that is now sent.
            attempts = MOST_ATTEMPTS if row.reason else 0
            self._put(replace(row, fingerprint=b"", attempts=attempts))
            if self._store and self._settings.destination == "birdie" and self._is_real:
                self._store.commit()
        return False

    @property
    def _is_real(self) -> bool:
        return not self._settings.dry_run

    def _put(self, row: Row) -> None:
        if self._store and self._is_real:
            self._store.put(row)

    def request_of(self, record: PendingRecord) -> tuple[str, bytes]:
        """Return the path and the body to send."""
        record_type, record_id = record.key
        field = payload.RECORD_TYPES[record_type]
        path = self._settings.paths[record_type].format(**{field: quote(record_id, safe="")})
        return path, payload.with_batch(record.payload, self._batch.current())

    def accepted(self, record: PendingRecord) -> None:
        """Note what the destination has."""
        self._replace(record, Row(*record.key, record.stream.name, record.fingerprint))
        what = "accepted on retry" if record.retried else "sent"
        self.statistics.count(what, record.stream.name)

    def rejected(self, record: PendingRecord, reason: str, message: str) -> None:
        """Keep a rejected record.

        Raises:
            TargetError: The settings end the run.
        """
        name, old = record.stream.name, record.retried
        if old is None:
            self.statistics.rejected(name, record.key[1], reason)
            if self._settings.on_reject == "stop" and self._is_real:
                raise RejectedRecordError(stream=name, reason=reason)
        kept = record.stream.mapper.redacted(record.record) if record.record else None
        now, columns = utc_now(), json.dumps(record.stream.columns).encode()
        attempts, first_at = (old.attempts + 1, old.first_at) if old else (1, now)
        content = payload.encode(kept) if kept else b""
        row = Row(*record.key, name, record.known, record.fingerprint, reason, message)
        row = replace(row, attempts=attempts, first_at=first_at, last_at=now)
        self._replace(record, replace(row, record=content, columns=columns))
        if old:
            self.statistics.count("still rejected", name)
        else:
            self._check_number()

    def _replace(self, record: PendingRecord, row: Row) -> None:
        """Put a row, and clear the one of a retry whose key has changed with the mapping."""
        self._put(row)
        if record.retried and record.retried.key != row.key:
            self._put(Row(*record.retried.key, row.stream))

    def _check_number(self) -> None:
        read, rejected = self.statistics.total("read"), self.statistics.total("rejected")
        limit, counts = self._settings.max_rejects, self._is_real
        if self._settings.max_rejects_is_share:
            limit, counts = limit * read, counts and read >= _SHARE_COUNTS_FROM
        if counts and rejected > limit:
            raise TooManyRejectedError(rejected=rejected, read=read)


def utc_now() -> str:
    """Return the current time as RFC 3339 in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
