"""How long to wait, so that the announced rate limit is never hit and hardly wasted.

Pure: no HTTP, no clock, no sleep. The server announces the limit, what is left of it and the
second in which it is renewed; where it announces nothing there is no limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import NamedTuple

SHARE_LEFT_TO_OTHERS = 0.05
"""The limit is the account's: its other users keep a twentieth of it."""

SECONDS_WITHOUT_RESET = 60
"""A 429 that announces nothing: limits are per minute."""


class Announcement(NamedTuple):
    """The rate limit as a reply's headers tell it: counts, and a UNIX second."""

    limit: int
    remaining: int
    reset: int

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> Announcement | None:
        """Read `X-Rate-Limit-Limit`, `-Remaining` and `-Reset`; None where one is missing."""
        names = ("Limit", "Remaining", "Reset")
        try:
            return cls(*(int(headers[f"X-Rate-Limit-{name}"]) for name in names))
        except (KeyError, ValueError):
            return None


@dataclass
class Pace:
    """Decides before each request whether it may go out now.

    `renewal` is the monotonic time at which the current window ends. After it, one request goes
    out alone to see whether the limit was renewed; it draws on the share left to others, so that
    it is no 429 when the renewal lags.
    """

    limit: int | None = None
    remaining: int = 0
    reset: int = 0
    renewal: float = 0.0
    in_flight: int = 0
    overdue: int = 0
    """429 in a row after the renewal that was told: `Date` may be ahead of the clock behind it."""

    @property
    def reserve(self) -> int:
        """Requests of each window that are left to others."""
        return ceil((self.limit or 0) * SHARE_LEFT_TO_OTHERS)

    def delay(self, now: float) -> float | None:
        """Seconds to wait; 0 to go, None to wait for a reply that is under way."""
        if self.limit is None or self.remaining - self.in_flight > self.reserve:
            return 0.0
        if now < self.renewal:
            return self.renewal - now
        return None if self.in_flight else 0.0

    def start(self) -> None:
        """Count a request that goes out."""
        self.in_flight += 1

    def fail(self) -> None:
        """Count a request that got no reply."""
        self.in_flight -= 1

    def finish(self, told: Announcement | None, renewal: float, now: float) -> None:
        """Take a reply; `renewal` is what it tells as monotonic time."""
        self.in_flight -= 1
        self.overdue = 0
        if told is None:  # nothing may announce it in a token reply or a proxy's error
            self.limit = None if now >= self.renewal else self.limit
        elif self.limit is None or told.reset > self.reset:
            self.limit, self.remaining, self.reset = told
            self.renewal = renewal
        elif told.reset == self.reset:
            self.remaining = min(self.remaining, told.remaining)
            self._recheck(now)

    def refuse(self, told: Announcement | None, renewal: float, now: float) -> None:
        """Take a 429: nothing goes out before the reset, or for a minute where none is told."""
        self.in_flight -= 1
        is_known = told is not None and self.limit is not None and told.reset == self.reset
        self.limit, self.remaining = told.limit if told else self.limit or 1, 0
        if told is None:
            self.renewal = now + SECONDS_WITHOUT_RESET
        elif not is_known:
            self.reset, self.renewal = told.reset, renewal
        self.overdue = self.overdue + 1 if now >= self.renewal else 0
        if self.overdue:
            wait = 2 ** (self.overdue - 1) / max(self.reserve, 1)
            self.renewal = now + min(wait, SECONDS_WITHOUT_RESET)

    def _recheck(self, now: float) -> None:
        """The reset is announced in whole seconds, so the renewal may lag by up to one."""
        if now >= self.renewal and self.remaining <= self.reserve:
            self.renewal = now + 1 / max(self.reserve, 1)
