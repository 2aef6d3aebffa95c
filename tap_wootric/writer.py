"""Decide when Singer messages are written to standard output, for all streams of the tap."""

import os
import sys
import time

from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.singerlib import RecordMessage
from singer_sdk.singerlib.encoding.simple import Message
from typing_extensions import override

from tap_wootric.errors import OutputError

MAX_BUFFER_BYTES = 1 << 16
MAX_BUFFER_SECONDS = 0.5


class PageWriter(MsgSpecWriter):
    """Buffer RECORD messages. Any other message, a full or an old buffer writes them out."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._flushed_at = 0.0

    @override
    def write_message(self, message: Message) -> None:
        # A line is added in one operation, so that a signal cannot split it.
        self._buffer += self.format_message(message)
        is_full = len(self._buffer) > MAX_BUFFER_BYTES
        is_old = time.monotonic() - self._flushed_at > MAX_BUFFER_SECONDS
        if is_full or is_old or not isinstance(message, RecordMessage):
            self.flush()

    def flush(self) -> None:
        """Write the buffered messages.

        Raises:
            OutputError: The output cannot be written. Later messages are discarded.
        """
        lines, self._buffer = memoryview(self._buffer), bytearray()
        self._flushed_at = time.monotonic()
        try:
            while lines:  # with PYTHONUNBUFFERED, a signal shortens the write to a full pipe
                lines = lines[sys.stdout.buffer.write(lines) or 0 :]
            sys.stdout.buffer.flush()
        except OSError as error:
            # Otherwise the interpreter flushes again at its exit, and prints a stack trace.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise OutputError(problem=error.strerror) from None
