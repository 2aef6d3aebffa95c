"""A dry run: everything except sending."""

import json
from typing import Any

from target_birdie.delivery.records import Destination, PendingRecord
from target_birdie.delivery.run import DeliveryRun
from target_birdie.delivery.statistics import shown_id

_SAMPLES = 3
_PLAIN = frozenset({"posted_at", "rating", "name"})


class DryRun(Destination):
    """Compares records with the store and counts them; shows the first ones without content."""

    def __init__(self, run: DeliveryRun) -> None:
        self._outcomes = run.outcomes

    def submit(self, record: PendingRecord) -> None:
        """Count a record as unchanged, or as one that would be sent."""
        statistics = self._outcomes.statistics
        if not self._outcomes.is_settled(record):
            statistics.count("would be sent", record.stream.name)
            if statistics.total("would be sent") <= _SAMPLES:
                sample = json.dumps(_redacted(json.loads(record.payload)), ensure_ascii=False)
                statistics.logger.info("Would send %s %s", record.key[0], sample)


def _redacted(value: Any, key: str = "") -> Any:
    """Return a payload in which only ids, times and ratings keep their values."""
    if key == "additional_fields":  # its names are the customer's
        return dict.fromkeys(value, "…")
    if isinstance(value, dict):
        return {name: _redacted(item, name) for name, item in value.items()}
    if key.endswith("_id"):
        return shown_id(value)
    return value if key in _PLAIN else "…"
