"""The rate limits of both APIs."""

from __future__ import annotations

import math
import time
from collections import deque
from threading import Lock

from connector_sandbox.options import Options
from connector_sandbox.times import Clock


class FixedWindow:
    """Wootric's limit: a number of requests per fixed window.

    Windows begin at multiples of their length.
    """

    def __init__(self, options: Options, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self._lock = Lock()
        self._window = -1
        self._used = 0

    def take(self) -> tuple[bool, dict[str, str]]:
        """Count one request; return whether it is accepted, and the rate-limit headers."""
        if self._options.rate_limit is None:
            return True, {}
        limit, seconds = self._options.rate_limit
        with self._lock:
            window = int(self._clock.seconds() // seconds)
            if window != self._window:
                self._window, self._used = window, 0
            passes = self._used < limit
            self._used += passes
            rest = limit - self._used
        if not self._options.rate_limit_headers:
            return passes, {}
        return passes, {
            "X-Rate-Limit-Limit": str(limit),
            "X-Rate-Limit-Remaining": str(rest),
            "X-Rate-Limit-Reset": str(math.ceil((window + 1) * seconds)),
        }


class SlidingSecond:
    """Birdie's limit: a number of accepted requests within any one second."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._lock = Lock()
        self._accepted: deque[float] = deque()

    def take(self) -> bool:
        """Count one request; return whether it is accepted."""
        limit = self._options.birdie_rate_limit
        if limit is None:
            return True
        with self._lock:
            now = time.monotonic()
            while self._accepted and self._accepted[0] <= now - 1:
                self._accepted.popleft()
            if len(self._accepted) >= limit:
                return False
            self._accepted.append(now)
            return True
