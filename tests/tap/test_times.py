"""Times: every form in which Wootric shows a moment becomes the same RFC 3339 text in UTC."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from connector_sandbox import Sandbox
from hypothesis import given
from hypothesis import strategies as st

from tap_wootric.times import canonical, from_unix, to_rfc3339, to_utc, unix_second

from .helpers import Account, assert_complete

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST = 7 * 10**15  # microseconds: more than two centuries

moments = st.integers(-LONGEST, LONGEST).map(lambda us: EPOCH + timedelta(microseconds=us))

MOMENT = "2016-12-16T17:05:00+00:00"


@pytest.mark.parametrize(
    "shown",
    [
        "2016-12-16 09:05:00 -0800",
        "2016-12-16 17:05:00 +0000",
        "2016-12-16 22:50:00 +0545",
        "2016-12-16 17:05:00 UTC",
        "2016-12-16 17:05:00",
        "2016-12-16T17:05:00",
        "2016-12-16T17:05:00Z",
        "2016-12-16T17:05:00.000Z",
        "2016-12-16T09:05:00-08:00",
        " 2016-12-16 09:05:00 -0800 ",
        1481907900,
        1481907900.0,
        "1481907900",
    ],
)
def test_every_known_form_becomes_rfc3339_in_utc(shown: str | float) -> None:
    """The forms of lists, webhooks, properties and older documentation name one moment."""
    assert canonical(shown) == MOMENT


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ("2016-12-16T17:05:00.123Z", "2016-12-16T17:05:00.123000+00:00"),
        ("2016-12-16", "2016-12-16T00:00:00+00:00"),
        ("20161216", "2016-12-16T00:00:00+00:00"),
        (0, "1970-01-01T00:00:00+00:00"),
        (-1, "1969-12-31T23:59:59+00:00"),
        ("-86400", "1969-12-31T00:00:00+00:00"),
        (1481907900.5, "2016-12-16T17:05:00.500000+00:00"),
    ],
)
def test_fractions_dates_and_early_moments_are_kept(shown: str | float, expected: str) -> None:
    """Nothing of what a value tells is rounded away."""
    assert canonical(shown) == expected


@pytest.mark.parametrize(
    "shown",
    ["", "yesterday", "2016-13-01", "2016-12-16 25:00:00", True, None, [], {}, 1e300, "nan", "1-2"],
)
def test_what_is_no_time_is_refused_and_not_repeated(shown: object) -> None:
    """An error rather than a guess; its text holds the kind of the value, not the value."""
    with pytest.raises(ValueError, match="not a time in any form") as caught:
        to_utc(shown)
    if isinstance(shown, str) and shown:
        assert shown not in str(caught.value)


def test_a_time_without_offset_is_utc_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the machine's own time."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert to_utc("2016-12-16 17:05:00").isoformat() == MOMENT
    finally:
        monkeypatch.undo()
        time.tzset()


def test_the_hour_that_repeats_in_autumn_is_told_apart_by_its_offset() -> None:
    """The same wall time twice is an hour apart, and texts sort as moments do."""
    first = canonical("2024-11-03 01:30:00 -0700")
    second = canonical("2024-11-03 01:30:00 -0800")

    assert (first, second) == ("2024-11-03T08:30:00+00:00", "2024-11-03T09:30:00+00:00")


@given(moments, st.integers(-14 * 60, 14 * 60))
def test_any_offset_names_the_same_moment(moment: datetime, minutes: int) -> None:
    """What a moment looks like in another place changes nothing."""
    shown = moment.astimezone(timezone(timedelta(minutes=minutes)))
    offset = f"{shown:%z}"[:5]

    assert to_utc(f"{shown:%Y-%m-%d %H:%M:%S} {offset}") == moment.replace(microsecond=0)
    assert to_utc(shown.isoformat()) == moment


@given(st.lists(moments, min_size=2))
def test_texts_sort_as_moments_do(found: list[datetime]) -> None:
    """The SDK compares bookmarks as texts."""
    texts = [to_rfc3339(moment) for moment in found]

    assert sorted(texts) == [to_rfc3339(moment) for moment in sorted(found)]


@given(st.integers(-(10**9), 10**10))
def test_a_unix_second_survives_the_way_to_text_and_back(second: int) -> None:
    """Bookmarks are written as text and asked for as UNIX seconds."""
    assert unix_second(from_unix(second)) == second


@given(moments)
def test_a_fraction_belongs_to_the_second_before_it(moment: datetime) -> None:
    """Before 1970 as well, where cutting off would round up."""
    second = unix_second(to_rfc3339(moment))

    assert timedelta(0) <= moment - datetime.fromtimestamp(second, UTC) < timedelta(seconds=1)


@pytest.mark.parametrize("form", ["offset", "naive_utc", "iso_millis", "unix"])
def test_a_sync_is_complete_in_every_form_of_time(account: Account, stream: str, form: str) -> None:
    """Whatever an account's API shows; fractions of a second are kept where they are shown."""
    account.sandbox.options.time_format = form

    records = account.sync(stream).records(stream)

    truth = account.truth(stream)
    assert len(records) == len(truth)
    exact = timedelta(milliseconds=1) if form == "iso_millis" else timedelta(seconds=1)
    for record in records:
        for name in ("created_at", "updated_at"):
            moment = datetime.fromisoformat(record[name])
            assert moment.utcoffset() == timedelta(0)
            assert timedelta(0) <= truth[record["id"]][name] - moment < exact


