"""Log how far a sync is, how fast it is, and what it waits for."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field

from tap_wootric.api.client import WootricClient
from tap_wootric.timestamps import from_unix

SECONDS_BETWEEN_LINES = 30.0


@dataclass
class Progress:
    """The progress of one sync of one stream. Positions are UNIX seconds."""

    stream: str
    client: WootricClient
    records: int = 0
    changed: int = 0
    since: int | None = None
    reached: int | None = None
    until: int | None = None
    started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        limiter = self.client.rate_limiter
        self._before = (limiter.requests, self.client.retries, limiter.waited)

    def reach(self, timestamp: int, until: int) -> None:
        """Note the position of a record, and where its range ends."""
        self.since = timestamp if self.since is None else self.since
        self.reached, self.until = timestamp, until

    @property
    def seconds(self) -> float:
        """Seconds since the sync started."""
        return max(time.monotonic() - self.started, 0.001)

    @property
    def share(self) -> float | None:
        """The part of the time range that was read, 0 to 1. None if it is unknown."""
        if self.since is None or self.reached is None or self.until is None:
            return None
        return min(max((self.reached - self.since) / max(self.until - self.since, 1), 0.0), 1.0)

    def line(self) -> str:
        """Describe the running sync in one line."""
        parts = [f"{self.stream}: {self.records:,} records"]
        if (share := self.share) is not None and self.reached is not None:
            parts.append(f"up to {from_unix(self.reached)[:10]} ({share:.0%} of the time range)")
        parts.append(f"{self.records / self.seconds:,.1f} per second")
        limiter = self.client.rate_limiter
        if limiter.requests_left is not None:
            parts.append(f"{limiter.requests_left} requests left before the rate limit")
        if limiter.waits_until is not None:
            parts.append(f"waiting for the rate limit until {limiter.waits_until:%H:%M:%S} UTC")
        if share:
            parts.append(f"about {_duration(self.seconds * (1 / share - 1))} left")
        return ", ".join(parts)

    def summary(self, bookmark: str | None) -> str:
        """Describe the finished sync in one line."""
        limiter = self.client.rate_limiter
        requests, retries, waited = self._before
        return (
            f"{self.stream}: {self.records:,} records ({self.records - self.changed:,} new, "
            f"{self.changed:,} changed) in {_duration(self.seconds)}, "
            f"{limiter.requests - requests:,} requests, {self.client.retries - retries} retries, "
            f"{limiter.waited - waited:.0f} s waited for the rate limit, "
            f"bookmark {bookmark or 'not set'}"
        )


class ProgressLog:
    """Logs the progress twice a minute, also while the tap waits."""

    def __init__(self, logger: logging.Logger, progress: Progress) -> None:
        self._logger = logger
        self._progress = progress
        self._is_over = threading.Event()

    def __enter__(self) -> None:
        threading.Thread(target=self._log, daemon=True).start()

    def __exit__(self, *_: object) -> None:
        self._is_over.set()

    def _log(self) -> None:
        while not self._is_over.wait(SECONDS_BETWEEN_LINES):
            self._logger.info("%s", self._progress.line())


def _duration(seconds: float) -> str:
    if seconds < 100:  # noqa: PLR2004 - longer times are clearer in minutes
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"  # noqa: PLR2004
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"  # noqa: PLR2004
