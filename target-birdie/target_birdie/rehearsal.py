"""A dry run: everything but the sending."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

from target_birdie.errors import TargetError
from target_birdie.jobs import Job, Outcomes

_SAMPLES = 3
_PLAIN_KEYS = frozenset({"feedback_id", "user_id", "author_id", "posted_at", "rating", "name"})


class Rehearsal:
    """Compares records with what Birdie holds and counts; shows the first few without content."""

    def __init__(self, outcomes: Outcomes, logger: logging.Logger) -> None:
        """Start with no sample shown."""
        self.failure: TargetError | None = None
        self._outcomes = outcomes
        self._logger = logger
        self._shown = 0

    def submit(self, job: Job) -> None:
        """Count a record as unchanged, or as one that would be sent."""
        if self._outcomes.is_unchanged(job):
            self._outcomes.unchanged()
        else:
            self._outcomes.rehearsed()
            self._show(job)
        self._outcomes.settled(job)

    def _show(self, job: Job) -> None:
        if self._shown < _SAMPLES:
            self._shown += 1
            sample = json.dumps(redact(json.loads(job.body)))
            self._logger.info("Would send %s %s", job.path, sample)

    def drain(self) -> None:
        """Nothing is ever open."""

    def settle_queued(self) -> None:
        """Nothing can."""

    def stop(self) -> None:
        """Nothing is ever under way."""

    def wait_in_flight(self, seconds: Callable[[], float]) -> None:
        """Nothing is ever under way."""


def redact(value: Any, key: str = "") -> Any:
    """Return a body with the kinds of its values instead of what people wrote."""
    if isinstance(value, dict):
        own = key == "additional_fields"  # names in it are the customer's, and tell nothing
        return {name: redact(item, key if own else name) for name, item in value.items()}
    if key in _PLAIN_KEYS or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return f"<text, {len(value)} characters>"
    return f"<list of {len(value)}>" if isinstance(value, list) else "<number>"
