"""Sends records concurrently, one version of an id at a time."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import BoundedSemaphore, Condition, Event, Lock

from target_birdie.config.settings import Settings
from target_birdie.delivery.checkpoints import Result
from target_birdie.delivery.client import BirdieClient, Outcome, Reply
from target_birdie.delivery.outcomes import Outcomes
from target_birdie.delivery.pending import PendingRecord
from target_birdie.delivery.throttle import LONGEST_WAIT, Throttle, retry_wait
from target_birdie.errors import OutageError, SendingError, TargetError
from target_birdie.mapping.payload import Key

_POLL = 0.2
_FIRST_REPLY_SECONDS = 60.0
MOST_FAILURES = {Outcome.DENIED: 3, Outcome.FAULT: 10, Outcome.BUSY: 10}
"""Failures of one record after which it is rejected, if Birdie accepts other records."""
OTHERS = 10
"""Acceptances since the first failure of a record that prove that Birdie accepts others."""
_DENIED_RECORDS = 3
_WAIT_BESIDE_OTHERS = 5.0


@dataclass(slots=True)
class _Slot:
    """The versions of one id: the one being sent, and the newest one that waits for it."""

    key: Key
    waiting: PendingRecord | None
    sending: PendingRecord | None = None


@dataclass(slots=True)
class _Trial:
    """The attempts to send one record.

    Attributes:
        record_type: Type of the record; each has its own path.
        started: Monotonic time of the first attempt.
        failures: Failed attempts.
        accepted_before: Acceptances of the type before the first failure.
        accepted_at_failure: Acceptances of the type before the last failure.
        is_confirmed: Whether Birdie accepted a record that it had already, sent as a probe.
    """

    record_type: str
    started: float = field(default_factory=time.monotonic)
    failures: int = 0
    accepted_before: int = 0
    accepted_at_failure: int = 0
    is_confirmed: bool = False


class Sender:
    """Delivers to Birdie with an executor and a bounded queue."""

    def __init__(
        self,
        client: BirdieClient,
        outcomes: Outcomes,
        settings: Settings,
        on_failure: Callable[[], None],
    ) -> None:
        """Prepare the executor.

        Args:
            client: Sends one request.
            outcomes: What is notified of the results.
            settings: Concurrency, pace and patience.
            on_failure: Called once, by a thread that sends, if the run cannot continue.
        """
        self.failure: TargetError | None = None
        self._client = client
        self._outcomes = outcomes
        self._budget = settings.retry_budget_seconds
        self._on_failure = on_failure
        self._throttle = Throttle(settings.max_requests_per_second)
        self._executor = ThreadPoolExecutor(settings.max_concurrency, "birdie")
        self._free = BoundedSemaphore(2 * settings.max_concurrency)
        self._stop = Event()
        self._is_draining = False
        self._changed = Condition()
        self._slots: dict[Key, _Slot] = {}
        self._turn = Lock()
        self._queue: deque[_Slot] = deque()
        self._evidence = _Evidence()

    def submit(self, record: PendingRecord) -> Result | None:
        """Queue a record; wait while the queue is full, and drop the record after a stop."""
        with self._changed:
            if slot := self._slots.get(record.key):
                return None if record.retried else self._follow(slot, record)
        if self._outcomes.is_settled(record):
            self._evidence.witness(record)
            return None
        while not self._free.acquire(timeout=_POLL):
            if self._stop.is_set():
                return record.result
        with self._changed:
            if slot := self._slots.get(record.key):  # a probe of this id has started meanwhile
                self._free.release()
                return None if record.retried else self._follow(slot, record)
            slot = self._slots[record.key] = _Slot(record.key, record)
        if not self._stop.is_set():
            self._queue.append(slot)
            self._executor.submit(self._work)
        return record.result

    def _follow(self, slot: _Slot, record: PendingRecord) -> Result:
        """Let a record wait for the version on its way; it replaces one that waits already."""
        newest = slot.waiting or slot.sending
        if newest and newest.fingerprint == record.fingerprint:
            self._outcomes.statistics.count("unchanged", record.stream.name)
            return newest.result
        if slot.waiting:
            self._outcomes.statistics.count("merged", record.stream.name)
            record.result = slot.waiting.result
        slot.waiting = record
        return record.result

    def overtake(self, key: Key) -> None:
        """Wait until the version on its way is finished."""
        with self._changed:
            while key in self._slots and not self._stop.is_set():
                self._changed.wait(_POLL)

    def drain(self) -> None:
        """Wait until every record is finished, or the sender is stopped."""
        self._is_draining = True
        with self._changed:
            while self._slots and not self._stop.is_set():
                self._changed.wait(_POLL)

    def stop(self) -> None:
        """Start no further request; safe in a signal handler."""
        self._stop.set()

    def wait(self, seconds: Callable[[], float]) -> bool:
        """Wait for requests on their way while seconds are left; return whether all are over."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        with self._changed:
            while self._is_busy() and (left := seconds()) > 0:
                self._changed.wait(min(left, _POLL))
            return not self._is_busy()

    def _is_busy(self) -> bool:
        return any(slot.sending for slot in self._slots.values())

    def _work(self) -> None:
        with self._turn:  # a record that overtakes another would hold back the state after a stop
            slot = self._queue.popleft()
            is_turn = self._throttle.wait(self._stop)
        try:
            if is_turn:
                self._send_all(slot, is_turn=True)
        except TargetError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001  (its text may quote the record)
            self._fail(SendingError(cause=type(error).__name__))
        finally:
            self._free.release()
            with self._changed:
                slot.sending = None
                self._changed.notify_all()

    def _send_all(self, slot: _Slot, *, is_turn: bool) -> None:
        """Send the versions of one id, until none waits."""
        while True:
            with self._changed:
                record = slot.sending = slot.waiting
                slot.waiting = None
                if record is None:
                    del self._slots[slot.key]
                    return
            if not self._deliver(record, is_turn=is_turn):
                return
            record.finish()
            is_turn = False

    def _deliver(self, record: PendingRecord, *, is_turn: bool) -> bool:
        """Send until there is an outcome; return False if the sender was stopped before."""
        trial = _Trial(record.key[0])
        path, body = self._outcomes.request_of(record)
        self._evidence.begin(trial)
        try:
            while is_turn or self._throttle.wait(self._stop):
                is_turn = False
                reply = self._client.put(path, body)
                if reply.outcome is Outcome.ACCEPTED:
                    self._throttle.accepted()
                    self._outcomes.accepted(record)
                    self._evidence.accepted(record)
                    return True
                if reply.outcome is Outcome.REJECTED or self._is_hopeless(record, trial, reply):
                    self._outcomes.rejected(record, reply.reason, reply.message)
                    return True
                self._outcomes.statistics.retried(reply.reason)
                self._back_off(trial, reply)
        finally:
            self._evidence.end(trial)
        return False

    def _back_off(self, trial: _Trial, reply: Reply) -> None:
        """Wait before the next attempt; a 429 or 503 pauses all, unless others were accepted."""
        accepted = self._evidence.count[trial.record_type]
        others = accepted > trial.accepted_at_failure
        trial.accepted_at_failure = accepted
        if reply.outcome is not Outcome.BUSY or others:
            is_short = others or reply.outcome is Outcome.DENIED
            longest = _WAIT_BESIDE_OTHERS if is_short else LONGEST_WAIT
            self._stop.wait(retry_wait(trial.failures, longest))
            return
        asked = reply.retry_after
        seconds = self._throttle.pause(None if asked and asked >= self._patience() else asked)
        if seconds is not None:
            line = "Birdie is busy (%s), all requests pause for %.1f s"
            self._outcomes.statistics.logger.warning(line, reply.reason, seconds)
            # Others go first, so that they show whether only this record fails.
            self._stop.wait(seconds + retry_wait(trial.failures, 1.0))

    def _patience(self) -> float:
        return self._budget if self._client.answered else min(self._budget, _FIRST_REPLY_SECONDS)

    def _is_hopeless(self, record: PendingRecord, trial: _Trial, reply: Reply) -> bool:
        """Return whether only this record fails, which is decided by counts.

        Raises:
            TargetError: Birdie accepts no record any more.
        """
        self._evidence.failed(trial)
        others = self._evidence.count[trial.record_type] - trial.accepted_before
        outage = self._outage(trial, reply, others)
        if trial.failures < MOST_FAILURES[reply.outcome] and not outage:
            return False
        if trial.is_confirmed or others >= OTHERS or record.retried:
            return True
        probe = self._probe(trial.record_type)
        if probe:
            trial.is_confirmed = True
            return False
        is_clear = trial.failures >= MOST_FAILURES[Outcome.FAULT] or self._is_draining
        is_clear |= self._evidence.failed_records[trial.record_type] >= _DENIED_RECORDS
        is_awaited = probe is None or self._evidence.is_awaited(trial.record_type)
        if reply.outcome is Outcome.DENIED and is_clear and not is_awaited:
            raise reply.denied()
        if outage:
            raise outage
        return False

    def _outage(self, trial: _Trial, reply: Reply, others: int) -> OutageError | None:
        """Return why the run must end if nothing was accepted for too long."""
        seconds = time.monotonic() - max(trial.started, self._evidence.last_at)
        asked = reply.retry_after or 0.0
        is_too_long = asked >= self._patience() and trial.failures > 1 and not others
        if seconds < self._patience() and not is_too_long:
            return None
        last = f"{reply.reason}, asks to wait {asked:.0f} s" if asked else reply.reason
        advice = "What it confirmed is safe; run again later."
        if not self._client.answered:
            advice = "It never answered. Check api_url and the proxy, or run again later."
        return OutageError(seconds=round(seconds), reply=last, advice=advice)

    def _probe(self, record_type: str) -> bool | None:
        """Send a record again that Birdie has.

        Returns:
            Whether Birdie accepts the type; False if there is no such record, None if the probe
            cannot tell.
        """
        with self._changed:
            record = self._evidence.witnesses.get(record_type)
            if record is None:
                return False
            if record.key in self._slots:
                return None
            slot = self._slots[record.key] = _Slot(record.key, None)
        path, body = self._outcomes.request_of(record)
        self._throttle.wait(self._stop)
        outcome = self._client.put(path, body).outcome
        if outcome is Outcome.ACCEPTED:
            self._evidence.accepted(record)
        self._send_all(slot, is_turn=False)  # a newer version may wait for the probe
        return {Outcome.ACCEPTED: True, Outcome.DENIED: False}.get(outcome)

    def _fail(self, error: TargetError) -> None:
        if self.failure is None:
            self.failure = error
            self._stop.set()
            self._on_failure()


