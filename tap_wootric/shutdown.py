"""End the tap after SIGINT or SIGTERM so that the last STATE matches the records written.

A signal only interrupts waits. Everything else, such as the output of a line, runs to its end.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

SIGNALS = (signal.SIGINT, signal.SIGTERM)

GRACE_SECONDS = 5.0
"""Time for the final state, in which further signals are ignored.

Under `meltano run`, one Ctrl-C sends SIGINT and then SIGTERM.
"""


class Interrupted(BaseException):
    """A termination signal arrived. Raised in the main thread only."""


class Shutdown:
    """Termination requests of one tap. Handlers run in the main thread."""

    def __init__(self) -> None:
        self._signal: int | None = None
        self._requested_at = 0.0
        self._may_interrupt = False

    @property
    def is_requested(self) -> bool:
        """Whether a signal arrived."""
        return self._signal is not None

    def request(self, signum: int) -> None:
        """Handle a signal. Interrupts a wait; later signals end the process after the grace time.

        Raises:
            Interrupted: The main thread waits.
        """
        if self._signal is None:
            self._signal, self._requested_at = signum, time.monotonic()
            if self._may_interrupt:
                raise Interrupted
        elif time.monotonic() - self._requested_at > GRACE_SECONDS:
            # Nobody reads the output, so that the final state cannot be written.
            os._exit(128 + signum)

    def check(self) -> None:
        """Raise `Interrupted` if a signal arrived. Call it between two records."""
        if self._signal is not None:
            raise Interrupted

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Let a signal interrupt the block if it runs in the main thread."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before, self._may_interrupt = self._may_interrupt, True
        try:
            self.check()
            yield
        finally:
            self._may_interrupt = before

    def exit(self) -> NoReturn:
        """Exit with 128 plus the signal's number. Write the final state before."""
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        sys.exit(128 + (self._signal or 0))


def restore_signals() -> None:
    """Let a signal end the process at once, without a stack trace. Nothing is to be saved yet."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)
