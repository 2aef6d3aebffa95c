"""The forms of times in the Wootric API, and the clock of its server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest

from tests.conftest import SignedIn

WINTER = datetime(2016, 12, 16, 17, 5, 0, 999_999, tzinfo=UTC)
SUMMER = datetime(2016, 7, 16, 16, 5, 0, tzinfo=UTC)
FIRST = datetime(2031, 11, 2, 8, 30, 0, 123_456, tzinfo=UTC)
SECOND = FIRST + timedelta(hours=1)


@pytest.mark.parametrize(
    ("form", "moment", "shown"),
    [
        ("offset", WINTER, "2016-12-16 09:05:00 -0800"),
        ("offset", SUMMER, "2016-07-16 09:05:00 -0700"),
        ("offset", FIRST, "2031-11-02 01:30:00 -0700"),
        ("offset", SECOND, "2031-11-02 01:30:00 -0800"),
        ("naive_utc", FIRST, "2031-11-02 08:30:00"),
        ("iso_millis", FIRST, "2031-11-02T08:30:00.123Z"),
        ("unix", FIRST, 1951374600),
    ],
)
def test_times_have_several_forms(
    wootric: SignedIn, form: str, moment: datetime, shown: object
) -> None:
    """The account's zone with offset (live), which repeats an hour in autumn; others (doc)."""
    wootric.sandbox.options.time_format = form
    wootric.sandbox.store.add_response(moment)
    second = int(moment.timestamp())
    (row,) = wootric.rows("responses", {"created[gte]": second, "created[lt]": second + 1})

    assert row["created_at"] == shown


def test_the_list_is_sorted_by_true_time_in_the_repeated_hour(wootric: SignedIn) -> None:
    """Not by the text (infer)."""
    late, early = (wootric.sandbox.store.add_response(time)["id"] for time in (SECOND, FIRST))
    query = {"created[gte]": int(FIRST.timestamp()), "sort_order": "asc"}

    assert wootric.ids("responses", query) == [early, late]


def test_the_time_zone_can_change(wootric: SignedIn) -> None:
    """Records that were sent before are formatted again."""
    (before,) = wootric.rows("responses", {"per_page": 1})
    wootric.sandbox.options.time_zone = "Asia/Kolkata"
    (after,) = wootric.rows("responses", {"per_page": 1})
    same, different = (datetime.fromisoformat(row["created_at"]) for row in (before, after))

    assert same == different
    assert after["created_at"].endswith(" +0530")


def test_all_times_of_an_end_user_have_the_same_form(wootric: SignedIn) -> None:
    """Except `external_created_at`, which is UNIX seconds (doc)."""
    rows = wootric.rows("end_users", {"per_page": 50})
    times = [row[name] for row in rows for name in ("last_surveyed", "last_seen_at") if row[name]]

    assert all(datetime.fromisoformat(text).tzinfo for text in times)
    assert all(isinstance(row["external_created_at"], int) for row in rows)


@pytest.mark.parametrize(
    "moment", [FIRST, FIRST.isoformat(), "2031-11-02 00:30:00.123456-08:00", FIRST.timestamp()]
)
def test_stored_times_have_microseconds(wootric: SignedIn, moment: datetime | str | float) -> None:
    """A webhook sample shows milliseconds (doc). Tests may pass a time in any form."""
    assert wootric.sandbox.store.add_response(moment)["created_at"] == FIRST


@pytest.mark.parametrize(
    ("option", "of_date", "of_records"),
    [("utc_offset_seconds_clock", 3600, 3600), ("date_ahead", 3600, 0)],
)
def test_clocks_can_be_wrong(wootric: SignedIn, option: str, of_date: int, of_records: int) -> None:
    """The server's clock, or only that of the header `Date` (infer)."""
    setattr(wootric.sandbox.options, option, 3600.0)
    now = datetime.now(UTC)
    date = parsedate_to_datetime(wootric.get("segments").headers["Date"])
    row = wootric.sandbox.store.add_response()

    assert abs((date - now).total_seconds() - of_date) < 60
    assert abs((row["created_at"] - now).total_seconds() - of_records) < 60


def test_replies_may_have_no_date(wootric: SignedIn) -> None:
    """Not every server sends `Date` (infer)."""
    wootric.sandbox.options.date_ahead = None

    assert "Date" not in wootric.get("segments").headers
