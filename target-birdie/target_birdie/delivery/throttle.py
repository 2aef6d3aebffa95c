"""When the next request may be sent: one even pace and one common pause for all connections."""

import random
import time
from threading import Event, Lock

FIRST_PAUSE = 0.25
"""Seconds of the first pause without Retry-After; each further one is twice as long, as in
Birdie's own HTTP client."""
LONGEST_WAIT = 30.0
"""Seconds beyond which neither a pause nor a wait before a retry grows."""


class Throttle:
    """The pace, shared by threads; `now` is the monotonic time."""

    def __init__(self, per_second: float) -> None:
        """Start without a pause; 0 means no limit."""
        self._interval = 1 / per_second if per_second else 0.0
        self._next = self.paused_until = 0.0
        self._pause = FIRST_PAUSE
        self._lock, self._turn = Lock(), Lock()

    def wait(self, stop: Event) -> bool:
        """Wait until the caller may send; return False if `stop` is set before.

        One thread waits at a time: moments that were reserved in advance could all pass while the
        machine sleeps, and their requests would then leave at once.
        """
        with self._turn:
            while not stop.is_set():
                stop.wait(self.reserve(time.monotonic()) - time.monotonic())
                if self.paused_until <= time.monotonic():
                    return not stop.is_set()
        return False

    def reserve(self, now: float) -> float:
        """Return the moment at which the caller may send."""
        with self._lock:
            moment = max(now, self._next, self.paused_until)
            self._next = moment + self._interval
            return moment

    def pause(self, now: float, retry_after: float | None) -> float | None:
        """Pause after a 429 or 503; return the seconds, or None if a pause covers it already."""
        with self._lock:
            seconds = self._pause if retry_after is None else max(retry_after, FIRST_PAUSE)
            is_paused = now < self.paused_until
            if now + seconds <= self.paused_until or (is_paused and retry_after is None):
                return None
            if not is_paused:
                self._pause = min(self._pause * 2, LONGEST_WAIT)
            self._next = self.paused_until = now + seconds
            return seconds

    def accepted(self) -> None:
        """Make the next pause a short one again."""
        self._pause = FIRST_PAUSE


def retry_wait(failures: int, longest: float) -> float:
    """Return seconds until the next attempt: from 0.25 doubling to `longest`, with full jitter."""
    return random.uniform(0.05, min(longest, 0.25 * 2 ** min(failures - 1, 10)))  # noqa: S311
