"""Stopping on SIGTERM and Ctrl-C between two records, so that the last STATE is exact."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn


class InterruptedWait(BaseException):
    """A termination signal is to be obeyed now."""


class StopRequest:
    """Remembers a termination signal until it can be obeyed.

    While a record is written the request waits for the writing to end; while the tap waits for
    Wootric it is obeyed at once.
    """

    def __init__(self) -> None:
        """Nothing is requested yet."""
        self._signal: int | None = None
        self._may_interrupt = False

    def request(self, signal: int) -> None:
        """Take a signal, in its handler; a second one ends the process where it stands."""
        if self._signal is not None:
            self.obey()
        self._signal = signal
        if self._may_interrupt:
            raise InterruptedWait

    def check(self) -> None:
        """Between two records.

        Raises:
            InterruptedWait: A signal has come.
        """
        if self._signal is not None:
            raise InterruptedWait

    @property
    def is_requested(self) -> bool:
        """Whether a signal has come."""
        return self._signal is not None

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Mark a wait that a signal may break off."""
        self._may_interrupt = True
        try:
            self.check()
            yield
        finally:
            self._may_interrupt = False

    def obey(self) -> NoReturn:
        """End the process with the exit code that the signal calls for."""
        sys.exit(128 + (self._signal or 0))
