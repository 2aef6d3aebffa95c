"""Reads the time formats of the Wootric API and writes times in one format, for all modules.

All functions are pure. Times leave this module as RFC 3339 text in UTC or as UNIX seconds.
"""

from datetime import UTC, datetime
from functools import lru_cache
from math import floor
from typing import Any

EARLIEST_MILLISECONDS = 10**11
"""Numbers from here on are milliseconds: as seconds they would lie after the year 5138."""

DATE_DIGITS = 8


@lru_cache(maxsize=1024, typed=True)
def parse(value: str | float) -> datetime:
    """Parse a time in any format that the API is known to use.

    Lists contain `2016-12-16 09:05:00 -0800`, webhooks ISO 8601 with or without fractions. A time
    without an offset is UTC. `external_created_at` and date-typed properties contain UNIX seconds
    or milliseconds, as a number or as digits.

    Args:
        value: The value of a time field, never null.

    Returns:
        An aware datetime in UTC.

    Raises:
        ValueError: The value is not a time. The message does not repeat the value.
    """
    try:
        return _parse(value)
    except (ValueError, OverflowError, OSError, TypeError):
        message = f"not a time in a known format (a {type(value).__name__})"
        raise ValueError(message) from None


def _parse(value: str | float) -> datetime:
    if isinstance(value, bool):
        raise TypeError
    if isinstance(value, str):
        text = value.strip().removesuffix("UTC").rstrip()
        digits = text.removeprefix("-").replace(".", "", 1)
        if not digits.isdigit() or len(text) == DATE_DIGITS:  # eight digits are a date: 20240131
            moment = datetime.fromisoformat(text)
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        value = float(text) if "." in text else int(text)
    if abs(value) >= EARLIEST_MILLISECONDS:
        value /= 1000
    return datetime.fromtimestamp(value, UTC)


@lru_cache(maxsize=1024, typed=True)
def canonical(value: str | float) -> str:
    """Convert a time of the API to RFC 3339 in UTC.

    Raises:
        ValueError: The value is not a time.
    """
    return parse(value).isoformat()


def unix_second(value: Any) -> int | None:
    """Return the UNIX second of a time of the API, or None if it cannot be read."""
    try:
        return floor(parse(value).timestamp())
    except (ValueError, TypeError):  # some values are not hashable
        return None


@lru_cache(maxsize=1024)
def from_unix(second: int) -> str:
    """Format a UNIX second as RFC 3339 in UTC.

    The offset is `+00:00`, not `Z`: only then do texts with and without fractions sort correctly.
    """
    return datetime.fromtimestamp(second, UTC).isoformat()
