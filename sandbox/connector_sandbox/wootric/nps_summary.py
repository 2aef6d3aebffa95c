"""The NPS summary of some days, computed from responses and declines."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from connector_sandbox.account.store import Store
from connector_sandbox.account.surveys import kind_of
from connector_sandbox.account.table import Data, Range
from connector_sandbox.times import microseconds
from connector_sandbox.wootric.query import BadQueryError

DAYS_WITHOUT_DATES = 30
PROMOTER, PASSIVE = 9, 7


def read(store: Store, query: dict[str, str], time_zone: str) -> Data:
    """Return the summary of the days from `date[start]` to `date[end]`, both included.

    Raises:
        BadQueryError: A parameter is not a date.
    """
    days = read_days(store, query, ("date[start]", "date[end]"), time_zone)
    return summarize(store.within("responses", days.range), store.within("declines", days.range))


class Days(NamedTuple):
    """Days of the account, both included, and the microseconds that they cover."""

    first: date
    last: date
    range: Range


def read_days(store: Store, query: dict[str, str], names: tuple[str, str], time_zone: str) -> Days:
    """Return the days that two parameters name, by default the last 31 days including today.

    Raises:
        BadQueryError: A parameter is not a date.
    """
    zone = ZoneInfo(time_zone)
    today = store.now().astimezone(zone).date()
    last = _day(query, names[1], today)
    first = _day(query, names[0], last - timedelta(days=DAYS_WITHOUT_DATES))
    bounds = Range(_midnight(first, zone), _midnight(last + timedelta(days=1), zone))
    return Days(first, last, bounds)


def summarize(responses: list[Data], declines: list[Data]) -> Data:
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
    """Return the group of an NPS score: `promoter`, `passive` or `detractor`."""
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
