"""Daily figures: complete days once, and the last days again if their figures changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import responses

from tap_wootric.streams.daily import SENDS, EmailStats

from ..helpers import Account, Json, Output

STREAM = "nps_summary"
DAY = timedelta(days=1)


def last_complete_day() -> date:
    """The last day that is over in every time zone."""
    return (datetime.now(UTC) - timedelta(hours=12) - DAY).date()


def back(number: int) -> str:
    """The day that many days before the last complete one."""
    return (last_complete_day() - number * DAY).isoformat()


def last_days(number: int) -> list[str]:
    return [back(i) for i in range(number - 1, -1, -1)]


def days(output: Output) -> list[str]:
    return [record["date"] for record in output.records(STREAM)]


def requested(account: Account) -> list[str]:
    return [request.query["date[start]"] for request in account.lists(STREAM)]


def test_without_a_start_date_the_days_begin_with_the_first_response(empty: Account) -> None:
    """With the day before it: the account's day may differ from that of UTC."""
    without = empty.sync(STREAM)
    first = datetime.combine(last_complete_day() - 3 * DAY, datetime.min.time(), UTC)
    empty.sandbox.store.add_response(first + timedelta(hours=1))

    assert (without.code, days(without)) == (0, [])
    assert days(empty.sync(STREAM)) == last_days(5)


def test_an_unreadable_first_response_is_skipped_for_the_first_day(account: Account) -> None:
    url = account.sandbox.wootric_url
    with responses.RequestsMock() as api:
        api.post(f"{url}/oauth/token", json={"access_token": "t"})
        api.get(f"{url}/v1/responses", json=[{"id": 1}, {"id": 2, "created_at": back(1)}])
        api.get(f"{url}/v1/{STREAM}", json={"nps": 5})
        output = account.sync(STREAM)

    assert (output.code, days(output)) == (0, last_days(3))


def test_a_later_sync_reads_the_look_back_again_and_sends_the_days_that_changed(
    account: Account,
) -> None:
    settings: Json = {"start_date": back(20), "lookback_days": 5}
    first = account.sync(STREAM, **settings)
    for day in (3, 8):
        account.sandbox.store.add_response(datetime.fromisoformat(f"{back(day)}T20:00:00Z"))
    account.sandbox.requests.clear()

    second = account.sync(STREAM, state=first.state, **settings)

    assert requested(account) == last_days(5)
    assert days(second) == [back(3)]


@pytest.mark.parametrize("lookback_days", [0, 1, 7])
def test_each_complete_day_is_sent_once_and_the_state_stays_short(
    account: Account, lookback_days: int
) -> None:
    settings: Json = {"start_date": back(60), "lookback_days": lookback_days}
    first = account.sync(STREAM, **settings)
    assert days(first) == requested(account) == last_days(61)
    second = account.sync(STREAM, state=first.state, **settings)

    assert days(second) == []
    assert second.state == first.state
    assert first.bookmark(STREAM) == back(0)
    assert len(first.state["bookmarks"][STREAM]["recent"]) == lookback_days + 1


@pytest.mark.parametrize(("bookmark", "expected"), [(back(5), 5), ("9999-12-31", 3)])
def test_a_state_without_fingerprints_resumes_after_its_bookmark_or_the_look_back(
    account: Account, bookmark: str, expected: int
) -> None:
    """The earlier of both: a bookmark in the future must not hide complete days."""
    state = {"bookmarks": {STREAM: {"replication_key_value": bookmark, "first_day": back(30)}}}

    lookback_days = 3 if expected == 3 else 0
    output = account.sync(STREAM, state=state, start_date=back(30), lookback_days=lookback_days)

    assert days(output) == last_days(expected)


def test_an_end_date_and_an_earlier_start_date_leave_no_gap_and_repeat_no_day(
    account: Account,
) -> None:
    first = account.sync(STREAM, start_date=back(9), end_date=back(4), lookback_days=0)
    second = account.sync(
        STREAM, state=first.state, start_date=back(12), end_date=back(2), lookback_days=0
    )

    assert days(first) == last_days(10)[:5]
    assert sorted(days(second)) == [*last_days(13)[:3], back(4), back(3)]


@pytest.mark.parametrize("earlier", [back(30), None])
def test_start_and_end_dates_that_move_leave_no_gap(account: Account, earlier: str | None) -> None:
    account.sandbox.store.add_response(datetime.fromisoformat(f"{back(29)}T12:00:00Z"))
    first = account.sync(STREAM, start_date=back(9), end_date=back(5))
    second = account.sync(STREAM, state=first.state, start_date=back(30), end_date=back(20))
    third = account.sync(STREAM, state=second.state, start_date=back(3))

    last = account.sync(STREAM, state=third.state, start_date=earlier)

    delivered = {day for output in (first, second, third, last) for day in days(output)}
    assert days(account.sync(STREAM, state=third.state, start_date=back(3))) == []
    assert delivered >= {*last_days(31)}


