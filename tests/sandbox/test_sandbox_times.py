"""The forms in which the Wootric API shows times."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import SignedIn

FIRST_HALF_PAST_ONE = datetime(2031, 11, 2, 8, 30, 0, 123456, tzinfo=UTC)
SECOND_HALF_PAST_ONE = datetime(2031, 11, 2, 9, 30, 0, 123456, tzinfo=UTC)


def shown(wootric: SignedIn, moment: datetime) -> object:
    """How a response of this moment shows it."""
    wootric.sandbox.store.add_response(moment)
    second = int(moment.timestamp())
    (row,) = wootric.rows("responses", {"created[gte]": second, "created[lt]": second + 1})
    return row["created_at"]


def test_times_are_shown_in_the_account_zone(wootric: SignedIn) -> None:
    """As 2016-12-16 09:05:00 -0800, whole seconds (doc)."""
    moment = datetime(2016, 12, 16, 17, 5, 0, 999_999, tzinfo=UTC)

    assert shown(wootric, moment) == "2016-12-16 09:05:00 -0800"


def test_the_offset_changes_with_daylight_saving(wootric: SignedIn) -> None:
    """In summer the same zone shows another offset (doc)."""
    moment = datetime(2016, 7, 16, 16, 5, 0, tzinfo=UTC)

    assert shown(wootric, moment) == "2016-07-16 09:05:00 -0700"


def test_the_text_does_not_sort_in_the_autumn_hour(wootric: SignedIn) -> None:
    """The hour that repeats differs in the offset alone (doc)."""
    first = shown(wootric, FIRST_HALF_PAST_ONE)
    second = shown(wootric, SECOND_HALF_PAST_ONE)

    assert (first, second) == ("2031-11-02 01:30:00 -0700", "2031-11-02 01:30:00 -0800")


def test_the_list_follows_true_time_in_the_autumn_hour(wootric: SignedIn) -> None:
    """Records are ordered by the stored moment, not by its text (infer)."""
    store = wootric.sandbox.store
    late, early = (
        store.add_response(moment)["id"] for moment in (SECOND_HALF_PAST_ONE, FIRST_HALF_PAST_ONE)
    )
    query = {"created[gte]": int(FIRST_HALF_PAST_ONE.timestamp()), "sort_order": "asc"}

    assert wootric.ids("responses", query) == [early, late]


@pytest.mark.parametrize(
    ("time_format", "text"),
    [
        ("naive_utc", "2031-11-02 08:30:00"),
        ("iso_millis", "2031-11-02T08:30:00.123Z"),
        ("unix", 1951374600),
    ],
)
def test_other_forms_of_time(wootric: SignedIn, time_format: str, text: object) -> None:
    """No offset at all, ISO 8601 with milliseconds, an integer (doc, doc26)."""
    wootric.sandbox.options.time_format = time_format

    assert shown(wootric, FIRST_HALF_PAST_ONE) == text


def test_a_change_of_form_reaches_records_shown_before(wootric: SignedIn) -> None:
    """The form may change while the sandbox runs."""
    (before,) = wootric.rows("responses", {"per_page": 1})
    wootric.sandbox.options.time_zone = "Asia/Kolkata"
    (after,) = wootric.rows("responses", {"per_page": 1})

    assert datetime.fromisoformat(before["created_at"]) == datetime.fromisoformat(
        after["created_at"]
    )
    assert after["created_at"].endswith(" +0530")


def test_all_times_of_an_end_user_have_the_same_form(wootric: SignedIn) -> None:
    """last_surveyed and last_seen_at too; external_created_at is UNIX seconds (doc)."""
    rows = wootric.rows("end_users", {"per_page": 50})
    times = [row[name] for row in rows for name in ("last_surveyed", "last_seen_at") if row[name]]

    assert times
    assert all(datetime.fromisoformat(text).tzinfo is not None for text in times)
    assert all(isinstance(row["external_created_at"], int) for row in rows)


def test_stored_times_are_finer_than_shown_ones(wootric: SignedIn) -> None:
    """A webhook sample shows milliseconds (doc): the store keeps microseconds."""
    row = wootric.sandbox.store.add_response(FIRST_HALF_PAST_ONE)

    assert row["created_at"] == FIRST_HALF_PAST_ONE


def test_the_server_clock_can_be_wrong(wootric: SignedIn) -> None:
    """The Date header and new records follow the server's notion of now."""
    wootric.sandbox.options.utc_offset_seconds_clock = 3600.0
    date = parsedate_to_datetime(wootric.get("segments").headers["Date"])
    row = wootric.sandbox.store.add_response()

    assert 3590 < (date - datetime.now(UTC)).total_seconds() < 3610
    assert 3590 < (row["created_at"] - datetime.now(UTC)).total_seconds() < 3610


def test_replies_may_carry_no_date(wootric: SignedIn) -> None:
    """HTTP asks for a Date header, and not every server sends one (infer)."""
    wootric.sandbox.options.date_ahead = None

    assert "Date" not in wootric.get("segments").headers


def test_the_date_of_a_reply_may_be_another_than_that_of_the_records(wootric: SignedIn) -> None:
    """A proxy in between may set it by a clock of its own (infer)."""
    wootric.sandbox.options.date_ahead = 3600.0
    date = parsedate_to_datetime(wootric.get("segments").headers["Date"])
    row = wootric.sandbox.store.add_response()

    assert 3590 < (date - row["created_at"]).total_seconds() < 3610
