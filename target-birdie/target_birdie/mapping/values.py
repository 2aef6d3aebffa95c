"""Single values: what Birdie accepts as an id, a rating, a text and a time."""

import html
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

SCALES = {"nps": (0, 10), "csat": (1, 10), "ces": (1, 7)}
"""Kinds of survey, each with its lowest and highest rating (Wootric's SDKs)."""

_LONGEST_ID = 500  # escaped, about as much as servers accept in a path
_LARGEST = 10**30
_WHOLE = re.compile(r"([+-]?\d{1,9})(\.0*)?")


class InvalidRecordError(Exception):
    """A record cannot become a Birdie record.

    Attributes:
        reason: A word to count by, such as the name of the field.
        detail: What is wrong, without the value itself.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def to_id(value: Any, prefix: str = "") -> str | None:
    """Return an id as text; None if it is blank.

    Raises:
        InvalidRecordError: Neither a whole number nor text, or not usable in a URL.
    """
    if isinstance(value, str):
        text = value.strip()
    elif _is_whole(value):
        text = str(int(value))
    else:
        raise InvalidRecordError("id", "the id is neither a whole number nor text")
    if prefix + text in {".", ".."}:
        raise InvalidRecordError("id", "the id consists of dots, which a URL drops")
    if len(text) > _LONGEST_ID:
        raise InvalidRecordError("id", "the id is longer than 500 characters")
    return prefix + text if text else None


def to_rating(value: Any, kind: str) -> int | None:
    """Return a whole rating on the scale of its kind; None if it is blank.

    Raises:
        InvalidRecordError: Not a whole number, or not on the scale.
    """
    if isinstance(value, str):
        value = value.strip()
        if not value:
            return None
        match = _WHOLE.fullmatch(value)
        value = int(match[1]) if match else value
    lowest, highest = SCALES[kind]
    if not _is_whole(value) or not lowest <= value <= highest:
        scale = f"{kind.upper()} scale, {lowest} to {highest}"
        raise InvalidRecordError("rating", f"the rating is not a whole number on the {scale}")
    return int(value)


def to_text(value: Any, *, unescape: bool = False) -> str | None:
    """Return a text or number as text; None if it is blank.

    Args:
        value: The value of a column.
        unescape: Whether to decode HTML entities; Wootric escapes comments.

    Raises:
        InvalidRecordError: Neither text nor a number.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
        raise InvalidRecordError("text", "a text field contains neither text nor a number")
    text = html.unescape(str(value)) if unescape else str(value)
    return text if text.strip() else None


def to_time(value: Any) -> str | None:
    """Return a time as RFC 3339 in UTC; a time without an offset is UTC.

    Raises:
        InvalidRecordError: Not a date. Numbers are not interpreted: `date_properties` names the
            columns that contain UNIX seconds.
    """
    text = value.strip().upper() if isinstance(value, str) else "number"
    if not text:
        return None
    try:
        if not isinstance(value, datetime):
            value = datetime.fromisoformat(text if text[4:5] == "-" else "")
        return _utc(value)
    except (ValueError, OverflowError):
        line = "the time is not in RFC 3339 format; see date_properties"
        raise InvalidRecordError("date", line) from None


def from_unix(value: Any) -> Any:
    """Return UNIX seconds as RFC 3339 in UTC, and any other value unchanged."""
    if isinstance(value, bool):
        return value
    try:
        return _utc(datetime.fromtimestamp(float(value), UTC))
    except (ArithmeticError, OSError, TypeError, ValueError):
        return value


def _utc(moment: datetime) -> str:
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return f"{moment.isoformat()}Z"


def _is_whole(value: Any) -> bool:
    is_number = isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)
    return is_number and abs(value) < _LARGEST and int(value) == value
