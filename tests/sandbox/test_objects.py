"""The objects of the Wootric API, their times, and the sample data."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from connector_sandbox import Sandbox

from tests.conftest import SignedIn

from .helpers import FIELDS

RECORDS = ("responses", "declines", "end_users")
LAST = {"per_page": 1, "sort_key": "created_at", "sort_order": "desc"}
WINTER = datetime(2016, 12, 16, 17, 5, 0, 999_999, tzinfo=UTC)
SUMMER = datetime(2016, 7, 16, 16, 5, 0, tzinfo=UTC)
FIRST = datetime(2031, 11, 2, 8, 30, 0, 123_456, tzinfo=UTC)
SECOND = FIRST + timedelta(hours=1)


@pytest.mark.parametrize("stream", [*FIELDS][:4])
def test_objects_have_the_documented_fields(wootric: SignedIn, stream: str):
    """Also `end_user`, `settings` and `last_response`, which may be null (doc)."""
    rows = wootric.rows(stream, {"page": 5 if stream == "responses" else 1})
    parts = [(name, row[name]) for row in rows for name in FIELDS.keys() & row.keys()]

    assert all(row.keys() == FIELDS[stream] for row in rows)
    assert all(part is None or part.keys() == FIELDS[name] for name, part in parts)


def test_end_user_is_the_person_at_the_time_of_the_survey(wootric: SignedIn):
    """With contact fields (live). Later changes of the person do not change it (doc)."""
    store = wootric.sandbox.store
    (row,) = wootric.rows("responses", {"per_page": 1})
    person = store.get(row["end_user_id"], "end_users")
    store.update_end_user(row["end_user_id"], properties={}, email="x@example.org")

    assert all(value == person[name] for name, value in row["end_user"].items())
    assert wootric.rows("responses", {"per_page": 1}) == [row]


def test_old_records_lack_keys_and_new_records_have_more(wootric: SignedIn):
    """Any key may be absent, the API adds keys (field), and notes may be empty (live)."""
    old, new = (wootric.rows("responses", {"sort_order": order}) for order in ("asc", "desc"))
    notes = [row["notes"] for row in wootric.sandbox.store.responses() if "notes" in row]

    assert all(FIELDS["responses"] - row.keys() for row in old)
    assert all(row.keys() - FIELDS["responses"] == {"survey_language"} for row in new)
    assert all(kind in notes for kind in (None, [], [""]))


@pytest.mark.parametrize("escaped", [True, False])
def test_comments_are_html_escaped(wootric: SignedIn, escaped: bool):
    """Also that of the last response (live, one team); the option shows raw texts."""
    wootric.sandbox.options.html_text = escaped
    text, store = '<b> & it\'s "x"', wootric.sandbox.store
    store.add_response(text=text)
    store.add_end_user(last_response={"text": text})
    (response,), (person,) = (wootric.rows(stream, LAST) for stream in ("responses", "end_users"))
    shown = "&lt;b&gt; &amp; it&#39;s &quot;x&quot;" if escaped else text

    assert (response["text"], person["last_response"]["text"]) == (shown, shown)
    assert store.get(response["id"])["text"] == text


def test_all_kinds_of_survey_share_one_list(sandbox: Sandbox):
    """The survey id determines the kind (doc) and the scale (sdk)."""
    scores: dict[int, set[int]] = {}
    for row in sandbox.store.responses():
        scores.setdefault(row.get("survey_id", 10), set()).add(row["score"])
    scales = {survey: (min(found), max(found)) for survey, found in scores.items()}

    nps = dict.fromkeys((10, 11, 13), (0, 10))
    assert scales == nps | {12: (1, 10), 14: (1, 5), 15: (1, 7)}


def test_property_names_follow_the_rules_with_one_exception(sandbox: Sandbox):
    """No `$`, `.` or NUL, no objects (doc, sdk); old data may differ (infer)."""
    items = {n: type(v) for row in sandbox.store.end_users() for n, v in row["properties"].items()}

    assert {*items.values()} <= {str, int, bool, list, type(None)}
    assert {name for name in items if set(name) & set("$.\0")} == {"account.owner"}


def test_segments_define_the_types_of_properties(wootric: SignedIn):
    """string, integer or date; dates are UNIX seconds in the properties (doc)."""
    types = {row["name"]: row["data_type"] for row in wootric.rows("segments")}
    (person,) = wootric.rows("end_users", {"per_page": 1})

    assert set(types.values()) == {"string", "date", "integer"}
    assert all(isinstance(person["properties"][n], int) for n, t in types.items() if t == "date")


def test_survey_templates_are_one_object(wootric: SignedIn):
    """The id of the default template, and an array of templates (doc)."""
    found = wootric.get("survey_templates").json()
    templates = {row["id"]: row for row in found["survey_templates"]}

    assert found["default_survey_template_id"] in templates
    assert all(row.keys() == FIELDS["templates"] for row in templates.values())
    assert all(x.keys() == {"code", "name"} for t in templates.values() for x in t["languages"])


FORMS: list[tuple[str, datetime, Any]] = [
    ("offset", WINTER, "2016-12-16 09:05:00 -0800"),
    ("offset", SUMMER, "2016-07-16 09:05:00 -0700"),
    ("offset", FIRST, "2031-11-02 01:30:00 -0700"),
    ("offset", SECOND, "2031-11-02 01:30:00 -0800"),
    ("naive_utc", FIRST, "2031-11-02 08:30:00"),
    ("iso_millis", FIRST, "2031-11-02T08:30:00.123Z"),
    ("unix", FIRST, 1951374600),
]


@pytest.mark.parametrize(("form", "moment", "shown"), FORMS)
def test_times_have_several_forms(wootric: SignedIn, form: str, moment: datetime, shown: Any):
    """The account's zone with offset (live), which repeats an hour in autumn; others (doc)."""
    wootric.sandbox.store.add_response(moment)
    second = int(moment.timestamp())
    query = {"created[gte]": second, "created[lt]": second + 1}
    (before,) = wootric.rows("responses", query)
    wootric.sandbox.options.time_format = form
    (after,) = wootric.rows("responses", query)

    assert datetime.fromisoformat(before["created_at"]) == moment.replace(microsecond=0)
    assert after["created_at"] == shown


