"""What a run did: counts by stream, and the lines that show them."""

import logging
import re
import time
from collections import Counter
from hashlib import blake2b
from threading import Lock

PROGRESS_SECONDS = 10.0
_NAMED_REJECTS = 20
_TOKEN = re.compile(r"[\w.:-]{1,40}", re.ASCII)
_SHOWN = ("unchanged", "merged", "would be sent", "accepted on retry", "still rejected", "skipped")


def shown_id(record_id: str) -> str:
    """Return an id as logs may show it: a number or a short token, or else a hash."""
    if _TOKEN.fullmatch(record_id):
        return record_id
    return "#" + blake2b(record_id.encode(), digest_size=6).hexdigest()


class Statistics:
    """Counts of a run; may be shared by threads."""

    def __init__(self) -> None:
        self.logger = logging.getLogger("target-birdie")
        self._lock = Lock()
        self._started = self._shown_at = time.monotonic()
        self._shown: dict[str, Counter[str]] = {}
        self._streams: dict[str, Counter[str]] = {}
        self._reasons = {"rejected": Counter[str](), "retried": Counter[str]()}

    def count(self, what: str, stream: str) -> None:
        """Count an event of a stream by its name."""
        with self._lock:
            self._streams.setdefault(stream, Counter())[what] += 1

    def reason(self, what: str, reason: str) -> None:
        """Count a reason: why requests are `retried`, or records `rejected`."""
        with self._lock:
            self._reasons[what][reason] += 1

    def rejected(self, stream: str, record_id: str, reason: str) -> None:
        """Count a rejected record; log the first ones without Birdie's message."""
        self.count("rejected", stream)
        self.reason("rejected", reason)
        if self.total("rejected") <= _NAMED_REJECTS:
            shown = shown_id(record_id)
            self.logger.warning("Rejected record %s of stream '%s': %s", shown, stream, reason)

    def of_streams(self) -> dict[str, Counter[str]]:
        """Return the counts of each stream."""
        with self._lock:
            return {stream: counts.copy() for stream, counts in self._streams.items()}

    def total(self, what: str) -> int:
        """Return a count over all streams."""
        return sum(counts[what] for counts in self.of_streams().values())

    def line(self) -> str:
        """Return the counts as one line, without zeros."""
        counts = sum(self.of_streams().values(), Counter[str]())
        parts = [f"{counts[name]} {name}" for name in ("sent", *_SHOWN) if counts[name]]
        if counts["sent"]:
            rate = counts["sent"] / max(time.monotonic() - self._started, 0.001)
            parts[0] += f" ({rate:.0f}/s)"
        for name, reasons in self._reasons.items():
            if reasons:
                listed = ", ".join(f"{reason}: {n}" for reason, n in sorted(reasons.items()))
                parts.append(f"{reasons.total()} {name} ({listed})")
        number = counts["read"] + counts["skipped"]
        records = f"{number} record{'' if number == 1 else 's'}"
        return f"{records}: {', '.join(parts)}" if parts else records

    def show_progress(self) -> None:
        """Log the counts if they have changed since the last line some seconds ago."""
        if time.monotonic() - self._shown_at >= PROGRESS_SECONDS:
            self._shown_at = time.monotonic()
            if self._shown != (counts := self.of_streams()):
                self._shown = counts
                self.logger.info("Progress: %s", self.line())

    def show_end(self, what: str) -> None:
        """Log how the run ended: `Done`, `Stopped` or `Failed`."""
        hint = ", run again to continue" if what == "Stopped" else ""
        self.logger.info("%s: %s%s", what, self.line(), hint)
