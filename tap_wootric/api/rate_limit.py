"""Decide when the next request may go out, for all requests of the process.

Wootric announces its limit on every reply (documented): `X-Rate-Limit-Limit`, `-Remaining` and
`-Reset`, a UNIX second. The limit belongs to the account, which other programs share.
"""

import logging
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

MAX_WAIT = 120
"""Seconds after which one request checks whether the limit is still reached."""

DEFAULT_WAIT = 60
"""Seconds to wait after a 429 without usable headers: limits are per minute (documented)."""

TOO_MANY_REQUESTS = 429

LOGGER = logging.getLogger("tap-wootric")


class RateLimiter:
    """Let requests pass while the announced limit allows it. Safe to share between threads."""

    def __init__(self) -> None:
        self.limit: int | None = None
        """Announced requests per window. 0 if replies announce none, None before the first."""
        self.requests = 0
        """Number of requests sent."""
        self.waited = 0.0
        """Seconds that all threads together waited for the limit."""
        self.available: int | None = None
        """Requests that the tap may still send in this window. None if no limit is known."""
        self._turn = threading.Condition()
        self._reset = 0  # end of this window, as a UNIX second of the server
        self._resume_at = self._logged = 0.0  # monotonic seconds
        self._in_flight = 0
        self._refusals = 0  # 429s in a row, counted after each wait
        self._window = 0  # longest window seen so far, in seconds

    def acquire(self) -> None:
        """Wait until a request may be sent. Call `observe` or `release` afterwards."""
        with self._turn:
            while (delay := self.delay(time.monotonic())) != 0:
                self._log_wait(delay)
                began = time.monotonic()
                self._turn.wait(delay)
                self.waited += time.monotonic() - began
            self._in_flight += 1
            self.requests += 1

    def release(self) -> None:
        """End a request that got no reply."""
        with self._turn:
            self._in_flight -= 1
            self._turn.notify_all()

    def observe(self, status: int, headers: Mapping[str, str]) -> None:
        """End a request with the status and the headers of its reply."""
        names = ("Limit", "Remaining", "Reset")
        limit, remaining, reset = (_integer(headers, f"X-Rate-Limit-{name}") for name in names)
        clock = server_time(headers) or int(time.time())
        # The reset has passed a second later for certain: both times are whole seconds.
        seconds = DEFAULT_WAIT if reset is None else reset - clock + 1
        with self._turn:
            self._in_flight -= 1
            if status == TOO_MANY_REQUESTS:
                retry_at = server_time({"Date": headers.get("Retry-After", "")})
                seconds = seconds if retry_at is None else retry_at - clock
                self._refuse(_integer(headers, "Retry-After") or seconds)
            elif limit is None or remaining is None or reset is None:
                self._accept_without_announcement()
            else:  # one twentieth of the limit, rounded up, is left to other programs
                self.limit = limit
                self._accept(remaining - -(-limit // 20), reset, seconds)
            self._turn.notify_all()

    def delay(self, now: float) -> float | None:
        """Return seconds to wait: 0 to send, None to wait for a reply that is under way."""
        if self.available is None or self.available > self._in_flight:
            return 0.0
        if now < self._resume_at:
            return self._resume_at - now
        # After a wait, a single request checks whether the limit was renewed.
        return None if self._in_flight else 0.0

    def _accept(self, available: int, reset: int, seconds: int) -> None:
        if 0 < self._reset - reset <= MAX_WAIT:
            return  # a late reply of an earlier window
        known = self.available or 0
        if reset == self._reset and (known > 0 or time.monotonic() < self._resume_at):
            available = min(available, known)  # replies of threads arrive out of order
        self.available, self._reset, self._refusals = available, reset, 0
        if available > 0:
            self._window = max(self._window, min(seconds - 1, MAX_WAIT))
        else:
            self._wait(seconds)

    def _accept_without_announcement(self) -> None:
        """Keep a limit that still holds: a token reply or a proxy's error page lacks headers."""
        self.limit = self.limit or 0
        if (self.available or 0) <= 0 and time.monotonic() >= self._resume_at:
            self.available, self._refusals = None, 0

    def _refuse(self, seconds: int) -> None:
        self.available = 0
        if time.monotonic() >= self._resume_at:
            self._refusals += 1
        # A reset in the past must not lead to requests without a pause.
        self._wait(max(seconds, min(2**self._refusals // 2, DEFAULT_WAIT)))

    def _wait(self, seconds: int) -> None:
        longest = min(2 * self._window, MAX_WAIT) if self._window else MAX_WAIT
        self._resume_at = time.monotonic() + min(max(seconds, 1), longest)

    def _log_wait(self, delay: float | None) -> None:
        if delay is not None and self._logged != self._resume_at:  # once for all threads
            self._logged = self._resume_at
            until = f"{datetime.fromtimestamp(time.time() + delay, UTC):%Y-%m-%d %H:%M:%S}"
            LOGGER.info("Rate limit reached: waiting %.0f s, until %s UTC", delay, until)


def server_time(headers: Mapping[str, str]) -> int | None:
    """Return the `Date` header as a UNIX second, or None if it is missing or invalid."""
    try:
        return int(parsedate_to_datetime(headers["Date"]).timestamp())
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _integer(headers: Mapping[str, str], name: str) -> int | None:
    try:
        return int(headers[name])
    except (KeyError, ValueError):
        return None
