"""The NPS summary of the Wootric API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from connector_sandbox import Sandbox

    from tests.conftest import SignedIn

NOON = datetime(2031, 5, 1, 20, 0, 0, tzinfo=UTC)
DAY = {"date[start]": "2031-05-01", "date[end]": "2031-05-01"}


@pytest.fixture
def sandbox(make_sandbox: Callable[..., Sandbox]) -> Sandbox:
    """An account without any data."""
    return make_sandbox(responses=0)


def test_a_summary_counts_the_answers_of_a_day(wootric: SignedIn) -> None:
    """Promoters score 9 and 10, detractors 0 to 6; one object of seven integers (doc)."""
    for score in (10, 9, 9, 8, 6, 0):
        wootric.sandbox.store.add_response(NOON, score=score)
    wootric.sandbox.store.add_response(NOON, score=8, origin_url=None)
    wootric.sandbox.store.add_decline(NOON, origin_url=None)

    assert wootric.get("nps_summary", DAY).json() == {
        "nps": 14,
        "responses": 7,
        "detractors": 2,
        "passives": 2,
        "promoters": 3,
        "response_rate": 88,
        "email_response_rate": 50,
    }


def test_other_kinds_of_survey_do_not_count(wootric: SignedIn) -> None:
    """The NPS is that of the NPS surveys (infer)."""
    for survey_id in (11, 12, 14, 15):
        wootric.sandbox.store.add_response(NOON, survey_id=survey_id)
        wootric.sandbox.store.add_decline(NOON, survey_id=survey_id)

    summary = wootric.get("nps_summary", DAY).json()
    assert (summary["responses"], summary["response_rate"]) == (1, 50)


RANGE = {"date_range[start_date]": "2031-05-01", "date_range[end_date]": "2031-05-01"}
STATS = (
    "send_date send_requests emails_sent delivered delivered_percentage bounce_rate "
    "bounce_rate_percentage open_rate response_rate not_eligible raw_results"
)
RAW = (
    "processed bounce dropped delivered opted_out not_delivered open spamreport not_eligible "
    "total_surveys total_responses sart_date end_date"
)


def test_email_stats_count_the_surveys_sent_by_email(wootric: SignedIn) -> None:
    """Three objects, of first e-mails, of reminders and of both (doc)."""
    for record_id in (1, 2, 3):
        wootric.sandbox.store.add_response(NOON, id=record_id, origin_url=None)
    wootric.sandbox.store.add_decline(NOON, id=4, origin_url=None)
    wootric.sandbox.store.add_response(NOON)
    stats = wootric.get("../v2/email_stats", RANGE).json()

    assert set(stats) == {"email_stats", "initial_send", "reminder_send"}
    assert all(" ".join(row) == STATS for row in stats.values())
    assert all(" ".join(row["raw_results"]) == RAW for row in stats.values())
    answers = {name: row["raw_results"]["total_responses"] for name, row in stats.items()}
    assert answers == {"email_stats": 3, "initial_send": 2, "reminder_send": 1}
    assert stats["email_stats"]["delivered_percentage"] == "100.0%"


def test_email_stats_of_a_day_without_emails_are_null(wootric: SignedIn) -> None:
    """Each object may be null (doc)."""
    wootric.sandbox.store.add_response(NOON, id=1, origin_url=None)
    stats = wootric.get("../v2/email_stats", RANGE).json()
    empty = wootric.get("../v2/email_stats").json()

    assert stats["email_stats"] == stats["initial_send"]
    assert stats["reminder_send"] is None
    assert set(empty.values()) == {None}


def test_excluded_responses_do_not_count(wootric: SignedIn) -> None:
    """excluded_from_calculations keeps a response out (doc)."""
    wootric.sandbox.store.add_response(NOON, excluded_from_calculations=True)

    assert wootric.get("nps_summary", DAY).json()["responses"] == 0


def test_days_are_those_of_the_account(wootric: SignedIn) -> None:
    """A day lasts from midnight to midnight in the account's zone (doc)."""
    midnight = datetime(2031, 5, 1, 7, 0, 0, tzinfo=UTC)
    for moment in (midnight, midnight + timedelta(hours=23, minutes=59)):
        wootric.sandbox.store.add_response(moment)
    for moment in (midnight - timedelta(seconds=1), midnight + timedelta(days=1)):
        wootric.sandbox.store.add_response(moment)

    assert wootric.get("nps_summary", DAY).json()["responses"] == 2


def test_without_dates_the_summary_is_of_the_last_month(wootric: SignedIn) -> None:
    """Without dates the last month (doc)."""
    now = wootric.sandbox.store.now()
    for days in (0, 29, 32):
        wootric.sandbox.store.add_response(now - timedelta(days=days))

    assert wootric.get("nps_summary").json()["responses"] == 2


@pytest.mark.parametrize(
    ("path", "name"), [("nps_summary", "date[start]"), ("../v2/email_stats", next(iter(RANGE)))]
)
def test_an_invalid_day_is_400(wootric: SignedIn, path: str, name: str) -> None:
    """Dates are YYYY-MM-DD (doc); anything else is a bad request (doc)."""
    reply = wootric.get(path, {name: "yesterday"})

    assert (reply.status_code, reply.json()) == (400, {"error": f"{name} is invalid"})
