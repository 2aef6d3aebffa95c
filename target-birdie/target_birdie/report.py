"""What the run did, counted, and told in one line at a time."""

from __future__ import annotations

import logging
import time
from collections import Counter
from threading import Lock

PROGRESS_SECONDS = 10.0
_NAMED_REJECTS = 20


class Report:
    """Counts of a run; may be used by several threads."""

    def __init__(self, logger: logging.Logger) -> None:
        """Start counting now."""
        self._logger = logger
        self._lock = Lock()
        self._started = self._told = time.monotonic()
        self._counts: Counter[str] = Counter()
        self._rejects: Counter[str] = Counter()
        self._retries: Counter[str] = Counter()

    def count(self, what: str) -> None:
        """Add one to `read`, `sent`, `unchanged`, `merged` or `left alone`."""
        with self._lock:
            self._counts[what] += 1

    def retried(self, reason: str) -> None:
        """Count a request that is repeated."""
        with self._lock:
            self._retries[reason] += 1

    def held(self, seconds: float, reason: str) -> None:
        """Tell that all requests wait, for how long, and why."""
        until = time.strftime("%H:%M:%SZ", time.gmtime(time.time() + seconds))
        self._logger.warning(
            "Birdie answered %s: all requests wait %.1f s, until %s", reason, seconds, until
        )

    def rejected(self, stream: str, record_id: str | None, reason: str) -> None:
        """Count a refused record and name the first ones by their id."""
        with self._lock:
            self._rejects[reason] += 1
            total = self._rejects.total()
        if total <= _NAMED_REJECTS:
            named = f"record {record_id}" if record_id else "a record without id"
            self._logger.warning("%s: %s is rejected (%s)", stream, named, reason)

    @property
    def rejects(self) -> int:
        """Records refused so far."""
        return self._rejects.total()

    def __getitem__(self, what: str) -> int:
        """Return a count by name."""
        return self._counts[what]

    def line(self, safe_up_to: int) -> str:
        """Return the counts as a line for a person."""
        with self._lock:
            counts, rejects, retries = self._counts.copy(), self._rejects, self._retries
            reasons, faults = _listed(rejects), _listed(retries)
        seconds = max(time.monotonic() - self._started, 0.001)
        would = f" (would be {counts['would be sent']})" if counts["would be sent"] else ""
        done = counts["sent"] + counts["unchanged"]
        return (
            f"read {counts['read']}, sent {counts['sent']}{would}, "
            f"unchanged {counts['unchanged']}, "
            f"merged {counts['merged']}, rejected {rejects.total()}{reasons}, "
            f"retried {retries.total()}{faults}, {done / seconds:.1f} a second, "
            f"safe up to record {safe_up_to}"
        )

    def tell(self, safe_up_to: int) -> None:
        """Log the progress when the last line is long enough ago."""
        if time.monotonic() - self._told >= PROGRESS_SECONDS:
            self._told = time.monotonic()
            self._logger.info("Progress: %s", self.line(safe_up_to))


def _listed(counter: Counter[str]) -> str:
    if not counter:
        return ""
    return f" ({', '.join(f'{reason}: {count}' for reason, count in sorted(counter.items()))})"
