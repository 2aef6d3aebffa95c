"""The id that groups the records of a run in Birdie."""

from __future__ import annotations

import secrets
import time

LONGEST_BATCH_SECONDS = 23 * 3600
"""Birdie wants all records of a batch within 24 hours."""


class BatchId:
    """A fixed id, or one per run from its date and time; a run of 23 hours gets another."""

    def __init__(self, fixed: str = "") -> None:
        self._id = fixed
        self._ends = float("inf") if fixed else 0.0

    def current(self) -> str:
        """Return the id for a record that is sent now."""
        if time.monotonic() > self._ends or not self._id:
            moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
            self._id = f"{moment}-{secrets.token_hex(3)}"
            self._ends = time.monotonic() + LONGEST_BATCH_SECONDS
        return self._id
