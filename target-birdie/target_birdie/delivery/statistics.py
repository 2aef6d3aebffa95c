"""What a run did: counts by stream, and the lines that show them."""

from __future__ import annotations

import logging
import re
import time
from collections import Counter
from hashlib import blake2b
from threading import Lock
from typing import Any

PROGRESS_SECONDS = 10.0
_NAMED_REJECTS = 20
_TOKEN = re.compile(r"[\w.:-]{1,40}", re.ASCII)
_SHOWN = ("unchanged", "merged", "would be sent", "accepted on retry", "still rejected", "skipped")


def shown_id(record_id: str) -> str:
    """Return an id as logs may show it: a number or a short token, or else a hash."""
    if _TOKEN.fullmatch(record_id):
        return record_id
    return "#" + blake2b(record_id.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


class Statistics:
    """Counts of a run; may be shared by threads."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._lock = Lock()
        self._started = self._shown_at = time.monotonic()
        self._shown: dict[str, Any] = {}
        self._streams: dict[str, Counter[str]] = {}
        self._reasons: Counter[str] = Counter()
        self._retries: Counter[str] = Counter()

    def count(self, what: str, stream: str = "") -> None:
        """Count an event; `retried: REASON` and `paused: TEXT` belong to no stream."""
        kind, _, detail = what.partition(": ")
        if kind == "paused":
            self._logger.warning("Birdie is busy, all requests pause: %s", detail)
            return
        with self._lock:
            if kind == "retried":
                self._retries[detail] += 1
            else:
                self._streams.setdefault(stream, Counter())[what] += 1

    def rejected(self, stream: str, record_id: str, reason: str) -> None:
        """Count a rejected record; log the first ones without Birdie's message."""
        self.count("rejected", stream)
        with self._lock:
            self._reasons[reason] += 1
        if self._reasons.total() <= _NAMED_REJECTS:
            shown = shown_id(record_id) if record_id else "without id"
            self._logger.warning("Rejected record %s of stream '%s': %s", shown, stream, reason)

    def total(self, what: str) -> int:
        """Return a count over all streams."""
        with self._lock:
            return sum(counts[what] for counts in self._streams.values())

    def of_streams(self) -> dict[str, Counter[str]]:
        """Return the counts of each stream."""
        with self._lock:
            return {stream: counts.copy() for stream, counts in self._streams.items()}

    def fields(self) -> dict[str, Any]:
        """Return the counts for machines."""
        names = ("read", "sent", "rejected", *_SHOWN)
        counts = {name.replace(" ", "_"): self.total(name) for name in names}
        with self._lock:
            return counts | {"reasons": dict(self._reasons), "retried": dict(self._retries)}

    def line(self) -> str:
        """Return the counts as one line, without zeros."""
        fields = self.fields()
        rate = fields["sent"] / max(time.monotonic() - self._started, 0.001)
        parts = [f"{fields['sent']} sent ({rate:.0f}/s)"] if fields["sent"] else []
        parts += [f"{count} {name}" for name in _SHOWN if (count := fields[name.replace(" ", "_")])]
        for name, details in (("rejected", self._reasons), ("retried", self._retries)):
            if details:
                listed = ", ".join(f"{reason}: {n}" for reason, n in sorted(details.items()))
                parts.append(f"{details.total()} {name} ({listed})")
        number = fields["read"] + fields["skipped"]
        return (
            f"{number} record{'' if number == 1 else 's'}"
            + (": " if parts else "")
            + ", ".join(parts)
        )

    def show_progress(self) -> None:
        """Log the counts if they have changed since the last line some seconds ago."""
        if time.monotonic() - self._shown_at >= PROGRESS_SECONDS:
            self._shown_at = time.monotonic()
            if self._shown != (fields := self.fields()):
                self._shown = fields
                self._logger.info("Progress: %s", self.line(), extra={"progress": fields})

    def show_end(self, what: str) -> None:
        """Log how the run ended: `Done`, `Stopped` or `Failed`."""
        hint = ", run again to continue" if what == "Stopped" else ""
        self._logger.info("%s: %s%s", what, self.line(), hint, extra={"progress": self.fields()})
