"""When the next request may go: one pace and one hold for all connections."""

from __future__ import annotations

import random
import time
from math import inf
from threading import Event, Lock

FIRST_HOLD = 0.25
"""Seconds of the first hold after 429 or 503 without Retry-After; each further one is twice as
long, as in Birdie's own client."""
CALM_SECONDS = 10.0
"""A complaint after so long without one is taken for chance, such as replies that came late."""
LONGEST_WAIT = 30.0
"""Seconds beyond which neither a hold nor a retry grows by itself."""


class Pace:
    """Hands out moments to send at. Pure: the time is passed in.

    When Birdie asks to slow down, nothing goes until the hold ends, and the pace falls: by a tenth
    at first, by half when it is asked again soon. It grows back by a twentieth of the full pace
    for each second without complaint.
    """

    def __init__(self, per_second: float) -> None:
        """Start at full pace; 0 means no limit."""
        self._full = per_second
        self._rate = per_second
        self._rated_at = 0.0
        self._next = 0.0
        self._held_until = 0.0
        self._hold = FIRST_HOLD
        self._complained_at = -inf

    @property
    def held_until(self) -> float:
        """The moment before which nothing may go."""
        return self._held_until

    def reserve(self, now: float) -> float:
        """Return the moment at which the caller may send."""
        moment = max(now, self._next, self._held_until)
        if self._full:
            grown = self._rate + self._full * 0.05 * max(0.0, now - self._rated_at)
            self._rate = min(self._full, grown)
            self._rated_at = now
            self._next = moment + 1 / self._rate
        return moment

    def complained(self, now: float, retry_after: float | None) -> float | None:
        """Hold everything after a 429 or 503; return the seconds, or None when held already."""
        if now < self._held_until and retry_after is None:
            return None
        seconds = self._hold if retry_after is None else max(retry_after, FIRST_HOLD)
        if now + seconds <= self._held_until:
            return None
        if now >= self._held_until:
            if self._hold == FIRST_HOLD:  # an outage says nothing about the pace
                is_calm = now - self._complained_at >= CALM_SECONDS
                slower = self._rate * (0.9 if is_calm else 0.5)
                self._rate = max(slower, min(1.0, self._full))
            self._complained_at = now
            self._hold = min(self._hold * 2, LONGEST_WAIT)
        self._rated_at = self._held_until = now + seconds
        self._next = self._held_until
        return seconds

    def accepted(self) -> None:
        """Note an accepted request: the next hold is a short one again."""
        self._hold = FIRST_HOLD


class Gate:
    """The pace, shared by threads."""

    def __init__(self, per_second: float) -> None:
        """Open the gate at this many requests a second; 0 means no limit."""
        self._pace = Pace(per_second)
        self._lock = Lock()
        self._turn = Lock()

    def wait(self, stop: Event) -> bool:
        """Wait for the next moment to send; False when `stop` came first.

        One waits at a time: were moments handed out ahead, all whose moment went by while the
        machine stood still would go at once, over the limit.
        """
        with self._turn:
            while not stop.is_set():
                with self._lock:
                    moment = self._pace.reserve(time.monotonic())
                stop.wait(moment - time.monotonic())
                if self._pace.held_until <= time.monotonic():
                    return not stop.is_set()
        return False

    def hold(self, retry_after: float | None) -> float | None:
        """Close the gate for all; return for how long, or None when it is closed already."""
        with self._lock:
            return self._pace.complained(time.monotonic(), retry_after)

    def accepted(self) -> None:
        """Note an accepted request."""
        with self._lock:
            self._pace.accepted()


def retry_wait(attempt: int) -> float:
    """Return the seconds to the next try: from 0.25 s doubling to 30 s, with full jitter."""
    return random.uniform(0.05, min(LONGEST_WAIT, 0.25 * 2 ** min(attempt, 10)))  # noqa: S311  (no secret)