def test_the_list_is_sorted_by_true_time_in_the_repeated_hour(wootric: SignedIn):
    """Not by the text (infer). Stored times have microseconds (doc)."""
    add = wootric.sandbox.store.add_response
    late, *early = (add(time) for time in (SECOND, FIRST, FIRST.isoformat(), FIRST.timestamp()))
    query = {"created[gte]": int(FIRST.timestamp()), "sort_order": "asc"}

    assert wootric.ids("responses", query) == [row["id"] for row in (*early, late)]
    assert {row["created_at"] for row in early} == {FIRST}


def test_all_times_of_an_end_user_have_the_same_form(wootric: SignedIn):
    """Except `external_created_at`, which is UNIX seconds (doc)."""
    rows = wootric.rows("end_users", {"per_page": 50})
    times = [row[name] for row in rows for name in ("last_surveyed", "last_seen_at") if row[name]]

    assert all(datetime.fromisoformat(text).tzinfo for text in times)
    assert all(isinstance(row["external_created_at"], int) for row in rows)


@pytest.mark.parametrize(("option", "ahead"), [("utc_offset_seconds_clock", 60), ("date_ahead", 0)])
def test_clocks_can_be_wrong(wootric: SignedIn, option: str, ahead: int):
    """The server's clock, or only that of the header `Date`, which may be missing (infer)."""
    setattr(wootric.sandbox.options, option, 3600.0)
    date = parsedate_to_datetime(wootric.get("segments").headers["Date"])
    created, now = wootric.sandbox.store.add_response()["created_at"], datetime.now(UTC)
    wootric.sandbox.options.date_ahead = None

    assert [round((time - now) / timedelta(minutes=1)) for time in (date, created)] == [60, ahead]
    assert "Date" not in wootric.get("segments").headers


def test_the_sample_data_is_varied_fictional_and_consistent(sandbox: Sandbox):
    """Languages and emoji, reserved domains; 400 days up to an hour ago; people who exist."""
    store, people = sandbox.store, sandbox.store.end_users()
    texts = [row["text"] or "" for row in store.responses()]
    rows, now = [*store.responses(), *store.declines()], store.now()
    first, last = now - timedelta(days=401), now - timedelta(minutes=59)

    assert {"\n", "使", "ش", "ã", "😕"} <= set("".join(texts))
    assert max(map(len, texts)) > 5_000
    assert all("@example." in (p["email"] or "@example.") for p in people)
    assert all("555" in (p["phone_number"] or "555") for p in people)
    assert {row["end_user_id"] for row in rows} <= {row["id"] for row in people}
    assert all(first < r["created_at"] <= r["updated_at"] < last for r in rows + people)


def test_the_same_seed_gives_the_same_account():
    """The data depends on the seed, the number and the end only."""
    one, same, other = (Sandbox(seed, 100, until=SUMMER).store for seed in (5, 5, 6))

    assert all(one.records(stream) == same.records(stream) for stream in RECORDS)
    assert one.responses() != other.responses()
