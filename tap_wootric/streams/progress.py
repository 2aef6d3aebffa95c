"""Log how far the sync of a stream is and how fast, for the person who watches a long run."""

import logging
import threading
import time
from datetime import timedelta

from tap_wootric.api.client import WootricClient
from tap_wootric.timestamps import from_unix

SECONDS_BETWEEN_LINES = 30.0


class Progress:
    """Count one sync of one stream. As a context, log a line twice a minute, also during waits."""

    def __init__(self, stream: str, client: WootricClient, logger: logging.Logger) -> None:
        self.records = 0
        self.changed = 0
        self.reached: int | None = None
        """UNIX second of the latest record in a list."""
        self._stream = stream
        self._client = client
        self._logger = logger
        self._started = time.monotonic()
        self._before = self._counts()
        self._is_over = threading.Event()

    def __enter__(self) -> None:
        threading.Thread(target=self._log, daemon=True).start()

    def __exit__(self, *_: object) -> None:
        self._is_over.set()

    def _log(self) -> None:
        while not self._is_over.wait(SECONDS_BETWEEN_LINES):
            reached = "" if self.reached is None else f", up to {from_unix(self.reached)}"
            text = "%s: %s records%s, %.1f per second"
            rate = self.records / (time.monotonic() - self._started)
            self._logger.info(text, self._stream, f"{self.records:,}", reached, rate)

    def _counts(self) -> tuple[int, int, float]:
        limiter = self._client.rate_limiter
        return limiter.requests, self._client.retries.count, limiter.waited

    def summary(self, bookmark: str) -> str:
        """Describe the finished sync in one line."""
        new, duration = self.records - self.changed, time.monotonic() - self._started
        counts = zip(self._counts(), self._before, strict=True)
        requests, retries, waited = (now - before for now, before in counts)
        return (
            f"{self._stream}: {self.records:,} records ({new:,} new, {self.changed:,} changed) in "
            f"{timedelta(seconds=round(duration))}, {requests:,} requests, {retries} retries, "
            f"{waited:.0f} s waited for the rate limit, bookmark {bookmark or 'not set'}"
        )
