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


def test_a_day_that_is_none_is_refused(wootric: SignedIn) -> None:
    """Dates are YYYY-MM-DD (doc); anything else is a bad request (doc)."""
    assert wootric.get("nps_summary", {"date[start]": "yesterday"}).status_code == 400
