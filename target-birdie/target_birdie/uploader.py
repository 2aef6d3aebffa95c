"""Sends records side by side, one version of an id at a time.

Daemon threads rather than a pool: the interpreter waits for a pool's requests when it exits.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Condition, Event, Lock, Thread

from target_birdie.client import BirdieClient, Outcome, Reply
from target_birdie.errors import TargetError
from target_birdie.jobs import Job, Outcomes
from target_birdie.mapping.payload import Key
from target_birdie.pacing import Gate, retry_wait

_POLL = 0.2
_LONGEST_SPAN = 10_000
"""Records that one slow record may hold up: bounds memory, and what a killed run sends again."""
_FIRST_ANSWER = 60.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Connections, requests a second (0: any), and seconds of failing before giving up."""

    concurrency: int
    per_second: float
    budget: float


class Uploader:
    """A bounded queue of jobs and the threads that send them."""

    def __init__(
        self,
        client: BirdieClient,
        outcomes: Outcomes,
        limits: Limits,
        on_failure: Callable[[], None] = lambda: None,
    ) -> None:
        """Start the threads."""
        self._client = client
        self._outcomes = outcomes
        self._gate = Gate(limits.per_second)
        self._turn = Lock()
        self._budget = limits.budget
        self._on_failure = on_failure
        self._limit = 2 * limits.concurrency
        self._changed = Condition()
        self._queue: deque[Key] = deque()
        self._waiting: dict[Key, Job] = {}
        self._in_flight: dict[Key, Job] = {}
        self._last_success = time.monotonic()
        self._stop = Event()
        self.failure: TargetError | None = None
        for number in range(limits.concurrency):
            Thread(target=self._work, name=f"birdie-{number}", daemon=True).start()

    def submit(self, job: Job) -> None:
        """Queue a job; waits while the queue is full, and drops the job after a stop."""
        with self._changed:
            while self._is_full() and not self._stop.is_set():
                self._changed.wait(_POLL)
            if not self._stop.is_set():
                self._place(job)

    def _is_full(self) -> bool:
        return len(self._waiting) >= self._limit or self._outcomes.open_span() > _LONGEST_SPAN

    def _place(self, job: Job) -> None:
        waiting = self._waiting.get(job.key)
        newest = waiting or self._in_flight.get(job.key)
        if newest is None:
            if self._outcomes.is_unchanged(job):
                self._outcomes.unchanged()
                self._outcomes.settled(job)
                return
        elif newest.digest == job.digest:
            newest.numbers += job.numbers
            self._outcomes.unchanged()
            return
        if waiting:
            job.numbers += waiting.numbers
            self._outcomes.merged()
        elif newest is None:
            self._queue.append(job.key)
        self._waiting[job.key] = job
        self._changed.notify_all()

    def drain(self) -> None:
        """Wait until every job is over, or the uploader has stopped."""
        with self._changed:
            while (self._waiting or self._in_flight) and not self._stop.is_set():
                self._changed.wait(_POLL)

    def settle_queued(self) -> None:
        """Send what is queued: each record stands for itself."""
        self.drain()

    def stop(self) -> None:
        """Send nothing more; what is under way goes on."""
        self._stop.set()

    def wait_in_flight(self, seconds: Callable[[], float]) -> None:
        """Wait for what is under way, for as long as `seconds` has some left."""
        with self._changed:
            while self._in_flight and (left := seconds()) > 0:
                self._changed.wait(min(left, _POLL))

    def _work(self) -> None:
        while True:
            with self._turn:  # a record that overtakes another would keep back the state at a stop
                job = self._next()
                may_go = job is not None and self._gate.wait(self._stop)
            if job is None:
                return
            try:
                if may_go and self._deliver(job):
                    self._finish(job)
                    continue
            except TargetError as error:
                self._fail(error)
            except Exception as error:  # noqa: BLE001  (a thread must not end in silence)
                self._fail(TargetError(f"internal error while sending: {type(error).__name__}"))
            self._abandon(job)
            return

    def _next(self) -> Job | None:
        with self._changed:
            while not self._queue and not self._stop.is_set():
                self._changed.wait(_POLL)
            if self._stop.is_set():
                return None
            key = self._queue.popleft()
            job = self._in_flight[key] = self._waiting.pop(key)
            self._changed.notify_all()
            return job

    def _deliver(self, job: Job) -> bool:
        """Send until there is an outcome; False when stopped before."""
        started = time.monotonic()
        attempt = 0
        self._outcomes.sending(job)
        while attempt == 0 or self._gate.wait(self._stop):
            reply = self._client.put(job.path, job.body)
            if reply.outcome is Outcome.STORED:
                self._gate.accepted()
                self._last_success = time.monotonic()
                self._outcomes.stored(job)
                return True
            if reply.outcome is Outcome.REFUSED:
                self._last_success = time.monotonic()
                self._outcomes.refused(job, reply.reason, reply.message)
                return True
            if self._gives_up(reply, started):
                self._outcomes.refused(job, reply.reason, f"repeated for {self._budget:.0f} s")
                return True
            self._outcomes.retried(reply.reason)
            self._pause(reply, attempt)
            attempt += 1
        return False

    def _pause(self, reply: Reply, attempt: int) -> None:
        if reply.outcome is Outcome.AGAIN:
            self._stop.wait(retry_wait(attempt))
            return
        seconds = self._gate.hold(reply.retry_after)
        if seconds is not None:
            self._outcomes.held(seconds, reply.reason)

    def _gives_up(self, reply: Reply, started: float) -> bool:
        """Tell whether this record alone keeps failing while others are accepted.

        Raises:
            TargetError: Nothing is accepted any more.
        """
        now = time.monotonic()
        patience = self._budget if self._client.answered else min(self._budget, _FIRST_ANSWER)
        asked = reply.retry_after or 0.0
        if asked < patience:
            if now - started < patience:
                return False
            if self._last_success > started + patience / 2:
                return reply.outcome is Outcome.AGAIN
        wish = f" and asks to wait {asked:.0f} s" if asked else ""
        last = f"{reply.reason}{wish}"
        if not self._client.answered:
            raise TargetError(
                f"Birdie has accepted nothing for {now - started:.0f} s (last: {last}) and never "
                "answered: check api_url and the proxy, or run again later"
            )
        raise TargetError(
            f"Birdie has accepted nothing for {now - started:.0f} s (last: {last}), longer than "
            "retry_budget_seconds allows; what was confirmed is safe, run again later"
        )

    def _finish(self, job: Job) -> None:
        with self._changed:
            del self._in_flight[job.key]
            if job.key in self._waiting:
                self._queue.append(job.key)
            self._outcomes.settled(job)
            self._changed.notify_all()

    def _abandon(self, job: Job) -> None:
        with self._changed:
            del self._in_flight[job.key]
            self._changed.notify_all()

    def _fail(self, error: TargetError) -> None:
        if self.failure is None:
            self.failure = error
        self._stop.set()
        self._on_failure()
