"""Reads Singer messages, so that a signal can end it, and an odd line ends it in words."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import IO, Any

import click
import msgspec
from singer_sdk.io_base import GenericSingerReader

from target_birdie.errors import InputError

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

logger = logging.getLogger("target-birdie")
_decoder = msgspec.json.Decoder(float_hook=Decimal)


def _number(text: str) -> int | Decimal | str:
    """Return a number with all its digits; as text where Python has no number so large."""
    try:
        return int(text) if text.lstrip("-").isdecimal() else Decimal(text)
    except (ArithmeticError, ValueError):
        return text


class _Interrupted(BaseException):
    """Raised by a signal handler out of a blocking read."""


class MessageReader(GenericSingerReader[bytes]):
    """A reader that stops between two lines, and never shows a line: it holds people's data."""

    def __init__(self) -> None:
        """Start ready to read."""
        super().__init__()
        self.on_error: Callable[[], None] = lambda: None
        self._stopped = False
        self._blocked = False
        self._number = 0

    @property
    @override
    def default_input(self) -> IO[bytes]:
        if sys.stdin is None:
            raise InputError("the input is closed: pipe the output of a tap into it")
        return sys.stdin.buffer

    def stop(self) -> None:
        """End the input here; called by signal handlers, in the thread that reads."""
        self._stopped = True
        if self._blocked:
            self._blocked = False
            raise _Interrupted

    @override
    def process_lines(self, file_input: Any, callbacks: Any) -> Any:
        try:
            lines: Any = self._read(file_input or self.default_input)
            return super().process_lines(lines, callbacks)
        except click.ClickException:
            self.on_error()
            raise
        except Exception as error:  # noqa: BLE001  (its text may quote the record)
            self.on_error()
            logger.debug("".join(traceback.format_tb(error.__traceback__)))
            raise InputError(
                f"line {self._number} of the input cannot be processed ({type(error).__name__}): "
                "check stream_maps, if there are any, and the tap"
            ) from None

    def _read(self, source: IO[Any]) -> Iterator[Any]:
        while not self._stopped:
            try:
                self._blocked = True
                line = source.readline()
                self._blocked = False
            except _Interrupted:
                return
            if not line:
                return
            self._number += 1
            if line.strip():
                yield line

    @override
    def deserialize_json(self, line: Any) -> dict[str, Any]:
        try:
            message = _decoder.decode(line)
        except (msgspec.DecodeError, UnicodeError, ArithmeticError):
            message = self._lenient(line)
        if not isinstance(message, dict):
            raise InputError(f"line {self._number} of the input is no Singer message")
        return message

    def _lenient(self, line: Any) -> Any:
        """Read what is no strict JSON, such as half a surrogate pair or NaN (read as null)."""
        try:
            return json.loads(
                line, parse_float=_number, parse_int=_number, parse_constant=lambda _: None
            )
        except ValueError:
            raise InputError(
                f"line {self._number} of the input is not JSON: check what the tap writes to "
                "its standard output"
            ) from None

    @staticmethod
    @override
    def assert_line_requires(line_dict: dict[str, Any], requires: set[str]) -> None:
        if missing := requires - line_dict.keys():
            raise InputError(
                f"a {line_dict.get('type', 'Singer')} message lacks {', '.join(sorted(missing))}"
            )

    @override
    def _process_unknown_message(self, message_dict: dict[str, Any]) -> None:
        raise InputError(f"line {self._number} of the input has no known message type")
