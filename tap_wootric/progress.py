"""Telling a person how far a sync has come, how fast it goes, and what it waits for."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tap_wootric.transport import PacedAdapter

SECONDS_BETWEEN_LINES = 30.0


@dataclass
class Progress:
    """Of one sync of one stream. Moments of the walk are UNIX seconds; None while unknown."""

    stream: str
    adapter: PacedAdapter
    records: int = 0
    changed: int = 0
    since: int | None = None
    reached: int | None = None
    until: int | None = None
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._requests_before = self.adapter.requests
        self._waited_before = self.adapter.waited
        self._retries_before = self.adapter.retries

    def begin(self, since: int | None) -> None:
        """A section of the history is read from here on."""
        self.since = self.reached = since

    def reach(self, second: int, until: int) -> None:
        """A record has been reached, of a section that ends at `until`."""
        self.reached, self.until = second, until
        if self.since is None:
            self.since = second

    @property
    def seconds(self) -> float:
        """Seconds since the sync began."""
        return max(time.monotonic() - self.began, 0.001)

    @property
    def share(self) -> float | None:
        """Which part of the time range has been walked: 0 to 1."""
        if self.since is None or self.reached is None or self.until is None:
            return None
        return min(max((self.reached - self.since) / max(self.until - self.since, 1), 0.0), 1.0)

    def fields(self) -> dict[str, Any]:
        """The figures for machines."""
        share = self.share
        return {
            "stream": self.stream,
            "records": self.records,
            "new": self.records - self.changed,
            "changed": self.changed,
            "records_per_second": round(self.records / self.seconds, 1),
            "reached": _day(self.reached),
            "share": None if share is None else round(share, 3),
            "seconds": round(self.seconds, 1),
            "seconds_left": None if not share else round(self.seconds * (1 / share - 1)),
            "requests": self.adapter.requests - self._requests_before,
            "requests_left": self.adapter.requests_left,
            "retries": self.adapter.retries - self._retries_before,
            "waited_seconds": round(self.adapter.waited - self._waited_before, 1),
        }

    def line(self) -> str:
        """One line for a person, while the sync goes on."""
        told = self.fields()
        parts = [f"{self.stream}: {self.records:,} records"]
        if told["share"] is not None:
            parts.append(f"up to {told['reached']} ({told['share']:.0%} of the time range)")
        parts.append(f"{told['records_per_second']:,} a second")
        if told["requests_left"] is not None:
            parts.append(f"{told['requests_left']} requests left before the rate limit")
        if self.adapter.waits_until is not None:
            parts.append(f"waiting for it until {self.adapter.waits_until:%H:%M:%S} UTC")
        if told["seconds_left"] is not None:
            parts.append(f"about {_duration(told['seconds_left'])} left")
        return ", ".join(parts)

    def summary(self, bookmark: object) -> str:
        """One line for a person, when the sync has ended."""
        told = self.fields()
        return (
            f"{self.stream}: {self.records:,} records ({told['new']:,} new, {self.changed:,} "
            f"changed) in {_duration(self.seconds)}, {told['requests']:,} requests, "
            f"{told['retries']} retries, {told['waited_seconds']:.0f} s waited for the rate limit, "
            f"bookmark {bookmark or 'none yet'}"
        )


class ProgressLog:
    """Logs the progress of a stream twice a minute, also while the tap waits."""

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
            progress = self._progress
            self._logger.info("%s", progress.line(), extra={"progress": progress.fields()})


def _day(second: int | None) -> str | None:
    return None if second is None else f"{datetime.fromtimestamp(second, UTC):%Y-%m-%d}"


def _duration(seconds: float) -> str:
    if seconds < 100:  # noqa: PLR2004 - the unit changes where figures get long
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"  # noqa: PLR2004
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"  # noqa: PLR2004
