"""Reading the many ways in which Wootric writes a moment, and writing it in one way.

Pure: no HTTP, no clock.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from math import floor


def to_utc(value: object) -> datetime:
    """Read a time as Wootric shows it.

    Understood are `2016-12-16 09:05:00 -0800` (lists), ISO 8601 with or without fractions
    (webhooks), the same without an offset, which is taken as UTC, and UNIX seconds as a number or
    as digits (`external_created_at`, date-typed properties).

    Args:
        value: The value of a time field, never null.

    Returns:
        An aware datetime in UTC.

    Raises:
        ValueError: The value is not a time; its text is not repeated in the message.
    """
    try:
        return _to_utc(value)
    except (ValueError, OverflowError, OSError, TypeError):
        message = f"not a time in any form Wootric is known to use (a {type(value).__name__})"
        raise ValueError(message) from None


def _to_utc(value: object) -> datetime:
    if isinstance(value, str):
        return _text_to_utc(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return datetime.fromtimestamp(value, UTC)
    raise TypeError


def _text_to_utc(text: str) -> datetime:
    text = text.strip()
    if text.endswith("UTC"):
        text = text.removesuffix("UTC").rstrip()
    elif text.lstrip("-").replace(".", "", 1).isdigit() and "-" not in text[1:] and len(text) != 8:  # noqa: PLR2004
        return datetime.fromtimestamp(float(text) if "." in text else int(text), UTC)
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


@lru_cache(maxsize=1024)
def canonical(value: str | float) -> str:
    """Write a time as Wootric shows it in RFC 3339, UTC.

    Raises:
        ValueError: The value is not a time.
    """
    return to_rfc3339(to_utc(value))


@lru_cache(maxsize=1024)
def unix_second(text: str) -> int:
    """The UNIX second in which a moment lies that is written in RFC 3339."""
    return floor(datetime.fromisoformat(text).timestamp())


def to_rfc3339(moment: datetime) -> str:
    """Write a UTC moment so that texts compare as moments do.

    `+00:00` sorts before a fraction's `.`, as `Z` would not.
    """
    return moment.isoformat()


def from_unix(second: int) -> str:
    """Write a UNIX second in RFC 3339, UTC."""
    return to_rfc3339(datetime.fromtimestamp(second, UTC))
