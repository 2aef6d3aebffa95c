"""Decide when the next request may go out, for all requests of the process.

Wootric announces its limit on every reply (documented): `X-Rate-Limit-Limit`, `-Remaining` and
`-Reset`, a UNIX second. The limit belongs to the account, which other programs share.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import NamedTuple

MAX_WAIT = 120
"""Seconds after which one request checks whether the limit is still reached."""

DEFAULT_WAIT = 60
"""Seconds to wait after a 429 without usable headers: limits are per minute (documented)."""

MILLISECONDS = 100_000_000_000
"""A reset above this value is in milliseconds; as seconds it is beyond the year 5000."""

TOO_MANY_REQUESTS = 429


class Announcement(NamedTuple):
    """Rate limit that a reply announces: two counts and a UNIX second."""

    limit: int
    remaining: int
    reset: int

    @property
    def reserve(self) -> int:
        """Requests left to other programs: one twentieth of the limit, rounded up."""
        return -(-self.limit // 20)

    @property
    def available(self) -> int:
        """Requests that the tap may still send in this window."""
        return self.remaining - self.reserve


class RateLimiter:
    """Let requests pass while the announced limit allows it. Safe to share between threads."""

    def __init__(self, logger: logging.Logger) -> None:
        self.announced: bool | None = None
        """Whether a reply announced a limit. None before the first reply."""
        self.requests = 0
        """Number of requests sent."""
        self.waited = 0.0
        """Seconds that all threads together waited for the limit."""
        self.waits_until: datetime | None = None
        """End of the current wait by the local clock, in UTC."""
        self._logger = logger
        self._turn = threading.Condition()
        self._known: Announcement | None = None
        self._resume_at = 0.0  # monotonic seconds
        self._in_flight = 0
        self._refusals = 0  # 429s in a row, counted after each wait
        self._window = 0  # longest window seen so far, in seconds

    @property
    def requests_left(self) -> int | None:
        """Requests that may go out before the next wait. None if no limit is known."""
        return None if self._known is None else max(self._known.available, 0)

    def acquire(self) -> None:
        """Wait until a request may be sent. Call `observe` or `release` afterwards."""
        with self._turn:
            while (delay := self.delay(time.monotonic())) != 0:
                if delay is not None:
                    self._log_wait(delay)
                began = time.monotonic()
                self._turn.wait(delay)
                self.waited += time.monotonic() - began
            self.waits_until = None
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
        date = server_time(headers)
        clock = int(time.time()) if date is None else date
        if reset is not None and reset > MILLISECONDS:
            reset //= 1000
        with self._turn:
            self._in_flight -= 1
            if status == TOO_MANY_REQUESTS:
                seconds = _retry_after(headers, clock)
                if seconds is None:
                    # The reset has passed a second later for certain: both are whole seconds.
                    seconds = DEFAULT_WAIT if reset is None else reset - clock + 1
                self._refuse(Announcement(limit or 1, 0, reset or 0), seconds)
            elif limit is None or remaining is None or reset is None:
                self._accept_without_announcement()
            else:
                self._accept(Announcement(limit, remaining, reset), reset - clock + 1)
            self._turn.notify_all()

    def delay(self, now: float) -> float | None:
        """Return seconds to wait: 0 to send, None to wait for a reply that is under way."""
        if self._known is None or self._known.available > self._in_flight:
            return 0.0
        if now < self._resume_at:
            return self._resume_at - now
        # After a wait, a single request checks whether the limit was renewed.
        return None if self._in_flight else 0.0

    def _accept(self, new: Announcement, seconds: int) -> None:
        known = self._known
        if known and known.available > 0:  # replies of several threads arrive out of order
            if 0 < known.reset - new.reset <= MAX_WAIT:
                return
            if new.reset == known.reset:
                new = new._replace(remaining=min(new.remaining, known.remaining))
        self.announced, self._known, self._refusals = True, new, 0
        if new.available > 0:
            self._window = max(self._window, min(seconds - 1, MAX_WAIT))
        else:
            self._wait(max(seconds, 1))

    def _accept_without_announcement(self) -> None:
        """Keep a limit that still holds: a token reply or a proxy's error page lacks headers."""
        self.announced = bool(self.announced)
        if self._known and self._known.available <= 0 and time.monotonic() >= self._resume_at:
            self._known, self._refusals = None, 0

    def _refuse(self, new: Announcement, seconds: int) -> None:
        self._known = new
        if time.monotonic() >= self._resume_at:
            self._refusals += 1
        # A reset in the past must not lead to requests without a pause.
        self._wait(max(seconds, min(2 ** max(self._refusals - 1, 0), DEFAULT_WAIT)))

    def _wait(self, seconds: int) -> None:
        longest = min(2 * self._window, MAX_WAIT) if self._window else MAX_WAIT
        self._resume_at = time.monotonic() + min(seconds, longest)

    def _log_wait(self, delay: float) -> None:
        now = datetime.fromtimestamp(time.time(), UTC)
        until = now + timedelta(seconds=delay)
        if self.waits_until is None or abs((until - self.waits_until).total_seconds()) > 1:
            day = "" if until.date() == now.date() else f"{until:%Y-%m-%d} "
            text = "Rate limit reached: waiting %.0f s, until %s UTC"
            self._logger.info(text, delay, f"{day}{until:%H:%M:%S}")
        self.waits_until = until


def server_time(headers: Mapping[str, str]) -> int | None:
    """Return the `Date` header as a UNIX second, or None if it is missing or invalid."""
    try:
        return int(parsedate_to_datetime(headers["Date"]).timestamp())
    except (KeyError, ValueError, OverflowError):
        return None


def _retry_after(headers: Mapping[str, str], clock: int) -> int | None:
    """Return `Retry-After` in seconds; HTTP allows a number or a date."""
    seconds = _integer(headers, "Retry-After")
    if seconds is None and "Retry-After" in headers:
        date = server_time({"Date": headers["Retry-After"]})
        return None if date is None else date - clock
    return seconds


def _integer(headers: Mapping[str, str], name: str) -> int | None:
    try:
        return int(headers[name])
    except (KeyError, ValueError):
        return None