class _Evidence:
    """What shows whether Birdie accepts records at all, by record type."""

    def __init__(self) -> None:
        self.count: Counter[str] = Counter()
        self.witnesses: dict[str, PendingRecord] = {}
        self.last_at = time.monotonic()
        self._lock = Lock()
        self.failed_records: Counter[str] = Counter()
        self._first_attempts: Counter[str] = Counter()

    def begin(self, trial: _Trial) -> None:
        """Note that the result of a first attempt is awaited."""
        with self._lock:
            self._first_attempts[trial.record_type] += 1

    def failed(self, trial: _Trial) -> None:
        """Note a failed attempt."""
        if trial.failures == 0:
            self.end(trial)
            self.failed_records[trial.record_type] += 1
            trial.accepted_before = trial.accepted_at_failure = self.count[trial.record_type]
        trial.failures += 1

    def end(self, trial: _Trial) -> None:
        """Note the end of the attempts."""
        if trial.failures == 0:
            with self._lock:
                self._first_attempts[trial.record_type] -= 1

    def is_awaited(self, record_type: str) -> bool:
        """Return whether a first attempt may still show that Birdie accepts this type."""
        return self._first_attempts[record_type] > 0

    def accepted(self, record: PendingRecord) -> None:
        """Note an acceptance."""
        with self._lock:
            self.count[record.key[0]] += 1
        self.last_at = time.monotonic()
        self.witness(record)

    def witness(self, record: PendingRecord) -> None:
        """Remember a record that Birdie has."""
        self.witnesses[record.key[0]] = record