@pytest.mark.parametrize("days_ahead", [-3, 0, 3])
@pytest.mark.parametrize(("hour", "ago"), [(11, 2), (13, 1)])
def test_a_day_is_complete_when_it_has_ended_everywhere_by_the_clock_of_the_server(
    account: Account, hour: int, ago: int, days_ahead: int
) -> None:
    then = datetime.now(UTC).replace(hour=hour, minute=30) + days_ahead * DAY
    account.pass_time(seconds=(then - datetime.now(UTC)).total_seconds())

    output = account.sync(STREAM, start_date=back(9))

    assert days(output)[-1] == (then.date() - ago * DAY).isoformat()


@pytest.mark.parametrize("earlier", [None, 40], ids=["first sync", "earlier start"])
def test_every_state_of_an_interrupted_sync_resumes_without_a_gap(
    account: Account, earlier: int | None
) -> None:
    """Also while the days before an earlier start date are read."""
    settings: Json = {"start_date": back(99), "lookback_days": 0}
    state = account.sync(STREAM, start_date=back(9)).state if earlier else None
    account.sandbox.faults.on("500", share=1, after=80, path=STREAM)
    first = account.sync(STREAM, state=state, retry_budget_seconds=0, **settings)
    account.sandbox.faults.off()

    assert first.code == 1
    assert len(first.states) >= 3
    sent: set[str] = set(last_days(10)) if earlier else set()
    for message in first.messages:
        if message["type"] == "RECORD":
            sent.add(message["record"]["date"])
        elif message["type"] == "STATE":
            rest = account.sync(STREAM, state=message["value"], **settings)
            assert sorted([*sent, *days(rest)]) == last_days(100)


@pytest.mark.parametrize(
    "part", [{"replication_key_value": 5}, {"recent": 5}, {"first_day": "soon"}], ids=str
)
def test_a_state_of_an_unknown_form_is_rejected(account: Account, part: Json) -> None:
    state = {"bookmarks": {STREAM: {"replication_key_value": back(3), **part}}}

    output = account.sync(STREAM, state=state, start_date=back(9))

    assert (output.code, days(output)) == (1, [])
    assert f"'{STREAM}'" in output.error


def stats(answers: int) -> Json:
    """Statistics of one kind of e-mail, in the documented form."""
    return {
        "emails_sent": 7,
        "delivered_percentage": "100.0%",
        "not_eligible": "2 (29%)",
        "raw_results": {"delivered": 7, "not_eligible": 2, "total_responses": answers},
    }


@pytest.fixture
def email_stats(account: Account) -> Iterator[Any]:
    """A function that sets the reply of the e-mail statistics."""
    url = account.sandbox.wootric_url
    with responses.RequestsMock(assert_all_requests_are_fired=False) as api:
        api.post(f"{url}/oauth/token", json={"access_token": "t"})
        yield lambda reply: api.upsert("GET", f"{url}/v2/email_stats", json=reply)


def test_email_stats_are_a_record_for_each_day_and_kind_of_email(
    account: Account, email_stats: Any
) -> None:
    """The counts of `raw_results` replace texts, and a kind without e-mails has no record."""
    email_stats({"email_stats": stats(3), "initial_send": stats(1), "reminder_send": None})
    first = account.sync("email_stats", start_date=back(0))
    email_stats({"email_stats": stats(4), "initial_send": stats(1)})
    second = account.sync("email_stats", start_date=back(0), state=first.state)

    records = first.records("email_stats")
    assert [(r["date"], r["send"]) for r in records] == [(back(0), "all"), (back(0), "initial")]
    assert [r["total_responses"] for r in records] == [3, 1]
    assert (records[0]["not_eligible"], records[0]["emails_sent"]) == (2, 7)
    assert records[0]["additional_fields"]["delivered_percentage"] == "100.0%"
    assert second.records("email_stats")[0]["total_responses"] == 4


def test_every_state_between_the_records_of_a_day_resumes_without_loss(
    account: Account, email_stats: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EmailStats, "STATE_MSG_FREQUENCY", 1)
    email_stats({key: stats(1) for key in SENDS})
    first = account.sync("email_stats", start_date=back(3))

    sent = set()
    for message in first.messages:
        if message["type"] == "RECORD":
            sent.add((message["record"]["date"], message["record"]["send"]))
        elif message["type"] == "STATE":
            rest = account.sync("email_stats", state=message["value"], start_date=back(3))
            assert len(sent | {(r["date"], r["send"]) for r in rest.records("email_stats")}) == 12


def test_days_without_email_stats_are_not_requested_again(
    account: Account, email_stats: Any
) -> None:
    email_stats({"email_stats": None})
    state = account.sync("email_stats", start_date=back(30)).state

    log = account.sync("email_stats", start_date=back(30), state=state, lookback_days=2).log

    assert " 3 requests" in log  # one for the token
