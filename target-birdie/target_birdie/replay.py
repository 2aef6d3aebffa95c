"""Sends the rejects file again and removes from it what was accepted."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from target_birdie.mapping.mapper import StreamMapper
from target_birdie.old_delivery import Delivery
from target_birdie.rejects import entries, sync

logger = logging.getLogger("target-birdie")


class Replay:
    """One pass over the rejects; they are mapped anew, with the settings of today.

    The file is taken away first, so that a record refused again goes to a new one. A pass that is
    killed leaves the taken file, and the next run of any kind puts it back.
    """

    def __init__(self, delivery: Delivery) -> None:
        """Prepare a pass over the file that the settings name."""
        settings = delivery.settings
        self._delivery = delivery
        delivery.rejects.limited = False
        self._file = delivery.rejects.file
        self._taken = self._file.taken
        self._mappings = {
            stream: StreamMapper(entry, settings.rules)
            for stream, entry in settings.streams.items()
        }
        self._numbers: list[int] = []

    def run(self, stopped: Callable[[], bool]) -> None:
        """Send every entry, and put back those that found no end.

        Args:
            stopped: Asked before each entry; ends the pass.

        Raises:
            TargetError: The delivery could not go on.
        """
        if not self._file.take():
            return
        for _, entry in entries(self._taken):
            if stopped():
                return
            self._numbers.append(self._send(entry) if entry else 0)
        self._delivery.finish()
        if kept := self._numbers.count(0):
            logger.warning(
                "%d rejects stay in %s: the setting streams does not map their stream any more, "
                "their line cannot be read, or it holds a part of the record alone (nesting)",
                kept,
                self._file.path,
            )

    def _send(self, entry: Mapping[str, Any]) -> int:
        """Return the number of the record; 0 when its stream is not mapped, or it is not whole."""
        mapping = self._mappings.get(entry["stream"])
        if mapping is None or not entry["record"]:
            return 0
        self._delivery.deliver(entry["stream"], mapping, entry["record"], rejected_at=entry["at"])
        return self._delivery.ledger.issued

    def put_back(self) -> None:
        """Return to the rejects file what was neither accepted nor refused; called at the end."""
        if not self._taken.exists():
            return
        ledger = self._delivery.ledger
        for index, (line, _) in enumerate(entries(self._taken)):
            number = self._numbers[index] if index < len(self._numbers) else 0
            if not ledger.is_settled(number):
                self._file.add_line(line.rstrip(b"\n") + b"\n")
        self._taken.unlink()
        sync(self._taken.parent)
