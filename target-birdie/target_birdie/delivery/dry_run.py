"""A dry run: everything except sending."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

from target_birdie.delivery.outcomes import Outcomes
from target_birdie.delivery.pending import PendingRecord
from target_birdie.delivery.statistics import shown_id
from target_birdie.errors import TargetError
from target_birdie.mapping.payload import Key

_SAMPLES = 3
_IDS = frozenset({"feedback_id", "user_id", "author_id", "account_id"})
_PLAIN = frozenset({"posted_at", "rating", "name"})


class DryRun:
    """Compares records with the store and counts them; shows the first ones without content."""

    failure: TargetError | None = None

    def __init__(self, outcomes: Outcomes, logger: logging.Logger) -> None:
        self._outcomes = outcomes
        self._logger = logger

    def submit(self, record: PendingRecord) -> None:
        """Count a record as unchanged, or as one that would be sent."""
        if not self._outcomes.is_settled(record):
            self._outcomes.statistics.count("would be sent", record.stream.name)
            if self._outcomes.statistics.total("would be sent") <= _SAMPLES:
                sample = json.dumps(redact(json.loads(record.payload)))
                self._logger.info("Would send %s %s", record.key[0], sample)

    def overtake(self, _key: Key) -> None:
        """Do nothing: no other version is on its way."""

    def drain(self) -> None:
        """Do nothing: every record is finished at once."""

    def stop(self) -> None:
        """Do nothing: no request is ever on its way."""

    def wait(self, _seconds: Callable[[], float]) -> bool:
        """Return at once: no request is ever on its way."""
        return True


def redact(value: Any, key: str = "") -> Any:
    """Return a payload with the types of its values instead of what people wrote."""
    if isinstance(value, dict):
        is_free = key == "additional_fields"  # its names are the customer's
        return {name: redact(item, key if is_free else name) for name, item in value.items()}
    if key in _IDS:
        return shown_id(str(value))
    if key in _PLAIN or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return f"<text, {len(value)} characters>"
    return f"<list of {len(value)}>" if isinstance(value, list) else "<number>"
