"""Sends records concurrently, one version of an id at a time."""

import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Condition, Event

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


class Sender(Destination):
    """Delivers to Birdie with an executor and a bounded queue.

    `_open` contains the version of each id that is queued or being sent. A newer version replaces
    one that is queued, or waits in the attribute `newer` of one that is being sent. Each attempt
    is one task of the executor. A record that failed goes to the end of the queue, so that others
    show whether Birdie works.
    """

    def __init__(self, run: DeliveryRun) -> None:
        """Prepare the executor; a failure calls `run.fail`."""
        settings = run.settings
        self._client = BirdieClient(settings)
        self._run, self._outcomes = run, run.outcomes
        self._throttle = Throttle(settings.max_requests_per_second)
        self._executor = ThreadPoolExecutor(settings.max_concurrency, "birdie")
        self._stop = Event()
        self._is_draining = False
        self._changed = Condition()
        self._open: dict[Key, PendingRecord] = {}
        self._queue: deque[Key] = deque()
        self._busy = 0
        self._accepted: Counter[str] = Counter()
        self._accepted_at = 0.0

    def submit(self, record: PendingRecord) -> Result | None:
        """Queue a record; wait while the queue is full, and drop the record after a stop."""
        with self._changed:
            if record.key in self._open:
                return None if record.retried else self._follow(self._open[record.key], record)
        if self._outcomes.is_settled(record):
            return None
        self._wait_while(self._is_full)
        if not self._stop.is_set():
            self._enqueue(record)
        return record.result

    def _is_full(self) -> bool:
        """Return whether new records must wait; those that keep failing do not count."""
        new = [one for one in self._open.values() if one.failures < MOST_FAILURES[Outcome.FAULT]]
        return len(new) >= 2 * self._run.settings.max_concurrency

    def _follow(self, older: PendingRecord, record: PendingRecord) -> Result:
        """Let a record wait for the version on its way; it replaces one that waits already.

        An invalid record does not replace the first version, which can still be sent.
        """
        newest = older.newer or older
        if newest.fingerprint == record.fingerprint:
            self._outcomes.statistics.count("unchanged", record.stream.name)
            return newest.result
        if older.newer or not (older.started or record.error):
            self._outcomes.statistics.count("merged", record.stream.name)
            record.result = newest.result
        if older.started or older.newer or record.error:
            older.newer = record
        else:
            self._open[record.key] = record
        return record.result

    def _enqueue(self, record: PendingRecord) -> None:
        with self._changed:
            self._open[record.key] = record
            self._queue.append(record.key)
        with suppress(RuntimeError):  # the executor takes no more after a stop
            self._executor.submit(self._work)

    def drain(self) -> None:
        """Wait until every record is finished, or the sender is stopped."""
        self._is_draining = True
        self._wait_while(lambda: bool(self._open))

    def stop(self) -> None:
        """Start no further request; safe in a signal handler."""
        self._stop.set()

    def wait(self, seconds: float) -> bool:
        """Wait so long at most for requests on their way; return whether all are over."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        with self._changed:
            return self._changed.wait_for(lambda: self._busy == 0, seconds)

    def _wait_while(self, condition: Callable[[], bool]) -> None:
        with self._changed:
            while condition() and not self._stop.is_set():
                self._changed.wait(_POLL)

    # Called by the threads that send

    def _work(self) -> None:
        with self._changed:
            self._busy += 1
        try:
            if self._throttle.wait(self._stop):
                with self._changed:
                    record = self._open[self._queue.popleft()]
                    record.started = record.started or time.monotonic()
                self._attempt(record)
        except TargetError as error:
            self._run.fail(error)
        except Exception as error:  # noqa: BLE001  (its text may quote the record)
            self._run.fail(SendingError(cause=type(error).__name__))
        finally:
            with self._changed:
                self._busy -= 1
                self._changed.notify_all()

    def _attempt(self, record: PendingRecord) -> None:
        """Send a record once, unless it is invalid; queue it again if it needs another attempt."""
        if error := record.error:
            reply = Reply(Outcome.REJECTED, error.reason, error.detail)
        else:
            reply = self._client.put(*self._outcomes.request_of(record))
        if reply.outcome is Outcome.ACCEPTED:
            self._throttle.accepted()
            self._outcomes.accepted(record)
            with self._changed:
                self._accepted[record.key[0]] += 1
                self._accepted_at = time.monotonic()
        elif reply.outcome is Outcome.REJECTED or self._is_hopeless(record, reply):
            self._outcomes.rejected(record, reply.reason, reply.message)
        else:
            self._outcomes.statistics.reason("retried", reply.reason)
            self._back_off(record, reply)
            self._enqueue(record)
            return
        with self._changed:
            record.finish()
            del self._open[record.key]
            if record.newer:
                self._enqueue(record.newer)

    def _others(self, record: PendingRecord) -> int:
        """Return how many records of its type were accepted since the first failure of a record."""
        return self._accepted[record.key[0]] - record.accepted_before

    def _back_off(self, record: PendingRecord, reply: Reply) -> None:
        """Wait before the next attempt; a 429 or 503 pauses all, unless others are accepted."""
        others = self._others(record)
        if reply.outcome is not Outcome.BUSY or others:
            longest = _WAIT_BESIDE_OTHERS if others else LONGEST_WAIT
            self._stop.wait(retry_wait(record.failures, longest))
            return
        asked = reply.retry_after and min(reply.retry_after, self._patience())
        seconds = self._throttle.pause(time.monotonic(), asked)
        if seconds is not None:
            line = "Birdie is busy (%s), all requests pause for %.1f s"
            self._outcomes.statistics.logger.warning(line, reply.reason, seconds)

    def _patience(self) -> float:
        budget = self._run.settings.retry_budget_seconds
        return budget if self._client.answered else min(budget, _FIRST_REPLY_SECONDS)

    def _is_hopeless(self, record: PendingRecord, reply: Reply) -> bool:
        """Count a failure, and return whether only this record fails.

        The last records of a run have no others behind them. They are rejected if Birdie has any
        record of the type: the store keeps them, and the next run retries them.

        Raises:
            TargetError: Birdie accepts no record any more.
        """
        record.failures += 1
        if record.failures == 1:
            record.accepted_before = self._accepted[record.key[0]]
        is_busy = reply.outcome is Outcome.BUSY  # perhaps for all: the others count from now on
        with self._changed:
            rest = [one for one in self._open.values() if is_busy and one is not record]
        for one in rest:
            one.accepted_before = self._accepted[one.key[0]]
        others, limit = self._others(record), MOST_FAILURES[reply.outcome]
        if record.failures >= limit:
            is_last = self._is_draining and all(one.failures >= limit for one in rest)
            is_known = record.key[0] in self._outcomes.known_types
            if record.retried or (is_last and is_known) or others >= OTHERS:
                return True
            if reply.outcome is Outcome.DENIED and not others:
                self._check_denied(record.key[0], reply)
        seconds = time.monotonic() - max(record.started, self._accepted_at)
        if seconds >= self._patience():
            advice = "What it confirmed is safe; run again later."
            if not self._client.answered:
                advice = "It never answered. Check api_url and the proxy, or run again later."
            raise OutageError(seconds=round(seconds), reply=reply.reason, advice=advice)
        return False

    def _check_denied(self, record_type: str, reply: Reply) -> None:
        """End the run if all records of a type fail: three of them, or the last ones of a run."""
        with self._changed:
            found = [record for key, record in self._open.items() if key[0] == record_type]
        denied = sum(record.failures >= MOST_FAILURES[Outcome.DENIED] for record in found)
        is_each = self._is_draining and all(record.failures for record in found)
        # A firewall replies faster than Birdie: wait for the first reply to each request.
        is_answered = all(record.failures for record in found if record.started)
        if is_answered and (is_each or denied >= _DENIED_RECORDS):
            raise reply.denied()
