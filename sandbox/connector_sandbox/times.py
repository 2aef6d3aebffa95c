"""Moments in time: the server's clock, and the forms in which the API shows times."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Callable

    from connector_sandbox.options import Options

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SECOND = 1_000_000

Moment = datetime | str | float
"""A time as callers may give it: a datetime, ISO 8601 text (without offset: UTC), UNIX seconds."""


def as_datetime(moment: Moment) -> datetime:
    """Any `Moment` as a datetime in UTC.

    Raises:
        ValueError: the text is no ISO 8601 time.
    """
    if isinstance(moment, int | float):
        return EPOCH + timedelta(seconds=moment)
    value = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def microseconds(moment: datetime) -> int:
    """Whole microseconds since 1970, exact where a float would round."""
    return (moment - EPOCH) // MICROSECOND


def from_microseconds(value: int) -> datetime:
    """The inverse of `microseconds`."""
    return EPOCH + timedelta(microseconds=value)


@lru_cache
def renderer(time_format: str, time_zone: str) -> Callable[[datetime], str | int]:
    """The function that shows a stored time as the API does; every form drops the microseconds."""
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
    """The server's notion of now, which an option sets wrong on purpose."""

    def __init__(self, options: Options) -> None:
        self._options = options

    def seconds(self) -> float:
        """UNIX seconds."""
        return time.time() + self._options.utc_offset_seconds_clock

    def header(self) -> list[str]:
        """The line of a reply that tells the time; none where the option hides it."""
        ahead = self._options.date_ahead
        if ahead is None:
            return []
        return [f"Date: {formatdate(self.seconds() + ahead, usegmt=True)}"]

    def now(self) -> datetime:
        """The moment in UTC, to the microsecond."""
        return from_microseconds(int(self.seconds() * SECOND))
