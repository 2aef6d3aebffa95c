"""The NPS summary and the e-mail statistics of the Wootric API."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from connector_sandbox import Sandbox

from tests.conftest import SignedIn

from .helpers import REPORTS

NOON = datetime(2031, 5, 1, 20, 0, 0, tzinfo=UTC)
DAY = dict.fromkeys(("date[start]", "date[end]"), "2031-05-01")
EMAILS = "../v2/email_stats"
RANGE = dict.fromkeys(("date_range[start_date]", "date_range[end_date]"), "2031-05-01")


@pytest.fixture
def sandbox(make_sandbox: Callable[..., Sandbox]) -> Sandbox:
    """An empty account."""
    return make_sandbox(responses=0)


def test_the_summary_counts_the_responses_of_a_day(wootric: SignedIn):
    """Seven integers (doc); promoters score 9 and 10, detractors 0 to 6 (sdk)."""
    for score in (10, 9, 9, 8, 6, 0):
        wootric.sandbox.store.add_response(NOON, score=score)
    wootric.sandbox.store.add_response(NOON, score=8, origin_url=None)
    wootric.sandbox.store.add_decline(NOON, origin_url=None)
    expected = dict(zip(REPORTS["nps_summary"], (14, 7, 2, 2, 3, 88, 50), strict=True))

    assert wootric.get("nps_summary", DAY).json() == expected


def test_the_summary_omits_excluded_responses_and_other_kinds(wootric: SignedIn):
    """`excluded_from_calculations` (live); CSAT and CES surveys (infer)."""
    for survey_id in (11, 12, 14, 15):
        wootric.sandbox.store.add_response(NOON, survey_id=survey_id)
        wootric.sandbox.store.add_decline(NOON, survey_id=survey_id)
    wootric.sandbox.store.add_response(NOON, excluded_from_calculations=True)
    summary = wootric.get("nps_summary", DAY).json()

    assert (summary["responses"], summary["response_rate"]) == (1, 50)


def test_the_summary_covers_days_of_the_account_or_a_month(wootric: SignedIn):
    """From midnight to midnight in the account's time zone; without dates, a month (doc)."""
    now = wootric.sandbox.store.now()
    times = [NOON + timedelta(hours=hours) for hours in (-13.01, -13, 10.99, 11)]
    for time in (*times, *(now - timedelta(days=days) for days in (0, 29, 32))):
        wootric.sandbox.store.add_response(time)

    assert [wootric.get("nps_summary", q).json()["responses"] for q in (DAY, {})] == [2, 2]


def test_email_stats_count_surveys_sent_by_email(wootric: SignedIn):
    """All e-mails, initial e-mails and reminders (doc)."""
    for record_id in (1, 2, 3):
        wootric.sandbox.store.add_response(NOON, id=record_id, origin_url=None)
    wootric.sandbox.store.add_decline(NOON, id=4, origin_url=None)
    wootric.sandbox.store.add_response(NOON)
    stats = wootric.get(EMAILS, RANGE).json()
    answers = {name: part["raw_results"]["total_responses"] for name, part in stats.items()}

    assert answers == {"email_stats": 3, "initial_send": 2, "reminder_send": 1}
    for part in stats.values():
        assert [*part] == REPORTS["email_stats"]
        assert [*part["raw_results"]] == REPORTS["raw_results"]


def test_email_stats_are_null_without_emails(wootric: SignedIn):
    """Each of the three objects can be null (doc)."""
    wootric.sandbox.store.add_response(NOON, id=1, origin_url=None)
    stats = wootric.get(EMAILS, RANGE).json()

    assert (stats["email_stats"], stats["reminder_send"]) == (stats["initial_send"], None)
    assert set(wootric.get(EMAILS).json().values()) == {None}


@pytest.mark.parametrize(("path", "query"), [("nps_summary", DAY), (EMAILS, RANGE)])
def test_an_invalid_day_is_400(wootric: SignedIn, path: str, query: dict[str, str]):
    """Days have the form YYYY-MM-DD (doc); the status is that of other parameters (infer)."""
    replies = {name: wootric.get(path, {name: "yesterday"}) for name in query}

    assert all(r.json() == {"error": f"{n} is invalid"} for n, r in replies.items())
    assert {reply.status_code for reply in replies.values()} == {400}
