"""The sample data of a new account, deterministic for each seed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from string import ascii_lowercase
from typing import Any

from connector_sandbox.account.corpus import (
    CUSTOMERS,
    NOTES,
    ODD_PROPERTIES,
    SEGMENTS,
    SURVEY_TEMPLATES,
    TAGS,
    TEXTS,
)
from connector_sandbox.account.store import DEFAULTS, Store
from connector_sandbox.account.surveys import SURVEYS
from connector_sandbox.account.table import Data
from connector_sandbox.times import SECOND, Moment, as_datetime, from_microseconds, microseconds

HISTORY = timedelta(days=400)
AN_HOUR = timedelta(hours=1)
FIRST_ID = {"responses": 1001, "declines": 501, "end_users": 201}
NPS_ONLY = 10
SURVEY_IDS = (10, 10, 10, 11, 11, 11, 13, 12, 14, 15)
"""Three of ten responses belong to a CSAT or CES survey."""
CONTACT = ("id", "email", "external_id", "phone_number", "properties")
"""The fields of the person in `end_user`, with their values at the time of the survey."""
IDENTITY = {"id", "created_at", "updated_at"}
LANGUAGES = tuple(TEXTS)
WEIGHTS = (30, 25, 10, 6, 6, 5, 5, 4, 4, 2, 2, 1)
OLD_SHARE, NEW_SHARE = 0.1, 0.9
"""In order of time: the oldest tenth lacks some keys, the newest tenth has one more."""


@dataclass(frozen=True)
class Period:
    """The time range of the sample data."""

    start: datetime
    end: datetime

    def moments(self, random: Random, n: int) -> list[datetime]:
        """Return n random times in ascending order."""
        low, high = microseconds(self.start), microseconds(self.end)
        return [from_microseconds(value) for value in sorted(random.choices(range(low, high), k=n))]

    def later(self, random: Random, moment: datetime) -> datetime:
        """Return a random time of the last change: mostly seconds later, sometimes weeks."""
        scale = random.choice((3, 3, 3, 60, 3_600, 20 * 86_400))
        delay = timedelta(microseconds=int(random.expovariate(1 / scale) * SECOND))
        return min(moment + delay, self.end)


def seed_account(store: Store, random: Random, responses: int, until: Moment | None = None) -> None:
    """Fill an empty store: one decline for three responses, one person for two."""
    if not responses:
        return
    end = store.now() - AN_HOUR if until is None else as_datetime(until)
    period = Period(end - HISTORY, end)
    people = _people(random, period, max(1, responses // 2))
    answers = _responses(random, period, responses, people)
    _remember_last(people, answers)
    store.load("end_users", people)
    store.load("responses", answers)
    store.load("declines", _declines(random, period, responses // 3, people))
    rows = ({"name": n, "data_type": t, "created_at": period.start} for n, t in SEGMENTS)
    store.load("segments", rows)
    store.survey_templates = SURVEY_TEMPLATES


def add_responses(store: Store, random: Random, n: int = 1) -> list[Data]:
    """Add n responses of the present time, similar to the sample data, and return them."""
    people = store.end_users() or [store.add_end_user()]
    now = store.now()
    added = []
    for _ in range(n):
        person = random.choice(people)
        row = _response(random, Period(now, now), person, now, 0, 1.0)
        fields = {name: value for name, value in row.items() if name not in IDENTITY}
        added.append(store.add("responses", **fields))
    return added


def _people(random: Random, period: Period, n: int) -> list[Data]:
    return [
        _person(random, period, FIRST_ID["end_users"] + i, moment)
        for i, moment in enumerate(period.moments(random, n))
    ]


def _person(random: Random, period: Period, number: int, created: datetime) -> Data:
    domain = random.choice(("example.com", "example.org"))
    has_mail, has_phone = _chance(random, 0.95), _chance(random, 0.3)
    person = DEFAULTS["end_users"] | {
        "id": number,
        "created_at": created,
        "updated_at": period.later(random, created),
        "email": f"{random.choice(ascii_lowercase)}{number}@{domain}",
        "external_created_at": int(created.timestamp()) - random.randrange(86_400 * 300),
        "external_id": random.choice((f"crm-{number}", None)),
        "last_seen_at": created,
        "phone_number": f"+1202555{number % 10_000:04}" if has_phone else None,
        "properties": _properties(random, created),
    }
    return person if has_mail else person | {"email": None, "phone_number": "+12025550100"}


def _properties(random: Random, created: datetime) -> dict[str, Any]:
    signed_up = int(created.timestamp()) - random.randrange(86_400 * 300)
    own = {"signed_up": signed_up, "renewal date": signed_up + 86_400 * 365}
    language = random.choices(LANGUAGES, WEIGHTS)[0]
    return {
        **random.choice(CUSTOMERS),
        **own,
        "language": language,
        **random.choice(ODD_PROPERTIES),
    }


def _responses(random: Random, period: Period, n: int, people: list[Data]) -> list[Data]:
    return [
        _response(random, period, random.choice(people), moment, FIRST_ID["responses"] + i, i / n)
        for i, moment in enumerate(period.moments(random, n))
    ]


def _response(
    random: Random, period: Period, person: Data, created: datetime, number: int, place: float
) -> Data:
    language = person["properties"].get("language", "en")
    row = _survey(random, period, person, created, number) | {
        "text": _text(random, language),
        "completed": _chance(random, 0.9),
        "excluded_from_calculations": _chance(random, 0.03),
        "tags": random.sample(TAGS, k=random.choice((0, 0, 0, 1, 1, 3))),
        "notes": random.choice((None, [""], [NOTES[0], ""], *([] for _ in range(6)), [*NOTES[1:]])),
    }
    if place < OLD_SHARE:
        # A record without survey_id must be NPS, since nothing else names its scale.
        row["survey_id"] = NPS_ONLY
        row["end_user"] = {name: row["end_user"][name] for name in ("email", "properties")}
        for key in random.sample(("tags", "notes", "completed", "origin_url"), k=2):
            del row[key]
    row["score"] = random.choice(SURVEYS[row["survey_id"]].scores)
    if place < OLD_SHARE and _chance(random, 0.5):
        del row["survey_id"]
    if place >= NEW_SHARE:
        row["survey_language"] = language
    return row


def _text(random: Random, language: str) -> str | None:
    if _chance(random, 0.4):
        return random.choice((None, None, ""))
    return random.choice(TEXTS[language])


def _survey(random: Random, period: Period, person: Data, created: datetime, number: int) -> Data:
    by_mail = _chance(random, 0.3)
    return {
        "id": number,
        "end_user_id": person["id"],
        "survey_id": random.choice(SURVEY_IDS),
        "ip_address": None if by_mail else f"198.51.100.{random.randrange(1, 255)}",
        "origin_url": None if by_mail else f"https://app.example.com/{random.choice('abcd')}",
        "created_at": created,
        "updated_at": period.later(random, created),
        "end_user": {name: person.get(name) for name in CONTACT},
    }


def _declines(random: Random, period: Period, n: int, people: list[Data]) -> list[Data]:
    return [
        _survey(random, period, random.choice(people), moment, FIRST_ID["declines"] + i)
        for i, moment in enumerate(period.moments(random, n))
    ]


def _remember_last(people: list[Data], answers: list[Data]) -> None:
    """Set `last_surveyed` and `last_response` of each person from the newest response."""
    newest = {row["end_user_id"]: row for row in answers}
    for person in people:
        if (row := newest.get(person["id"])) is not None:
            person["last_surveyed"] = row["created_at"]
            person["last_response"] = {
                "id": row["id"],
                "score": row["score"],
                "text": row["text"],
                "survey": {"channel": "web" if row.get("origin_url") else "email"},
            }


def _chance(random: Random, share: float) -> bool:
    return random.random() < share
