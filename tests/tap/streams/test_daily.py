"""Daily figures: complete days once, and the last days again if their figures changed."""

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tap_wootric.api.rate_limit import RateLimiter
from tap_wootric.streams.daily import SENDS

from ..helpers import Account, Json, Output
from ..state.source import sync

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


@pytest.mark.parametrize("number", [0, 3])
def test_without_a_start_date_the_days_begin_before_the_first_readable_response(
    account: Account, number: int
) -> None:
    """The account's day may differ from that of UTC."""
    listed = [{"id": 1}, {"id": 2, "created_at": back(1)}]
    lists = {"responses.*sort_order=asc": listed if number else []}
    lists |= {STREAM: {"nps": 5}} if number else {}
    with account.answering(**lists):
        output = account.sync(STREAM)

    assert (output.code, days(output)) == (0, last_days(number))


@dataclass
class Figures:
    """Daily figures in memory, with the interface of the client. The version is the figure."""

    stream: str
    requests: list[str] = field(default_factory=list)
    versions: Counter[str] = field(default_factory=Counter)
    server_now: int = field(default_factory=lambda: int(time.time()))
    rate_limiter: RateLimiter = field(default_factory=RateLimiter)
    retries: Any = field(default_factory=lambda: SimpleNamespace(count=0))

    def get(self, _path: str, params: Json, *, expected: type) -> Json:
        self.requests.append(str(next(iter(params.values()))))
        figures = {"version": self.versions[self.requests[-1]]}
        return figures if self.stream == STREAM else {name: {**figures} for name in SENDS}


RUNS = st.tuples(
    st.sampled_from([40, 40, 40, 9, 2]),  # days from the start date to the last complete day
    st.none() | st.integers(-5, 39),  # the same for the end date
    st.lists(st.integers(0, 39), max_size=3),  # days that change before the run
    st.none() | st.tuples(st.sampled_from(["kill", "stop"]), st.integers(0, 50)),
)


@settings(max_examples=40)
@example("email_stats", [(40, None, [], ("stop", 1))], 0)
@given(
    st.sampled_from([STREAM, "email_stats"]),
    st.lists(RUNS, min_size=1, max_size=5),
    st.integers(0, 7),
)
def test_every_day_is_delivered_and_those_that_the_look_back_covers_in_their_last_version(
    stream: str, runs: list[Any], lookback_days: int
) -> None:
    """And a version only once, unless a run was killed or the start date moved forwards."""
    figures, state, delivered = Figures(stream), None, Counter[tuple[Any, int]]()
    for start, end, changed, interruption in [*runs, (40, None, [], None)]:
        figures.versions.update(back(day) for day in changed)
        config = {"start_date": back(start), "lookback_days": lookback_days}
        config |= {} if end is None else {"end_date": back(end)}
        if end is None or end < start:
            run = sync(figures, state, interruption, **config)
            delivered.update(run.delivered)
            state = run.states[-1] if run.states else state

    newest = dict(sorted(delivered))
    sends = [None] if stream == STREAM else SENDS.values()
    assert newest.keys() == {(day, send) for day in last_days(41) for send in sends}
    for (day, _), version in newest.items():
        assert version == figures.versions[day] or day <= back(lookback_days)
    if stream == STREAM and all(
        start == 40 and (cut or ("stop",))[0] == "stop" for start, _, _, cut in runs
    ):
        assert set(delivered.values()) == {1}
    figures.requests.clear()
    assert sync(figures, state, start_date=back(40), lookback_days=lookback_days).delivered == []
    assert figures.requests == last_days(lookback_days)
    assert len(state["bookmarks"][stream]["recent"]) <= lookback_days + 1


@pytest.mark.parametrize(("bookmark", "expected"), [(back(5), 5), ("9999-12-31", 3)])
def test_a_state_without_fingerprints_resumes_after_its_bookmark_or_the_look_back(
    account: Account, bookmark: str, expected: int
) -> None:
    """The earlier of both: a bookmark in the future must not hide complete days."""
    state = {"bookmarks": {STREAM: {"replication_key_value": bookmark, "first_day": back(30)}}}

    lookback_days = 3 if expected == 3 else 0
    output = account.sync(STREAM, state=state, start_date=back(30), lookback_days=lookback_days)

    assert days(output) == last_days(expected)


@pytest.mark.parametrize("days_ahead", [-3, 0, 3])
@pytest.mark.parametrize(("hour", "ago"), [(11, 2), (13, 1)])
def test_a_day_is_complete_when_it_has_ended_everywhere_by_the_clock_of_the_server(
    account: Account, hour: int, ago: int, days_ahead: int
) -> None:
    then = datetime.now(UTC).replace(hour=hour, minute=30) + days_ahead * DAY
    account.pass_time(seconds=(then - datetime.now(UTC)).total_seconds())

    last = then.date() - ago * DAY

    assert days(account.sync(STREAM, start_date=back(9)))[-1] == last.isoformat()
    assert days(account.sync(STREAM, start_date=(last + DAY).isoformat())) == []


def stats(answers: int) -> Json:
    """Statistics of one kind of e-mail, in the documented form."""
    return {
        "emails_sent": 7,
        "delivered_percentage": "100.0%",
        "not_eligible": "2 (29%)",
        "raw_results": {"delivered": 7, "not_eligible": 2, "total_responses": answers},
    }


def test_email_stats_are_a_record_for_each_day_and_kind_of_email(account: Account) -> None:
    """The counts of `raw_results` replace texts, and a kind without e-mails has no record."""
    kinds = {"email_stats": stats(3), "initial_send": {"raw_results": 5}, "reminder_send": 5}
    with account.answering(email_stats=kinds):
        first = account.sync("email_stats", start_date=back(0))
    with account.answering(email_stats={"email_stats": stats(4)}):
        second = account.sync("email_stats", start_date=back(0), state=first.state)

    records = first.records("email_stats")
    assert [(r["date"], r["send"]) for r in records] == [(back(0), "all"), (back(0), "initial")]
    assert [r["total_responses"] for r in records] == [3, None]
    assert records[1]["additional_fields"] == {"raw_results": 5}
    assert (records[0]["not_eligible"], records[0]["emails_sent"]) == (2, 7)
    assert records[0]["additional_fields"]["delivered_percentage"] == "100.0%"
    assert second.records("email_stats")[0]["total_responses"] == 4


def test_days_without_email_stats_are_not_requested_again(account: Account) -> None:
    with account.answering(email_stats={"email_stats": None}):
        state = account.sync("email_stats", start_date=back(30)).state
        log = account.sync("email_stats", start_date=back(30), state=state, lookback_days=2).log

    assert " 3 requests" in log  # one for the token
