"""Single values: what Birdie takes as an id, a rating, a text and a time."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

_LONGEST_ID = 500  # escaped, about as much as servers take in a path
_HALF_PAIR = re.compile("[\ud800-\udfff]")


class InvalidRecordError(Exception):
    """A record cannot become a Birdie record.

    Attributes:
        reason: A word to count by, such as the name of the field.
        detail: What is wrong, without the value itself.
    """

    def __init__(self, reason: str, detail: str) -> None:
        """Note the reason to count by and the detail to show."""
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def to_id(value: Any, prefix: str = "") -> str | None:
    """Return an id as text; None where there is none.

    Raises:
        InvalidRecordError: Neither a whole number nor text, or a name that no URL can carry.
    """
    if isinstance(value, str):
        text = value.strip()
    elif isinstance(value, bool) or not _is_whole(value):
        raise InvalidRecordError("id", "an id is neither a whole number nor text")
    else:
        text = str(int(value))
    if prefix + text in {".", ".."}:
        raise InvalidRecordError("id", "an id of dots alone cannot stand in a URL")
    if len(text) > _LONGEST_ID or _HALF_PAIR.search(text):
        raise InvalidRecordError(
            "id", "an id is too long for a URL, or holds half a surrogate pair"
        )
    return prefix + text if text else None


def to_rating(value: Any, highest: int | None) -> int | None:
    """Return a whole rating from 0 to `highest` (None: no upper bound).

    Raises:
        InvalidRecordError: Not a whole number, or out of range.
    """
    if isinstance(value, str):
        value = value.strip()
        if not value:
            return None
        value = Decimal(value) if value.isdecimal() else value
    if isinstance(value, bool) or not _is_whole(value):
        raise InvalidRecordError("rating", "the rating is no whole number")
    if value < 0 or (highest is not None and value > highest):
        raise InvalidRecordError("rating", "the rating is out of range")
    return int(value)


def to_text(value: Any) -> str | None:
    """Return a text; None where it is blank."""
    if not isinstance(value, str):
        raise InvalidRecordError("text", "a text field holds something else")
    return value if value.strip() else None


def to_time(value: Any) -> str | None:
    """Return a time as RFC 3339 in UTC; a time without offset counts as UTC.

    Raises:
        InvalidRecordError: No date can be read. Numbers are not guessed at: `date_properties` names
            the columns that hold UNIX seconds.
    """
    if isinstance(value, str):
        value = value.strip()
        if not value:
            return None
        if value[4:5] != "-":
            raise InvalidRecordError("date", "the time is not written as RFC 3339")
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise InvalidRecordError("date", "the time is not written as RFC 3339") from None
    if not isinstance(value, datetime):
        raise InvalidRecordError("date", "the time is not written as RFC 3339; see date_properties")
    return _utc(value)


def _utc(moment: datetime) -> str:
    if moment.tzinfo is None:
        return f"{moment.isoformat()}Z"
    try:
        return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"
    except OverflowError:
        raise InvalidRecordError("date", "the time is out of range") from None


def from_unix(value: Any) -> Any:
    """Return UNIX seconds as RFC 3339 in UTC, and anything else as it is."""
    number = value
    if isinstance(value, str):
        try:
            number = Decimal(value)
        except ArithmeticError:
            return value
    if isinstance(number, bool) or not isinstance(number, (int, float, Decimal)):
        return value
    try:
        return _utc(datetime.fromtimestamp(float(number), UTC))
    except (OverflowError, ValueError, OSError):
        return value


def _is_whole(value: Any) -> bool:
    try:
        return isinstance(value, int) or (isinstance(value, (float, Decimal)) and value % 1 == 0)
    except ArithmeticError:  # infinite, or more digits than a number of any use
        return False
