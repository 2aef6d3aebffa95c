"""Reads Singer messages so that a signal can end it, and never shows a line: it holds data."""

import json
import logging
import os
import re
import select
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from decimal import Decimal
from hashlib import blake2b
from typing import IO, Any

import click
import msgspec
from singer_sdk.io_base import GenericSingerReader

from target_birdie.errors import InputError, MessageError, NoInputError, TerminalError

logger = logging.getLogger("target-birdie")
_decoder = msgspec.json.Decoder(float_hook=Decimal)
_RECORD = re.compile(rb'"type"\s*:\s*"RECORD"')
_STREAM = re.compile(rb'"stream"\s*:\s*"([^"\\]+)"')
_SILENCE_SECONDS = 0.1
_DISCARD_SECONDS = 30.0


class _Interrupted(BaseException):
    """Raised by a signal handler out of a blocking read."""


class MessageReader(GenericSingerReader[bytes]):
    """A reader that a signal can stop between two lines."""

    def __init__(self) -> None:
        """Start ready to read."""
        super().__init__()
        self.on_error: Callable[[], None] = lambda: None
        self._line = 0
        self._is_stopped = False
        self._is_blocked = False

    @property
    def default_input(self) -> IO[bytes]:
        """Standard input, unless it is closed or a terminal."""
        if sys.stdin is None:
            raise NoInputError(problem="The input is closed.")
        if sys.stdin.isatty():
            raise TerminalError(problem="There is no input.")
        return sys.stdin.buffer

    def stop(self) -> None:
        """End the input here; called by signal handlers, in the thread that reads."""
        self._is_stopped = True
        if self._is_blocked:
            self._is_blocked = False
            raise _Interrupted

    def process_lines(self, file_input: Any, callbacks: Any) -> Any:
        """Process all messages; an error shows no line."""
        try:
            lines: Any = self._read(file_input or self.default_input)
            return super().process_lines(lines, callbacks)
        except click.ClickException:
            self.on_error()
            raise
        except Exception as error:  # noqa: BLE001  (its text may quote the record)
            self.on_error()
            logger.debug("".join(traceback.format_tb(error.__traceback__)))
            problem = f"cannot be processed ({type(error).__name__})"
            raise InputError(line=self._line, problem=problem) from None

    def _read(self, source: IO[Any]) -> Iterator[Any]:
        while not self._is_stopped:
            try:
                self._is_blocked = True
                line = source.readline()
                self._is_blocked = False
            except _Interrupted:
                return
            if not line:
                return
            self._line += 1
            if line.strip():
                yield line

    def deserialize_json(self, line: Any) -> dict[str, Any]:
        """Return a message."""
        try:
            message = _decoder.decode(line)
        except RecursionError:
            return self._too_deep(line if isinstance(line, bytes) else line.encode())
        except (msgspec.DecodeError, UnicodeError, ArithmeticError):
            message = self._lenient(line)
        if not isinstance(message, dict):
            raise InputError(line=self._line, problem="is not a Singer message")
        return message

    def _too_deep(self, line: bytes) -> dict[str, Any]:
        """Return a RECORD message without the values: the mapping rejects it, as it has no id."""
        stream = _STREAM.search(line)
        if not (stream and _RECORD.search(line)):
            raise InputError(line=self._line, problem="is nested too deeply")
        record = {"nested too deeply": blake2b(line, digest_size=8).hexdigest()}
        return {"type": "RECORD", "stream": stream[1].decode(errors="replace"), "record": record}

    def _lenient(self, line: Any) -> Any:
        """Read what is not strict JSON: half an emoji becomes "?", NaN null, and 1.5 the text."""
        try:
            found = json.loads(line, parse_float=str, parse_constant=lambda _: None)
            return json.loads(json.dumps(found, ensure_ascii=False).encode(errors="replace"))
        except ValueError:
            raise InputError(line=self._line, problem="is not JSON") from None

    @staticmethod
    def assert_line_requires(line_dict: dict[str, Any], requires: set[str]) -> None:
        """Check the keys of a message."""
        if missing := requires - line_dict.keys():
            problem = f"lacks {', '.join(sorted(missing))}"
            raise MessageError(kind=line_dict.get("type", "Singer"), problem=problem)

    def _process_unknown_message(self, _: dict[str, Any]) -> None:
        raise InputError(line=self._line, problem="has an unknown message type")


def discard_input() -> None:
    """Read and discard what the tap writes, until it pauses.

    Meltano fails with a long stack trace if it writes to a target that has exited.
    """
    end = time.monotonic() + _DISCARD_SECONDS
    try:
        source = sys.stdin.fileno()
        while (
            not os.isatty(source)
            and time.monotonic() < end
            and select.select([source], [], [], _SILENCE_SECONDS)[0]
            and os.read(source, 1 << 16)
        ):
            pass
    except (AttributeError, OSError, ValueError):  # closed, or not a file
        return
