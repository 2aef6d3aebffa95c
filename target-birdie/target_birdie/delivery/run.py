"""One run: takes records and states in order, and writes no state ahead of its records.

The thread that reads calls `receive` and `checkpoint`; another thread commits the store and writes
the safe state about once a second.
"""

import json
import time
from collections.abc import Callable, Collection
from decimal import Decimal
from threading import Event, Thread
from typing import Any

from target_birdie.config.settings import Settings
from target_birdie.delivery.checkpoints import Checkpoints, State
from target_birdie.delivery.outcomes import Outcomes, utc_now
from target_birdie.delivery.records import Destination, PendingRecord, Row
from target_birdie.delivery.statistics import Statistics
from target_birdie.delivery.streams import StreamChecks
from target_birdie.errors import OutputError, TargetError
from target_birdie.mapping import payload
from target_birdie.mapping.mapper import StreamMapper
from target_birdie.mapping.schema_check import SchemaCheck
from target_birdie.mapping.values import InvalidRecordError

_COMMIT_SECONDS = 1.0
_POLL = 0.05


class DeliveryRun:
    """The run between the sinks and the destination."""

    def __init__(
        self, settings: Settings, write_state: Callable[[State], None], on_error: Callable[[], None]
    ) -> None:
        """Open the store and start the thread that commits.

        Args:
            settings: The checked settings.
            write_state: Writes one state.
            on_error: Called by another thread if the run cannot continue.

        Raises:
            TargetError: The store cannot be used.
        """
        self.settings = settings
        self.statistics = Statistics()
        self.checks = StreamChecks(settings)
        self.destination = Destination()
        self.started_at = utc_now()
        self.is_stopped = False
        self.outcomes = Outcomes(settings, self.statistics)
        self.store = self.outcomes.store
        self._checkpoints = Checkpoints()
        self._write_state = write_state
        self._schema = SchemaCheck(settings.schema_path) if settings.schema_path else None
        self._newest: dict[str, str] = {}
        self._ended = Event()
        self.failure: TargetError | None = None
        """Why the run cannot continue; None while it can."""
        self._on_error = on_error
        self._ticker = Thread(target=self._tick, name="commit", daemon=True)
        self._ticker.start()

    # Called by the thread that reads

    def stream(self, name: str, columns: Collection[str]) -> StreamMapper:
        """Return the mapping of a stream with these columns."""
        return StreamMapper(self.settings.streams[name], self.settings, columns, name)

    def receive(
        self, stream: StreamMapper, record: dict[str, Any], error: InvalidRecordError | None = None
    ) -> None:
        """Deliver a record, unless it is unchanged or invalid.

        Args:
            stream: The mapping of its stream.
            record: The record as the tap wrote it.
            error: Why it is rejected, without being stored: it may not be what the settings send.

        Raises:
            TargetError: The run cannot continue.
        """
        self.statistics.count("read", stream.name)
        if error:
            pending = self._invalid(stream, {}, repr(record).encode(), error)
        else:
            pending = self._prepare(stream, record)
        self.checks.claim(stream.name, pending.key)
        self._newest[stream.name] = max(self._newest.get(stream.name, ""), pending.posted_at)
        self._submit(pending)

    def _prepare(self, stream: StreamMapper, record: dict[str, Any]) -> PendingRecord:
        """Map a record."""
        try:
            mapped = stream.map(record)
            if self._schema:
                self._schema.check(stream.record_type, mapped)
        except InvalidRecordError as error:
            return self._invalid(stream, record, payload.encode(stream.redacted(record)), error)
        body = payload.encode(mapped)
        key = (stream.record_type, mapped[payload.RECORD_TYPES[stream.record_type]])
        group, posted_at = payload.group(stream.record_type, mapped), mapped.get("posted_at", "")
        prints = (body, payload.fingerprint(body), group, posted_at)
        return PendingRecord(stream, key, record, *prints)

    @staticmethod
    def _invalid(
        stream: StreamMapper, record: dict[str, Any], content: bytes, error: InvalidRecordError
    ) -> PendingRecord:
        """Return a record that cannot be mapped; `content` identifies this version of it."""
        fingerprint = payload.fingerprint(stream.name.encode() + content)
        key = (stream.record_type, stream.identify(record) or f"(no id) {fingerprint.hex()}")
        return PendingRecord(stream, key, record, fingerprint=fingerprint, error=error)

    def _submit(self, record: PendingRecord) -> None:
        """Give a record to the destination; wait while too much depends on one open record."""
        result = self.destination.submit(record)
        if result and not result.is_done:
            self._checkpoints.add(result)
        while self._checkpoints.is_full() and not self.is_stopped and not self.failure:
            time.sleep(_POLL)
        if self.failure:
            raise self.failure

    def checkpoint(self, state: State) -> None:
        """Take a state; it is written once every record before it is done.

        It is dropped if skipped records before it may belong to a misspelled stream.
        """
        if not self.checks.doubt():
            self._checkpoints.add_state(state)

    def finish(self) -> int:
        """Retry the rejected records of earlier runs, and finish every record.

        Returns:
            How many records of this run were rejected; 0 if it was stopped.

        Raises:
            TargetError: The run cannot be completed.
        """
        if doubt := self.checks.doubt():
            raise doubt
        store = None if self.settings.dry_run else self.store
        for row in store.rejected(before=self.started_at) if store else ():
            if not self.is_stopped:
                self._retry(row)
        self.destination.drain()
        if self.failure:
            raise self.failure
        if store is None or self.is_stopped:
            return 0 if self.is_stopped else self.statistics.total("rejected")
        for name, counts in self.statistics.of_streams().items():
            if name in self.settings.streams:
                store.complete(name, utc_now(), counts, self._newest.get(name, ""))
        return store.count_rejected(self.started_at)

    def _retry(self, row: Row) -> None:
        """Submit a rejected record of an earlier run again."""
        record = json.loads(row.record or b"null", parse_float=Decimal)
        if row.stream not in self.settings.streams or record is None:
            self.statistics.count("still rejected", row.stream)
            return
        pending = self._prepare(self.stream(row.stream, json.loads(row.columns)), record)
        pending.retried = row
        self._submit(pending)

    def fail(self, error: TargetError) -> None:
        """End the run; any thread may call this."""
        if self.failure is None:
            self.failure = error
            self.stop()
            self._on_error()

    def stop(self) -> None:
        """Start no further request; safe in a signal handler."""
        self.is_stopped = True
        self.destination.stop()

    def close(self, grace: float) -> bool:
        """Wait for requests on their way and write the last safe state.

        Args:
            grace: Seconds to wait at most.

        Returns:
            Whether no request is on its way any more.

        Raises:
            TargetError: The store or the output failed.
        """
        self.stop()
        is_over = self.destination.wait(grace)
        self._ended.set()
        self._ticker.join()
        try:
            self._commit()
        finally:
            if self.store:
                self.store.close()
        return is_over

    # Called by the thread that commits

    def _tick(self) -> None:
        while not self._ended.wait(_COMMIT_SECONDS):
            try:
                self._commit()
            except TargetError as error:
                self.fail(error)
                return
            self.statistics.show_progress()

    def _commit(self) -> None:
        """Commit the store, then write the state that it covers."""
        state = self._checkpoints.take_safe_state()
        if self.settings.dry_run:
            return
        if self.store:
            self.store.commit()
        try:
            if state is not None:
                self._write_state(state)
        except Exception as error:  # noqa: BLE001  (a thread must not end silently)
            cause = getattr(error, "strerror", None) or type(error).__name__
            raise OutputError(cause=cause) from None