def fill_an_autumn_hour(sandbox: Sandbox, year: int = 2024) -> None:
    """300 responses from before until after New York's clocks go back."""
    begin = datetime(year, 11, 3, 4, 30, tzinfo=UTC)
    sandbox.options.time_zone = "America/New_York"
    for i in range(300):
        moment = begin + timedelta(seconds=36 * i)
        sandbox.store.add_response(moment, updated_at=moment)


def test_the_autumn_hour_is_walked_in_order_and_completely(empty: Account) -> None:
    """Shown texts go back by an hour; what is delivered goes on."""
    fill_an_autumn_hour(empty.sandbox)
    zone = ZoneInfo("America/New_York")

    first = empty.sync()
    second = empty.sync(state=first.state)

    times = [record["created_at"] for record in first.records()]
    walls = [datetime.fromisoformat(t).astimezone(zone).strftime("%H:%M:%S") for t in times]
    assert walls != sorted(walls)
    assert times == sorted(times)
    assert len(times) == 300
    assert_complete(empty, first.records())
    assert second.records() == []


@pytest.mark.parametrize("until", range(4, 8))
def test_a_bookmark_in_the_autumn_hour_resumes_where_it_stands(empty: Account, until: int) -> None:
    """Wherever around the hour a first sync ends, nothing is left out or sent twice."""
    fill_an_autumn_hour(empty.sandbox)

    first = empty.sync(end_date=f"2024-11-03T0{until}:45:00Z")
    second = empty.sync(state=first.state)

    assert len(first.ids()) + len(second.ids()) == 300
    assert set(first.ids()) | set(second.ids()) == set(empty.truth())


@pytest.mark.parametrize("name", ["created_at", "updated_at"])
def test_an_unreadable_time_names_the_record_and_the_field(account: Account, name: str) -> None:
    """One line, exit 1, and no STATE beyond what was delivered."""
    shown = [{"id": 7, "created_at": "2024-01-31 09:00:00 -0800", name: "last Tuesday"}]
    account.sandbox.store.page = lambda *_: account.sandbox.store.dumps(shown)  # type: ignore[method-assign]

    output = account.sync()

    assert output.code == 1
    assert output.error.startswith(f"Error: Record 7 of 'responses' can't be read: {name}: not a")
    assert "Tuesday" not in output.log
    assert output.records() == []
    assert not any(state["bookmarks"].get("responses") for state in output.states)
