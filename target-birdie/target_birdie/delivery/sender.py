"""Sends records concurrently, one version of an id at a time."""

import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from threading import Condition, Event, Lock, Semaphore

from target_birdie.delivery.checkpoints import Result
from target_birdie.delivery.client import BirdieClient, Outcome, Reply
from target_birdie.delivery.records import Destination, PendingRecord
from target_birdie.delivery.run import DeliveryRun
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
    """The versions of one id: the one being sent, and the newest one that waits for it.

    Attributes:
        failures: Failed attempts of the version being sent.
        started: Monotonic time of its first attempt.
        accepted_before: Acceptances of its record type before its first failure.
    """

    key: Key
    waiting: PendingRecord | None
    sending: PendingRecord | None = None
    failures: int = 0
    started: float = 0.0
    accepted_before: int = 0


class Sender(Destination):
    """Delivers to Birdie with an executor and a bounded queue."""

    def __init__(self, run: DeliveryRun) -> None:
        """Prepare the executor; `run.on_failure` is called once if the run cannot continue."""
        settings = run.settings
        self._client = BirdieClient(settings)
        self._run = run
        self._outcomes = run.outcomes
        self._throttle = Throttle(settings.max_requests_per_second)
        self._executor = ThreadPoolExecutor(settings.max_concurrency, "birdie")
        self._free = Semaphore(2 * settings.max_concurrency)
        self._stop = Event()
        self._is_draining = False
        self._changed = Condition()
        self._slots: dict[Key, _Slot] = {}
        self._turn = Lock()
        self._queue: deque[_Slot] = deque()
        self._busy = 0
        self._accepted: Counter[str] = Counter()
        self._accepted_at = 0.0

    def submit(self, record: PendingRecord) -> Result | None:
        """Queue a record; wait while the queue is full, and drop the record after a stop."""
        with self._changed:
            if slot := self._slots.get(record.key):
                return None if record.retried else self._follow(slot, record)
        if self._outcomes.is_settled(record):
            return None
        while not self._free.acquire(timeout=_POLL):
            if self._stop.is_set():
                return record.result
        with self._changed:
            slot = self._slots[record.key] = _Slot(record.key, record)
        self._enqueue(slot, is_new=True)
        return record.result

    def _enqueue(self, slot: _Slot, *, is_new: bool) -> None:
        self._queue.append(slot)
        with suppress(RuntimeError):  # the executor takes no more after a stop
            self._executor.submit(self._work, is_new=is_new)

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
        self._wait_while(lambda: key in self._slots and not self._stop.is_set())

    def drain(self) -> None:
        """Wait until every record is finished, or the sender is stopped."""
        self._is_draining = True
        self._wait_while(lambda: bool(self._slots) and not self._stop.is_set())

    def stop(self) -> None:
        """Start no further request; safe in a signal handler."""
        self._stop.set()

    def wait(self, seconds: Callable[[], float]) -> bool:
        """Wait for requests on their way while seconds are left; return whether all are over."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._wait_while(lambda: self._busy > 0 and seconds() > 0)
        return not self._busy

    def _wait_while(self, condition: Callable[[], bool]) -> None:
        with self._changed:
            while condition():
                self._changed.wait(_POLL)

    # Called by the threads that send

    def _work(self, *, is_new: bool) -> None:
        with self._changed:
            self._busy += 1
        try:
            with self._turn:  # a record that overtakes another would hold back the state
                slot = self._queue.popleft()
                is_turn = self._throttle.wait(self._stop)
            if is_turn:
                self._send_all(slot)
        except TargetError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001  (its text may quote the record)
            self._fail(SendingError(cause=type(error).__name__))
        finally:
            if is_new:
                self._free.release()
            with self._changed:
                self._busy -= 1
                self._changed.notify_all()

    def _send_all(self, slot: _Slot) -> None:
        """Send the versions of one id, until none waits."""
        is_turn = True
        while (record := self._next(slot)) and (is_turn or self._throttle.wait(self._stop)):
            if not self._deliver(slot, record):
                return
            is_turn = False
            with self._changed:
                record.finish()
                slot.sending = None

    def _next(self, slot: _Slot) -> PendingRecord | None:
        """Return the version to send; remove the slot if it has no other."""
        with self._changed:
            if slot.sending is None:
                slot.sending, slot.waiting = slot.waiting, None
                slot.failures, slot.started = 0, time.monotonic()
            if slot.sending is None:
                del self._slots[slot.key]
            return slot.sending

    def _deliver(self, slot: _Slot, record: PendingRecord) -> bool:
        """Send until there is an outcome; return False if it takes longer."""
        path, body = self._outcomes.request_of(record)
        while True:
            reply = self._client.put(path, body)
            if reply.outcome is Outcome.ACCEPTED:
                self._throttle.accepted()
                self._outcomes.accepted(record)
                with self._changed:
                    self._accepted[slot.key[0]] += 1
                    self._accepted_at = time.monotonic()
                return True
            if reply.outcome is Outcome.REJECTED or self._is_hopeless(slot, record, reply):
                self._outcomes.rejected(record, reply.reason, reply.message)
                return True
            self._outcomes.statistics.detail("retried", reply.reason)
            self._back_off(slot, reply)
            if slot.failures >= MOST_FAILURES[Outcome.FAULT] and self._queue:
                self._enqueue(slot, is_new=False)  # others go first, and show whether Birdie works
                return False
            if not self._throttle.wait(self._stop):
                return False

    def _others(self, slot: _Slot) -> int:
        """Return how many records of the type were accepted since the first failure of a slot."""
        return self._accepted[slot.key[0]] - slot.accepted_before

    def _back_off(self, slot: _Slot, reply: Reply) -> None:
        """Wait before the next attempt; a 429 or 503 pauses all, unless others are accepted."""
        others = self._others(slot)
        if reply.outcome is not Outcome.BUSY or others:
            is_short = others or reply.outcome is Outcome.DENIED
            longest = _WAIT_BESIDE_OTHERS if is_short else LONGEST_WAIT
            self._stop.wait(retry_wait(slot.failures, longest))
            return
        asked = reply.retry_after
        asked = asked if asked is None else min(asked, self._patience())
        seconds = self._throttle.pause(time.monotonic(), asked)
        if seconds is not None:
            line = "Birdie is busy (%s), all requests pause for %.1f s"
            self._outcomes.statistics.logger.warning(line, reply.reason, seconds)
            # Others go first, so that they show whether only this record fails.
            self._stop.wait(seconds + retry_wait(slot.failures, 1.0))

    def _patience(self) -> float:
        budget = self._run.settings.retry_budget_seconds
        return budget if self._client.answered else min(budget, _FIRST_REPLY_SECONDS)

    def _is_hopeless(self, slot: _Slot, record: PendingRecord, reply: Reply) -> bool:
        """Count a failure, and return whether only this record fails.

        The last records of a run have no others behind them. They are rejected if Birdie has any
        record of the type: the store keeps them, and the next run retries them.

        Raises:
            TargetError: Birdie accepts no record any more.
        """
        slot.failures += 1
        if slot.failures == 1:
            slot.accepted_before = self._accepted[slot.key[0]]
        others = self._others(slot)
        if slot.failures >= MOST_FAILURES[reply.outcome]:
            is_last = self._is_draining and slot.key[0] in self._outcomes.known_types
            if record.retried or is_last or others >= OTHERS:
                return True
            if reply.outcome is Outcome.DENIED and not others and self._are_all_denied(slot.key[0]):
                raise reply.denied()
        self._check_outage(slot, reply)
        return False

    def _are_all_denied(self, record_type: str) -> bool:
        """Return whether all records of a type fail: three of them, or the last ones of a run."""
        with self._changed:
            slots = [slot for slot in self._slots.values() if slot.key[0] == record_type]
        denied = sum(slot.failures >= MOST_FAILURES[Outcome.DENIED] for slot in slots)
        is_each = self._is_draining and all(slot.failures for slot in slots)
        # A firewall replies faster than Birdie: wait for the first reply to each request.
        is_answered = all(slot.failures for slot in slots if slot.sending)
        return is_answered and (is_each or denied >= _DENIED_RECORDS)

    def _check_outage(self, slot: _Slot, reply: Reply) -> None:
        """End the run if nothing was accepted for too long."""
        seconds = time.monotonic() - max(slot.started, self._accepted_at)
        if seconds >= self._patience():
            advice = "What it confirmed is safe; run again later."
            if not self._client.answered:
                advice = "It never answered. Check api_url and the proxy, or run again later."
            raise OutageError(seconds=round(seconds), reply=reply.reason, advice=advice)

    def _fail(self, error: TargetError) -> None:
        if self.failure is None:
            self.failure = error
            self._stop.set()
            self._run.on_failure()
