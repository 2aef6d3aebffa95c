"""What becomes of each record: the store and the statistics are updated here."""

from __future__ import annotations

import json
import secrets
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import blake2b
from math import inf
from typing import TYPE_CHECKING
from urllib.parse import quote

from target_birdie.config.settings import Settings
from target_birdie.delivery.records import MOST_ATTEMPTS, PendingRecord, Row
from target_birdie.delivery.statistics import Statistics
from target_birdie.errors import (
    DuplicateKeyError,
    MissingStoreError,
    RejectedRecordError,
    TooManyRejectedError,
)
from target_birdie.mapping import payload

if TYPE_CHECKING:  # importing SQLAlchemy takes 0.4 s and 17 MB
    from target_birdie.delivery.store import Store

LONGEST_BATCH_SECONDS = 23 * 3600
"""Birdie wants all records of a batch within 24 hours."""
_SHARE_COUNTS_FROM = 100


class Outcomes:
    """Notes the outcomes of a run; may be shared by threads."""

    def __init__(self, settings: Settings, statistics: Statistics) -> None:
        self.statistics = statistics
        self.store: Store | None = None
        if settings.store_url != "none":
            with suppress(MissingStoreError):  # a dry run creates none
                self.store = open_store(settings, read_only=settings.dry_run)
        if self.store and self.store.was_created:
            statistics.logger.info("Created the delivery store %s", self.store.shown)
        self.known_types: set[str] = set()
        """Types that Birdie has accepted, in this run or an earlier one."""
        self._settings = settings
        self._batch_id = new_batch_id()
        self._started = time.monotonic()

    def is_settled(self, record: PendingRecord) -> bool:
        """Reject a record that is invalid; return whether a record need not be sent.

        Raises:
            TargetError: The settings end the run.
        """
        row = self.store.look_up(record.key) if self.store else None
        if record.retried:
            is_settled = self._is_retry_settled(record, record.retried, row)
        else:
            is_settled = row is not None and self._is_known(record, row)
        if record.error and not is_settled:
            self.rejected(record, record.error.reason, record.error.detail)
        return is_settled or record.error is not None

    def _is_known(self, record: PendingRecord, row: Row) -> bool:
        """Return whether Birdie has this payload, or whether it was rejected already."""
        stream = record.stream.name
        if row.stream != stream and row.stream in self._settings.streams:
            raise DuplicateKeyError(first=row.stream, second=stream)
        if row.fingerprint == record.fingerprint:
            self.known_types.add(row.record_type)
            self.statistics.count("unchanged", stream)
            if row.reason:
                self._put(Row(*record.key, stream, record.fingerprint))
            return True
        if row.rejected_fingerprint == record.fingerprint:
            return True  # retried at the end of the run
        if (row.fingerprint or row.reason) and not record.error:
            # Until the reply arrives, what Birdie has is unknown. A rejected record stays, in case
            # this run is killed, but a retry must not overwrite the version that is now sent.
            attempts = MOST_ATTEMPTS if row.reason else 0
            self._put(replace(row, fingerprint=b"", attempts=attempts))
            if self.store and self._settings.sends:
                self.store.commit()
        return False

    def _is_retry_settled(self, record: PendingRecord, old: Row, row: Row | None) -> bool:
        """Return whether a retry has no prospect, or a newer version has its id."""
        if old.attempts >= MOST_ATTEMPTS and old.rejected_fingerprint == record.fingerprint:
            self.statistics.count("still rejected", old.stream)
            return True
        if row and row.key != old.key:  # the mapping has changed the id
            self._put(Row(*old.key, old.stream))
            return True
        return False

    def request_of(self, record: PendingRecord) -> tuple[str, bytes]:
        """Return the path and the body to send."""
        record_type, record_id = record.key
        field = payload.RECORD_TYPES[record_type]
        path = self._settings.paths[record_type].format(**{field: quote(record_id, safe="")})
        number = (time.monotonic() - self._started) // LONGEST_BATCH_SECONDS
        batch_id = self._settings.batch_id or f"{self._batch_id}-{number:.0f}"
        return path, payload.with_batch(record.payload, batch_id)

    def accepted(self, record: PendingRecord) -> None:
        """Note what the destination has."""
        self.known_types.add(record.key[0])
        self._replace(record, Row(*record.key, record.stream.name, record.fingerprint))
        self.statistics.count("accepted on retry" if record.retried else "sent", record.stream.name)

    def rejected(self, record: PendingRecord, reason: str, message: str) -> None:
        """Keep a rejected record.

        Raises:
            TargetError: The settings end the run.
        """
        stream, now = record.stream, utc_now()
        if record.retried:
            self.statistics.count("still rejected", stream.name)
        else:
            self.statistics.rejected(stream.name, record.key[1], reason)
            if self._settings.on_reject == "stop" and not self._settings.dry_run:
                raise RejectedRecordError(stream=stream.name, reason=reason)
        known = self.store.look_up(record.key) if self.store else None
        old = record.retried or Row(*record.key, stream.name)
        row = Row(
            *record.key,
            stream=stream.name,
            fingerprint=known.fingerprint if known else b"",
            rejected_fingerprint=record.fingerprint,
            reason=reason,
            message=message,
            attempts=old.attempts + 1,
            first_at=old.first_at or now,
            last_at=now,
            record=payload.encode(stream.redacted(record.record) if record.record else None),
            columns=json.dumps(stream.columns).encode(),
        )
        self._replace(record, row)
        self._check_number()

    def _check_number(self) -> None:
        read, rejected = self.statistics.total("read"), self.statistics.total("rejected")
        limit = float(self._settings.max_rejects.replace("%", ""))
        if "%" in self._settings.max_rejects:
            limit = limit / 100 * read if read >= _SHARE_COUNTS_FROM else inf
        if rejected > limit and not self._settings.dry_run:
            raise TooManyRejectedError(rejected=rejected, read=read)

    def _replace(self, record: PendingRecord, row: Row) -> None:
        """Put a row, and clear the one of a retry whose key has changed with the mapping."""
        self._put(row)
        if record.retried and record.retried.key != row.key:
            self._put(Row(*record.retried.key, row.stream))

    def _put(self, row: Row) -> None:
        if self.store and not self._settings.dry_run:
            self.store.put(row)


def new_batch_id() -> str:
    """Return a unique id from the current date and time."""
    return f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{secrets.token_hex(3)}"


def utc_now() -> str:
    """Return the current time as RFC 3339 in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def open_store(settings: Settings, *, read_only: bool = False) -> Store:
    """Open the store of the account that the settings name.

    Raises:
        TargetError: The store cannot be opened.
    """
    from target_birdie.delivery.store import Store  # noqa: PLC0415

    place = f"{settings.api_url}\0{settings.api_key}\0{settings.id_prefix}"
    if settings.destination != "birdie":
        place = f"{settings.destination}\0{settings.output_path}"
    derived = blake2b(place.encode(), digest_size=16).hexdigest()
    return Store(settings.store_url, settings.account or derived, read_only=read_only)
