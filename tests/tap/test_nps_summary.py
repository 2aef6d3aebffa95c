"""NPS summary: Wootric's own figures, one record for each complete day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import responses
from connector_sandbox.account.surveys import kind_of

from tap_wootric.errors import TapError
from tap_wootric.tap import TapWootric

from .helpers import Account, Output, invoke, selecting

STREAM = "nps_summary"
DAY = timedelta(days=1)


def days(output: Output) -> list[str]:
    """The days that a run delivered."""
    return [record["date"] for record in output.records(STREAM)]


def asked(account: Account) -> list[str]:
    """The days that were asked for."""
    return [request.query["date[start]"] for request in account.lists(STREAM)]


def last_complete_day() -> date:
    """The last day that is over everywhere on earth."""
    return (datetime.now(UTC) - timedelta(hours=12) - DAY).date()


def back(number: int) -> str:
    """So many days before the last complete one."""
    return (last_complete_day() - number * DAY).isoformat()


def days_until_now(number: int) -> list[str]:
    """The last complete days."""
    return [back(i) for i in range(number - 1, -1, -1)]


def bookmark(output: Output) -> str:
    """The newest day that a run's state stands for."""
    return str(output.state["bookmarks"][STREAM]["replication_key_value"])


@pytest.fixture
def marked(account: Account) -> Iterator[Account]:
    """The small account, in a time zone far from UTC."""
    account.sandbox.options.time_zone = "Pacific/Auckland"
    return account


def test_it_is_not_selected_unless_asked_for(account: Account) -> None:
    """Each of its days is a request."""
    options = account.options()
    without_catalog = options[: options.index("--catalog")]

    output = invoke(without_catalog)

    assert output.code == 0
    assert account.lists("responses")
    assert account.lists(STREAM) == []


def test_each_complete_day_is_a_record(account: Account) -> None:
    """From the start until the last day that is over in every time zone."""
    output = account.sync(STREAM, start_date=back(9))

    assert output.code == 0
    assert days(output) == days_until_now(10)
    assert asked(account) == days(output)


def test_the_figures_are_those_of_the_day(marked: Account) -> None:
    """Of the account's own day, computed here from the responses."""
    zone = ZoneInfo("Pacific/Auckland")

    records = marked.sync(STREAM, start_date=back(30)).records(STREAM)

    rows = [
        row
        for row in marked.truth().values()
        if not row.get("excluded_from_calculations")
        and row.get("score") is not None
        and kind_of(row.get("survey_id")) == "nps"
    ]
    assert sum(record["responses"] for record in records) > 0
    for record in records:
        scores = [
            row["score"]
            for row in rows
            if row["created_at"].astimezone(zone).date().isoformat() == record["date"]
        ]
        assert record["responses"] == len(scores)
        assert record["promoters"] == sum(score >= 9 for score in scores)
        assert record["passives"] == sum(score in {7, 8} for score in scores)
        assert record["detractors"] == sum(score <= 6 for score in scores)


def test_without_a_start_it_begins_with_the_first_response(empty: Account) -> None:
    """Not with the beginning of time; the day before, as the account's may differ from UTC's."""
    first = datetime.combine(last_complete_day() - 3 * DAY, datetime.min.time(), UTC)
    empty.sandbox.store.add_response(first + timedelta(hours=1))

    assert days(empty.sync(STREAM)) == days_until_now(5)


def test_a_first_response_without_a_time_is_an_error_that_names_it() -> None:
    """There is no guess from which day on there are figures."""
    stream = TapWootric(config={"client_id": "i", "client_secret": "s"}).streams[STREAM]
    with responses.RequestsMock() as wootric:
        wootric.post("https://api.wootric.com/oauth/token", json={"access_token": "t"})
        wootric.get("https://api.wootric.com/v1/responses", json=[{"id": 7, "created_at": None}])
        with pytest.raises(TapError, match="Record 7 of 'responses' can't be read: created_at"):
            list(stream.get_records(None))


def test_an_account_without_responses_has_no_days(empty: Account) -> None:
    """Nothing is asked for either."""
    output = empty.sync(STREAM)

    assert output.code == 0
    assert days(output) == []
    assert asked(empty) == []


def test_a_later_sync_reads_the_last_days_again_and_sends_what_changed(account: Account) -> None:
    """Late answers change the figures of days past."""
    first = account.sync(STREAM, start_date=back(20), lookback_days=5)
    noon = datetime.fromisoformat(f"{back(3)}T20:00:00Z")
    account.sandbox.store.add_response(noon, score=9)
    before = len(asked(account))

    second = account.sync(STREAM, state=first.state, start_date=back(20), lookback_days=5)

    assert asked(account)[before:] == days_until_now(5)
    assert days(second) == [back(3)]
    (record,) = second.records(STREAM)
    (earlier,) = (r for r in first.records(STREAM) if r["date"] == back(3))
    assert record["responses"] == earlier["responses"] + 1


