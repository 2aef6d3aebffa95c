"""The id that groups the records of a run in Birdie."""

from __future__ import annotations

import secrets
import time

LONGEST_BATCH_SECONDS = 23 * 3600
"""Birdie wants all records of a batch within 24 hours."""


class BatchId:
    """One id a run; a run of more than 23 hours gets another."""

    def __init__(self, fixed: str = "") -> None:
        """Use the id given, or make one up from the date and time."""
        self._fixed = fixed
        self._made_at = 0.0
        self._made = ""

    def current(self) -> str:
        """Return the id for a record sent now."""
        if self._fixed:
            return self._fixed
        now = time.monotonic()
        if not self._made or now - self._made_at > LONGEST_BATCH_SECONDS:
            moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
            self._made, self._made_at = f"{moment}-{secrets.token_hex(3)}", now
        return self._made
