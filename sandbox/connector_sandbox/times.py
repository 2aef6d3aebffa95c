"""The clock of the server, and the forms in which the API shows times."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from functools import lru_cache
from zoneinfo import ZoneInfo

from connector_sandbox.options import Options

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SECOND = 1_000_000

Moment = datetime | str | float
"""A time as an argument: a datetime, ISO 8601 text (UTC without offset) or UNIX seconds."""


def as_datetime(moment: Moment) -> datetime:
    """Convert any `Moment` to a datetime in UTC.

    Raises:
        ValueError: The text is not an ISO 8601 time.
    """
    if isinstance(moment, int | float):
        return EPOCH + timedelta(seconds=moment)
    value = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def microseconds(moment: datetime) -> int:
    """Return whole microseconds since 1970; floats would be rounded."""
    return (moment - EPOCH) // MICROSECOND


def from_microseconds(value: int) -> datetime:
    """Convert microseconds since 1970 to a datetime."""
    return EPOCH + timedelta(microseconds=value)


@lru_cache
def renderer(time_format: str, time_zone: str) -> Callable[[datetime], str | int]:
    """Return the function that formats a stored time as the API does, without microseconds."""
    zone = ZoneInfo(time_zone)
    forms: dict[str, Callable[[datetime], str | int]] = {
        "offset": lambda moment: moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %z"),
        "naive_utc": lambda moment: moment.strftime("%Y-%m-%d %H:%M:%S"),
        "iso_millis": lambda moment: (
            moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"
        ),
        "unix": lambda moment: microseconds(moment) // SECOND,
    }
    return forms[time_format]


class Clock:
    """The clock of the server, which options can set wrong."""

    def __init__(self, options: Options) -> None:
        self._options = options

    def seconds(self) -> float:
        """Return UNIX seconds."""
        return time.time() + self._options.utc_offset_seconds_clock

    def header(self) -> list[str]:
        """Return the `Date` header line, or no line if the option hides it."""
        ahead = self._options.date_ahead
        if ahead is None:
            return []
        return [f"Date: {formatdate(self.seconds() + ahead, usegmt=True)}"]

    def now(self) -> datetime:
        """Return the time in UTC with microseconds."""
        return from_microseconds(int(self.seconds() * SECOND))