def test_a_change_before_the_look_back_is_not_looked_for(account: Account) -> None:
    """`lookback_days` bounds the requests."""
    first = account.sync(STREAM, start_date=back(10), lookback_days=2)
    account.sandbox.store.add_response(datetime.fromisoformat(f"{back(6)}T20:00:00Z"))
    before = len(asked(account))

    second = account.sync(STREAM, state=first.state, start_date=back(10), lookback_days=2)

    assert days(second) == []
    assert len(asked(account)) - before == 2


@pytest.mark.parametrize("lookback_days", [0, 1, 7])
def test_an_idle_sync_emits_nothing_and_keeps_its_state(
    account: Account, lookback_days: int
) -> None:
    """Days are not sent again unchanged, and the bookmark stays, sync after sync."""
    settings = {"start_date": back(15), "lookback_days": lookback_days}
    output = account.sync(STREAM, **settings)
    state = output.state
    for _ in range(3):
        output = account.sync(STREAM, state=output.state, **settings)

        assert days(output) == []
        assert output.state == state
    assert state["bookmarks"][STREAM]["replication_key_value"] == back(0)


def test_days_that_have_gone_by_since_are_delivered(account: Account) -> None:
    """A bookmark of five days ago."""
    bookmark = {"replication_key": "date", "replication_key_value": back(5)}

    output = account.sync(STREAM, state={"bookmarks": {STREAM: bookmark}}, lookback_days=0)

    assert days(output) == days_until_now(5)


def test_an_end_bounds_a_run(account: Account) -> None:
    """The day of `end_date` itself is not complete before it."""
    output = account.sync(STREAM, start_date=back(9), end_date=back(4))

    assert days(output) == days_until_now(10)[:5]


@pytest.mark.parametrize("skew", [-3, 3])
def test_the_servers_clock_tells_which_days_are_complete(account: Account, skew: int) -> None:
    """Also where the local clock is days ahead or behind and this stream runs alone."""
    account.sandbox.options.utc_offset_seconds_clock = skew * 86_400

    output = account.sync(STREAM, start_date=back(9))

    assert days(output)[-1] == (last_complete_day() + skew * DAY).isoformat()


def test_a_clock_that_is_ahead_makes_no_day_complete(account: Account) -> None:
    """The one day that was asked for before the server's clock was known is not sent."""
    account.sandbox.options.utc_offset_seconds_clock = -3 * 86_400

    output = account.sync(STREAM, start_date=back(0))

    assert output.code == 0
    assert days(output) == []
    assert len(asked(account)) == 1


@pytest.mark.parametrize(("hour", "complete"), [(1, 2), (11, 2), (13, 1), (23, 1)])
def test_a_day_is_complete_when_it_has_ended_everywhere(
    account: Account, hour: int, complete: int
) -> None:
    """Noon in UTC is midnight in the last time zone."""
    now = datetime.now(UTC)
    then = now.replace(hour=hour, minute=30)
    account.sandbox.options.utc_offset_seconds_clock = (then - now).total_seconds()

    output = account.sync(("responses", STREAM), start_date=back(5))

    assert days(output)[-1] == (then.date() - complete * DAY).isoformat()


def test_a_start_that_was_moved_later_bounds_the_look_back(account: Account) -> None:
    """Days before it are not asked for."""
    first = account.sync(STREAM, start_date=back(9))
    before = len(asked(account))

    account.sync(STREAM, state=first.state, start_date=back(2), lookback_days=7)

    assert asked(account)[before:] == days_until_now(3)


def test_a_start_that_was_moved_earlier_brings_the_older_days_once(account: Account) -> None:
    """Beside them only the look-back is read, and the bookmark stays; no start is the earliest."""
    first = account.sync(STREAM, start_date=back(9), lookback_days=2)

    second = account.sync(STREAM, state=first.state, start_date=back(20), lookback_days=2)
    third = account.sync(STREAM, state=second.state, start_date=back(20), lookback_days=2)
    whole = account.sync(STREAM, state=third.state, lookback_days=2)
    again = account.sync(STREAM, state=whole.state, lookback_days=2)

    assert days(second) == days_until_now(21)[:11]
    assert asked(account)[10:25] == [*days(second), *days_until_now(2) * 2]
    assert days(third) == days(again) == []
    assert len(days(whole)) > 300
    assert max(days(whole)) == back(21)
    assert {bookmark(run) for run in (first, second, third, whole, again)} == {back(0)}


