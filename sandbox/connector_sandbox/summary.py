"""The NPS summary: one object computed from the responses and declines of some days."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from connector_sandbox.query import BadQueryError
from connector_sandbox.surveys import kind_of
from connector_sandbox.table import Data, Range
from connector_sandbox.times import microseconds

if TYPE_CHECKING:
    from connector_sandbox.store import Store

DAYS_WITHOUT_DATES = 30
PROMOTER, PASSIVE = 9, 7


def read(store: Store, query: dict[str, str], time_zone: str) -> Data:
    """The summary of the days `date[start]` to `date[end]`, both included.

    Without dates they are the 30 days before today, and today.

    Raises:
        BadQueryError: a date is none.
    """
    days = read_days(store, query, ("date[start]", "date[end]"), time_zone)
    return summarise(store.within("responses", days.range), store.within("declines", days.range))


class Days(NamedTuple):
    """Days of the account, both included, and the microseconds that they cover."""

    first: date
    last: date
    range: Range


def read_days(store: Store, query: dict[str, str], names: tuple[str, str], time_zone: str) -> Days:
    """The days that two parameters name; without them the 30 days before today, and today.

    Raises:
        BadQueryError: a parameter is not a date.
    """
    zone = ZoneInfo(time_zone)
    today = store.now().astimezone(zone).date()
    last = _day(query, names[1], today)
    first = _day(query, names[0], last - timedelta(days=DAYS_WITHOUT_DATES))
    bounds = Range(_midnight(first, zone), _midnight(last + timedelta(days=1), zone))
    return Days(first, last, bounds)


def summarise(responses: list[Data], declines: list[Data]) -> Data:
    """Count the answers to NPS surveys, and compute rates in per cent.

    A survey was sent by e-mail if it has no `origin_url`.
    """
    counted = [
        row
        for row in responses
        if not row.get("excluded_from_calculations") and kind_of(row.get("survey_id")) == "nps"
    ]
    declines = [row for row in declines if kind_of(row.get("survey_id")) == "nps"]
    scores = [row["score"] for row in counted if isinstance(row.get("score"), int)]
    groups = Counter(map(group, scores))
    promoters, detractors = groups["promoter"], groups["detractor"]
    return {
        "nps": round(100 * (promoters - detractors) / len(scores)) if scores else 0,
        "responses": len(scores),
        "detractors": detractors,
        "passives": groups["passive"],
        "promoters": promoters,
        "response_rate": _rate(counted, declines),
        "email_response_rate": _rate(
            *([row for row in rows if not row.get("origin_url")] for rows in (counted, declines))
        ),
    }


def group(score: int) -> str:
    """What a score makes of the person: `promoter`, `passive` or `detractor`."""
    if score >= PROMOTER:
        return "promoter"
    return "passive" if score >= PASSIVE else "detractor"


def _rate(answered: list[Data], declined: list[Data]) -> int:
    shown = len(answered) + len(declined)
    return round(100 * len(answered) / shown) if shown else 0


def _day(query: dict[str, str], name: str, default: date) -> date:
    try:
        return date.fromisoformat(query[name]) if name in query else default
    except ValueError:
        message = f"{name} is invalid"
        raise BadQueryError(message) from None


def _midnight(day: date, zone: ZoneInfo) -> int:
    return microseconds(datetime.combine(day, time(), zone).astimezone(UTC))
