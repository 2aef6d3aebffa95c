"""Single values: what Birdie accepts as an id, a rating, a text and a time."""

import re
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

SCALES = {"nps": (0, 10), "csat": (1, 10), "ces": (1, 7)}
"""Kinds of survey, each with its lowest and highest rating (Wootric's SDKs)."""

_LONGEST_ID = 500  # escaped, about as much as servers accept in a path
_LARGEST = 10**30
_WHOLE = re.compile(r"\s*[+-]?\d{1,9}(\.0*)?\s*")


class InvalidRecordError(Exception):
    """A record cannot become a Birdie record.

    Attributes:
        reason: A word to count by, such as the name of the field.
        detail: What is wrong, without the value itself.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


def to_id(value: Any, prefix: str = "") -> str:
    """Return an id as text.

    Raises:
        InvalidRecordError: Neither a whole number nor text, or not usable in a URL.
    """
    if not isinstance(value, str) and not _is_whole(value):
        raise InvalidRecordError("id", "the id is neither a whole number nor text")
    text = value.strip() if isinstance(value, str) else str(int(value))
    if prefix + text in {".", ".."}:
        raise InvalidRecordError("id", "the id consists of dots, which a URL drops")
    if len(text) > _LONGEST_ID:
        raise InvalidRecordError("id", "the id is longer than 500 characters")
    return prefix + text


def to_rating(value: Any, kind: str) -> int:
    """Return a whole rating on the scale of its kind.

    Raises:
        InvalidRecordError: Not a whole number, or not on the scale.
    """
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        value = float(value)
    lowest, highest = SCALES[kind]
    if not _is_whole(value) or not lowest <= value <= highest:
        scale = f"{kind.upper()} scale, {lowest} to {highest}"
        raise InvalidRecordError("rating", f"the rating is not a whole number on the {scale}")
    return int(value)


def to_text(value: Any) -> str:
    """Return a text or number as text.

    Raises:
        InvalidRecordError: Neither text nor a number.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
        raise InvalidRecordError("text", "a text field contains neither text nor a number")
    return str(value)


def to_time(value: Any) -> str:
    """Return a time as RFC 3339 in UTC; a time without an offset is UTC.

    Raises:
        InvalidRecordError: Not a date. Numbers are not interpreted: `date_properties` names the
            columns that contain UNIX seconds.
    """
    text = str(value).strip().upper() if isinstance(value, (str, datetime)) else ""
    try:
        return _utc(datetime.fromisoformat(text if text[4:5] == "-" else ""))
    except (ValueError, OverflowError):
        line = "the time is not in RFC 3339 format; see date_properties"
        raise InvalidRecordError("date", line) from None


def from_unix(value: Any) -> Any:
    """Return UNIX seconds as RFC 3339 in UTC, and any other value unchanged."""
    with suppress(ArithmeticError, OSError, TypeError, ValueError):
        if not isinstance(value, bool):
            return _utc(datetime.fromtimestamp(float(value), UTC))
    return value


def _utc(moment: datetime) -> str:
    aware = moment.replace(tzinfo=moment.tzinfo or UTC)
    return aware.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _is_whole(value: Any) -> bool:
    is_number = isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)
    return is_number and abs(value) < _LARGEST and int(value) == value