def test_an_interruption_while_older_days_are_read_loses_none(account: Account) -> None:
    """Whichever STATE it goes on from, the rest is delivered, and nothing that it stands for."""
    first = account.sync(STREAM, start_date=back(9), lookback_days=2)
    account.sandbox.faults.on("500", share=1, after=75, path=STREAM)
    settings = {"start_date": back(100), "lookback_days": 2}
    second = account.sync(STREAM, state=first.state, retry_budget_seconds=0, **settings)
    account.sandbox.faults.off()
    sent: set[str] = set()

    assert second.code == 1
    assert len(second.states) >= 3
    for message in second.messages:
        if message["type"] == "RECORD":
            sent.add(message["record"]["date"])
        elif message["type"] == "STATE" and sent:
            third = account.sync(STREAM, state=message["value"], **settings)
            assert sorted([*sent, *days(third)]) == days_until_now(101)[:91]
            assert bookmark(third) == back(0)


def test_an_end_that_was_moved_later_brings_the_days_since(account: Account) -> None:
    """And none twice, with a start that was moved at the same time."""
    first = account.sync(STREAM, start_date=back(9), end_date=back(4), lookback_days=0)

    second = account.sync(
        STREAM, state=first.state, start_date=back(12), end_date=back(2), lookback_days=0
    )

    assert days(first) == days_until_now(10)[:5]
    assert days(second) == [*days_until_now(13)[:3], back(4), back(3)]


def test_a_state_without_covered_days_counts_as_all_until_its_bookmark(account: Account) -> None:
    """As the bookmark alone said; what a start that is moved from there on adds is read."""
    state = {"bookmarks": {STREAM: {"replication_key": "date", "replication_key_value": back(5)}}}
    settings = {"start_date": back(20), "lookback_days": 0}

    first = account.sync(STREAM, state=state, **settings)
    second = account.sync(STREAM, state=first.state, **settings | {"start_date": back(22)})

    assert days(first) == days_until_now(5)
    assert days(second) == [back(22), back(21)]


def test_the_state_stays_short(account: Account) -> None:
    """It remembers the days of the look-back, however long the history."""
    output = account.sync(STREAM, start_date=back(60), lookback_days=7)

    assert len(output.state["bookmarks"][STREAM]["seen"]) <= 8
    assert output.state["bookmarks"][STREAM]["coverage"] == [[back(60), back(0)]]


def test_a_long_history_can_be_resumed(account: Account) -> None:
    """A STATE is written while it goes on; what follows it is at most a month of days."""
    account.sandbox.faults.on("500", share=1, after=100, path=STREAM)
    first = account.sync(STREAM, start_date=back(149), retry_budget_seconds=0)
    account.sandbox.faults.off()
    states = [s for s in first.states if STREAM in s["bookmarks"]]

    second = account.sync(STREAM, state=states[1], start_date=back(149), lookback_days=0)

    assert first.code == 1
    assert len(states) >= 3
    assert set(days(first)) | set(days(second)) == set(days_until_now(150))
    assert len(set(days(first)) & set(days(second))) <= 60


def test_full_table_reads_all_days_again(account: Account) -> None:
    """Chosen in the catalog, it neither reads nor writes a bookmark."""
    catalog = selecting(STREAM, replication_method="FULL_TABLE")
    first = account.sync(STREAM, catalog=catalog, start_date=back(3))
    second = account.sync(STREAM, catalog=catalog, start_date=back(3), state=first.state)

    assert days(first) == days(second) == days_until_now(4)


BROKEN: list[Any] = [
    {"replication_key_value": "soon"},
    {"replication_key_value": "2024-13-01"},
    {"replication_key_value": 5},
    {"replication_key_value": [back(3)]},
    {"seen": 5},
    {"seen": [5]},
    {"coverage": 5},
    {"coverage": [5]},
    {"coverage": [[back(9)]]},
    {"coverage": [[back(9), None]]},
    {"coverage": [[back(9), "soon"]]},
    {"coverage": {"a": 1}},
]


@pytest.mark.parametrize("part", BROKEN, ids=str)
def test_a_state_without_dates_where_they_belong_is_refused(account: Account, part: Any) -> None:
    """In one line, not a stack trace."""
    broken = {"replication_key": "date", "replication_key_value": back(3), **part}

    output = account.sync(STREAM, state={"bookmarks": {STREAM: broken}}, start_date=back(9))

    assert output.code == 1
    assert f"The state of '{STREAM}' can't be understood" in output.error
    assert "Traceback" not in output.log


@pytest.mark.parametrize("value", ["0001-01-01", "9999-12-31"])
def test_a_bookmark_at_the_edge_of_time_is_a_date(account: Account, value: str) -> None:
    """Far from now in either direction, with a look-back that reaches beyond it."""
    state = {"bookmarks": {STREAM: {"replication_key": "date", "replication_key_value": value}}}

    output = account.sync(STREAM, state=state, start_date=back(3), lookback_days=3650)

    assert output.code == 0
    assert days(output) == (days_until_now(4) if value < back(3) else [])


def test_an_answer_of_another_form_is_asked_for_again(account: Account) -> None:
    """An object without figures is no day."""
    account.sandbox.faults.on("object", times=2, path=STREAM)

    assert days(account.sync(STREAM, start_date=back(2))) == days_until_now(3)
