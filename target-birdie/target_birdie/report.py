"""What the run did, counted, and told in one line at a time."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Mapping
from threading import Lock
from typing import Any

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
        """Add one to what is named; `fields` lists what is counted."""
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

    def fields(self, safe_up_to: int) -> dict[str, Any]:
        """Return the counts for machines."""
        with self._lock:
            counts, rejects, retries = (
                self._counts.copy(),
                self._rejects.copy(),
                self._retries.copy(),
            )
        seconds = max(time.monotonic() - self._started, 0.001)
        return {
            **{what: counts[what] for what in ("read", "sent", "unchanged", "merged")},
            "would_be_sent": counts["would be sent"],
            "left_alone": counts["left alone"],
            "rejected": dict(rejects),
            "retried": dict(retries),
            "records_per_second": round((counts["sent"] + counts["unchanged"]) / seconds, 1),
            "safe_up_to": safe_up_to,
        }

    def line(self, safe_up_to: int) -> str:
        """Return the counts as a line for a person."""
        told = self.fields(safe_up_to)
        would = f" (would be {told['would_be_sent']})" if told["would_be_sent"] else ""
        alone = f", left alone {told['left_alone']}" if told["left_alone"] else ""
        return (
            f"read {told['read']}, sent {told['sent']}{would}, unchanged {told['unchanged']}, "
            f"merged {told['merged']}{alone}, rejected {_listed(told['rejected'])}, "
            f"retried {_listed(told['retried'])}, {told['records_per_second']} a second, "
            f"safe up to record {safe_up_to}"
        )

    def tell(self, safe_up_to: int) -> None:
        """Log the progress when the last line is long enough ago."""
        if time.monotonic() - self._told >= PROGRESS_SECONDS:
            self._told = time.monotonic()
            self._log("Progress", safe_up_to)

    def tell_end(self, safe_up_to: int) -> None:
        """Log how the run went."""
        self._log("Done", safe_up_to)

    def _log(self, what: str, safe_up_to: int) -> None:
        fields = self.fields(safe_up_to)
        self._logger.info("%s: %s", what, self.line(safe_up_to), extra={"progress": fields})


def _listed(counts: Mapping[str, int]) -> str:
    total = str(sum(counts.values()))
    if not counts:
        return total
    return f"{total} ({', '.join(f'{reason}: {n}' for reason, n in sorted(counts.items()))})"
