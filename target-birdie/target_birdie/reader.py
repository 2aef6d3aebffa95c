"""Reads Singer messages so that a signal can end it, and never shows a line: it holds data."""

import json
import os
import re
import select
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from typing import IO, Any

import msgspec
from singer_sdk.io_base import GenericSingerReader

from target_birdie.errors import NoInputError

_decoder = msgspec.json.Decoder(float_hook=Decimal)
_RECORD = re.compile(rb'(?=.*"type"\s*:\s*"RECORD").*?"stream"\s*:\s*"([^"\\]+)"')
_SILENCE_SECONDS = 0.1
_DISCARD_SECONDS = 30.0


class _Interrupted(BaseException):
    """Raised by a signal handler out of a blocking read."""


class MessageReader(GenericSingerReader[bytes]):
    """A reader that a signal can stop between two lines.

    Attributes:
        line: Number of the line that was read last.
        error: Why the input could not be processed to its end.
    """

    def __init__(self) -> None:
        """Start ready to read."""
        super().__init__()
        self.line = 0
        self.error: Exception | None = None
        self._is_stopped = self._is_blocked = False

    @property
    def default_input(self) -> Any:
        """Standard input, unless it is closed or a terminal."""
        if sys.stdin is None or sys.stdin.isatty():
            raise NoInputError
        return sys.stdin

    def stop(self) -> None:
        """End the input here; called by signal handlers, in the thread that reads."""
        self._is_stopped = True
        if self._is_blocked:
            self._is_blocked = False
            raise _Interrupted

    def process_lines(self, file_input: Any, callbacks: Any) -> Counter[str]:
        """Process messages until one fails: `error` then says why."""
        counts: Counter[str] = Counter()
        try:
            for line in self._read((file_input or self.default_input).buffer):
                message = self.deserialize_json(line)
                callbacks[message["type"]](message)
                counts[message["type"]] += 1
        except Exception as error:  # noqa: BLE001  (what came before is still delivered)
            self.error = error
        return counts

    def _read(self, source: IO[bytes]) -> Iterator[bytes]:
        with suppress(_Interrupted):
            while True:
                self._is_blocked = True
                line = b"" if self._is_stopped else source.readline()
                self._is_blocked = False
                if not line:
                    return
                self.line += 1
                if line.strip():
                    yield line

    def deserialize_json(self, line: bytes) -> Any:
        """Return a message; a record that is nested too deeply is its line.

        What is not strict JSON is accepted: half an emoji becomes "?", NaN null, and 1.5 the text.
        """
        try:
            return _decoder.decode(line)
        except RecursionError:
            if found := _RECORD.match(line):
                return {"type": "RECORD", "stream": found[1].decode(), "record": line}
            raise
        except (msgspec.DecodeError, UnicodeError, ArithmeticError):
            content = json.loads(line, parse_float=str, parse_constant=lambda _: None)
            return json.loads(json.dumps(content, ensure_ascii=False).encode(errors="replace"))


def discard_input() -> None:
    """Read and discard what the tap writes, until it pauses.

    Meltano fails with a long stack trace if it writes to a target that has exited.
    """
    end = time.monotonic() + _DISCARD_SECONDS
    with suppress(TypeError, OSError, ValueError):  # closed, or not a file
        while time.monotonic() < end and select.select([sys.stdin], [], [], _SILENCE_SECONDS)[0]:
            if not os.read(sys.stdin.fileno(), 1 << 16):
                return
