"""Writing Singer messages a page at a time instead of a line at a time."""

from __future__ import annotations

import os
import sys

from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.singerlib import RecordMessage
from singer_sdk.singerlib.encoding.simple import Message

from tap_wootric.errors import OutputError

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

MOST_BUFFERED = 1 << 16
"""Bytes."""


class PageWriter(MsgSpecWriter):
    """Holds back RECORD messages until the tap waits, or writes anything else."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    @override
    def write_message(self, message: Message) -> None:
        # A line is added whole, so that no signal can split it.
        self._buffer += self.format_message(message)
        if not isinstance(message, RecordMessage) or len(self._buffer) > MOST_BUFFERED:
            self.flush()

    def flush(self) -> None:
        """Write what has been held back.

        Raises:
            OutputError: It can't be written; the rest of the run writes into nothing.
        """
        lines, self._buffer = memoryview(self._buffer), bytearray()
        if sys.stdout is None:
            raise OutputError("The output is closed. Give the tap a target, or a file to write to.")
        try:
            while lines:  # under PYTHONUNBUFFERED a signal cuts a write to a full pipe short
                lines = lines[sys.stdout.buffer.write(lines) or 0 :]
            sys.stdout.buffer.flush()
        except OSError as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            if isinstance(error, BrokenPipeError):
                raise OutputError(
                    "The target has gone: nobody reads the output any more. See why it ended; the "
                    "next sync goes on from its last state."
                ) from None
            raise OutputError(f"The output can't be written ({error.strerror}).") from None
