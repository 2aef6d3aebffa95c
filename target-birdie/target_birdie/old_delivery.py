"""One run: takes records and states in order, and sees to it that no state runs ahead.

The thread that reads calls `deliver` and `checkpoint`; the threads that send report outcomes; a
third one brings digests and the safe state out about once a second.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from hashlib import blake2b
from threading import Event, Thread
from typing import Any
from urllib.parse import quote

from target_birdie.batches import BatchId
from target_birdie.client import BirdieClient
from target_birdie.config.settings import Settings
from target_birdie.digests import DigestStore
from target_birdie.errors import TargetError
from target_birdie.files import FileWriter
from target_birdie.jobs import Destination, Job
from target_birdie.ledger import Ledger, State
from target_birdie.mapping import payload
from target_birdie.mapping.columns import KeyOwners
from target_birdie.mapping.mapper import StreamMapper
from target_birdie.mapping.payload import Key
from target_birdie.mapping.schema_check import SchemaCheck
from target_birdie.mapping.values import InvalidRecordError
from target_birdie.rehearsal import Rehearsal
from target_birdie.rejects import Rejects
from target_birdie.report import Report
from target_birdie.uploader import Limits, Uploader

GRACE_SECONDS = 25.0
"""How long a stopped run waits for the answers to what it has sent."""
_COMMIT_SECONDS = 1.0


class Delivery:
    """The run; `Outcomes` for whoever sends."""

    def __init__(
        self,
        settings: Settings,
        logger: logging.Logger,
        *,
        write_state: Callable[[State], None],
        on_failure: Callable[[], None] = lambda: None,
    ) -> None:
        """Open the files of the run and start its threads.

        Raises:
            ConfigError: A file cannot be used.
        """
        self.settings = settings
        self.report = Report(logger)
        self.ledger = Ledger()
        self._logger = logger
        self._write_state = write_state
        self._on_failure = on_failure
        self._batch = BatchId(settings.batch_id)
        self.rejects = Rejects(settings, self.report)
        self._digests = (
            DigestStore(settings.digest_path, read_only=settings.dry_run)
            if settings.digest_path
            else None
        )
        self._scope = _scope(settings)
        self._owners = KeyOwners(settings.streams, settings.rules)
        self._schema = SchemaCheck(settings.schema_path) if settings.schema_path else None
        self._ended = Event()
        self._failure: TargetError | None = None
        self._destination = self._open_destination()
        self._ticker = Thread(target=self._tick, name="commit", daemon=True)
        self._ticker.start()

    def _open_destination(self) -> Destination:
        settings = self.settings
        if settings.dry_run:
            return Rehearsal(self, self._logger)
        if settings.destination != "birdie":
            name = BatchId().current()  # a batch_id of one's own would replace the last run's file
            return FileWriter(settings.destination, settings.output_path, name, self)
        client = BirdieClient(
            settings.api_url,
            api_key=settings.api_key,
            user_agent=settings.user_agent,
            timeout=settings.request_timeout,
            connections=settings.max_concurrency,
        )
        return Uploader(
            client,
            self,
            Limits(
                settings.max_concurrency,
                settings.max_requests_per_second,
                settings.retry_budget_seconds,
            ),
            on_failure=self._on_failure,
        )

    @property
    def failure(self) -> TargetError | None:
        """Why the run cannot go on; None while it can."""
        return self._failure or self._destination.failure

    # Called by the thread that reads

    def deliver(
        self,
        stream: str,
        mapping: StreamMapper,
        record: dict[str, Any],
        rejected_at: str = "",
    ) -> None:
        """Send a record, unless it is unchanged or cannot be mapped.

        Args:
            stream: Name of the stream.
            mapping: How the stream is mapped.
            record: The record as the tap wrote it.
            rejected_at: When it was refused before.

        Raises:
            TargetError: The run cannot go on.
        """
        key = (mapping.record_type, mapping.identify(record))
        job = Job(key, stream, record, mapping, rejected_at=rejected_at)
        job.numbers.append(self.ledger.issue())
        self.report.count("read")
        try:
            self._fill(job)
        except InvalidRecordError as unmappable:
            self.rejects.add(job, unmappable.reason, unmappable.detail)
            self.settled(job)
        else:
            self._destination.submit(job)
        if self.failure:
            raise self.failure

    def _fill(self, job: Job) -> None:
        mapped = job.mapping.map(job.record)
        if self._schema:
            self._schema.check(mapped.record_type, mapped.payload)
        body = payload.encode(mapped.payload)
        field = payload.RECORD_TYPES[mapped.record_type]
        job.key = (mapped.record_type, mapped.id)
        job.group = mapped.group
        self._owners.claim(job.stream, job.key)
        path = self.settings.paths[mapped.record_type]
        job.path = path.format(**{field: quote(mapped.id, safe="")})
        job.body = payload.with_batch(body, self._batch.current())
        job.digest = payload.fingerprint(body, destination=self._scope)

    def checkpoint(self, state: State) -> None:
        """Take a state; it is written once everything before it is settled."""
        self.ledger.checkpoint(state)

    def finish(self) -> None:
        """Bring every record to its end.

        Raises:
            TargetError: The run could not go on.
        """
        self._destination.drain()
        if self.failure:
            raise self.failure

    def give_up(self) -> None:
        """End a run whose input is at fault: what came before the fault is still delivered."""
        if not self.failure:
            self._destination.settle_queued()

    def stop(self) -> None:
        """Send nothing more. Safe to call in a signal handler, once."""
        self._destination.stop()

    def close(self, grace: Callable[[], float] = lambda: 0.0) -> None:
        """Wait for what is under way, write the last safe state, and tell the counts."""
        self._destination.stop()
        self._destination.wait_in_flight(grace)
        self._ended.set()
        self._ticker.join()
        try:
            self._commit()
        finally:
            if self._digests:
                self._digests.close()
            self.report.tell_end(self.ledger.mark)

    def _tick(self) -> None:
        while not self._ended.wait(_COMMIT_SECONDS):
            try:
                self._commit()
            except TargetError as error:
                self._failure = error
                self._destination.stop()
                self._on_failure()
                return
            self.report.tell(self.ledger.mark)

    def _commit(self) -> None:
        """Bring out rejects and digests, then the state that covers them."""
        state = self.ledger.take_safe_state()
        if self.settings.dry_run:
            return
        self.rejects.file.tidy()
        if self._digests:
            self._digests.commit()
        try:
            if state is not None:
                self._write_state(state)
        except BrokenPipeError:
            raise TargetError("the state cannot be written: nobody reads the output") from None
        except OSError as error:
            raise TargetError(f"the state cannot be written: {error.strerror}") from None
        except Exception as error:  # noqa: BLE001  (a thread must not end in silence)
            raise TargetError(f"the state cannot be written: {type(error).__name__}") from None

    # Called by the threads that send

    def is_unchanged(self, job: Job) -> bool:
        """Tell whether Birdie holds this very record."""
        found = self._digests is not None and self._digests.holds(job.key, job.digest)
        if found:
            self.rejects.supersede(job)
        return found

    def sending(self, job: Job) -> None:
        """Forget what Birdie held, lest a reply that gets lost leaves an old digest in force."""
        if self._digests:
            self._digests.forget(job.key)

    def stored(self, job: Job) -> None:
        """Remember what Birdie has."""
        self.rejects.supersede(job)
        if self._digests:
            self._digests.remember(job.key, job.digest)
        self.report.count("sent")

    def refused(self, job: Job, reason: str, message: str) -> None:
        """Keep a record that Birdie will never take."""
        self.rejects.add(job, reason, message)

    def unchanged(self) -> None:
        """Count a record that need not be sent."""
        self.report.count("unchanged")

    def merged(self) -> None:
        """Count a version that a newer one replaced."""
        self.report.count("merged")

    def settled(self, job: Job) -> None:
        """Let the states behind this job out."""
        self.ledger.settle(job.numbers)

    def written(self, key: Key, digest: bytes, numbers: list[int]) -> None:
        """Remember what stands in a file."""
        self.rejects.settle(key, max(numbers))
        if self._digests:
            self._digests.remember(key, digest)
        self.report.count("sent")
        self.ledger.settle(numbers)

    def rehearsed(self) -> None:
        """Count a record that would be sent."""
        self.report.count("would be sent")

    def open_span(self) -> int:
        """Return how many records lie between the first unsettled one and the last one read."""
        return self.ledger.open_span

    def retried(self, reason: str) -> None:
        """Count a repeated request."""
        self.report.retried(reason)

    def held(self, seconds: float, reason: str) -> None:
        """Tell why nothing moves."""
        self.report.held(seconds, reason)


def _scope(settings: Settings) -> bytes:
    """Return what a digest is valid for: another account or place holds other records."""
    place = settings.output_path if settings.destination != "birdie" else settings.api_url
    return blake2b("\0".join((settings.api_key, place, *settings.paths.values())).encode()).digest()
