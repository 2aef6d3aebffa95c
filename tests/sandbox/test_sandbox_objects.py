"""The objects of the Wootric API, as the seeded account shows them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from connector_sandbox import Sandbox

if TYPE_CHECKING:
    from tests.conftest import SignedIn

RESPONSE = {
    "id": int,
    "end_user_id": int,
    "survey_id": int,
    "score": int,
    "text": str | None,
    "completed": bool,
    "excluded_from_calculations": bool,
    "ip_address": str | None,
    "origin_url": str | None,
    "created_at": str,
    "updated_at": str,
    "tags": list,
    "notes": list,
    "end_user": dict,
}
DECLINE = {
    name: RESPONSE[name]
    for name in (
        "id",
        "end_user_id",
        "survey_id",
        "ip_address",
        "origin_url",
        "created_at",
        "updated_at",
        "end_user",
    )
}
END_USER = {
    "id": int,
    "created_at": str,
    "updated_at": str,
    "email": str | None,
    "last_surveyed": str | None,
    "external_created_at": int,
    "last_seen_at": str,
    "properties": dict,
    "phone_number": str | None,
    "external_id": str | None,
    "last_response": dict | None,
    "settings": dict,
}
SEGMENT = {"name": str, "data_type": str, "created_at": str}


@pytest.mark.parametrize(
    ("stream", "fields"),
    [
        ("responses", RESPONSE),
        ("declines", DECLINE),
        ("end_users", END_USER),
        ("segments", SEGMENT),
    ],
)
def test_each_object_has_its_documented_fields(
    wootric: SignedIn, stream: str, fields: dict[str, Any]
) -> None:
    """The fields of a response, decline, end user and segment (doc)."""
    row = wootric.rows(stream, {"created[gte]": 0, "page": 5 if stream == "responses" else 1})[0]

    assert row.keys() == fields.keys()
    assert all(isinstance(row[name], kind) for name, kind in fields.items())


def test_a_response_carries_the_properties_of_its_day(wootric: SignedIn) -> None:
    """end_user.properties are as they were when the survey was taken (doc)."""
    (row,) = wootric.rows("responses", {"per_page": 1})
    wootric.sandbox.store.update_end_user(row["end_user_id"], properties={"plan": "other"})
    (again,) = wootric.rows("responses", {"per_page": 1})

    assert again == row
    assert again["end_user"]["properties"] != {"plan": "other"}


def test_old_records_lack_keys(wootric: SignedIn) -> None:
    """Any key can be absent or null in old records (field)."""
    old = wootric.rows("responses", {"sort_order": "asc"})

    assert all(not RESPONSE.keys() <= row.keys() for row in old)


def test_new_records_have_a_key_that_came_unannounced(wootric: SignedIn) -> None:
    """The API adds keys over time (field)."""
    assert all(row.keys() - RESPONSE.keys() for row in wootric.rows("responses"))


def test_an_end_user_names_its_last_response(wootric: SignedIn) -> None:
    """last_response {id, score, text, survey {channel}} or null (doc)."""
    people = wootric.rows("end_users", {"per_page": 50})
    last = [row["last_response"] for row in people if row["last_response"] is not None]

    assert 0 < len(last) < len(people)
    assert all(row.keys() == {"id", "score", "text", "survey"} for row in last)
    assert all(row["survey"].keys() == {"channel"} for row in last)


def test_an_end_user_has_settings(wootric: SignedIn) -> None:
    """Six switches (doc)."""
    (row,) = wootric.rows("end_users", {"per_page": 1})

    assert row["settings"].keys() == {
        "email_nps",
        "mobile_nps",
        "web_nps",
        "force_mobile_survey",
        "force_web_survey",
        "surveys_disabled_by_end_user",
    }


def test_segments_type_the_properties(wootric: SignedIn) -> None:
    """data_type string, date or integer; dates are UNIX seconds in the properties (doc)."""
    types = {row["name"]: row["data_type"] for row in wootric.rows("segments")}
    (person,) = wootric.rows("end_users", {"per_page": 1})

    assert set(types.values()) == {"string", "date", "integer"}
    assert all(isinstance(person["properties"][n], int) for n, t in types.items() if t == "date")


def test_property_names_follow_todays_rules_except_one(sandbox: Sandbox) -> None:
    """No `$`, `.` or NUL, values are not objects (doc); old data may differ (infer)."""
    items = [item for row in sandbox.store.end_users() for item in row["properties"].items()]

    assert {type(value) for _, value in items} == {str, int, bool, list, type(None)}
    assert {"lifetime value", "部署", "modules_array"} <= {name for name, _ in items}
    assert {name for name, _ in items if set(name) & set("$.\0")} == {"account.owner"}


@pytest.mark.parametrize("stream", ["responses", "declines"])
def test_end_user_has_contact_fields_beside_the_properties(wootric: SignedIn, stream: str) -> None:
    """end_user holds email (live26), perhaps id, external_id, phone_number (live26)."""
    (row,) = wootric.rows(stream, {"per_page": 1})
    person = wootric.sandbox.store.get(row["end_user_id"], "end_users")

    assert row["end_user"].keys() == {"id", "email", "external_id", "phone_number", "properties"}
    assert all(row["end_user"][name] == person[name] for name in row["end_user"])


def test_notes_are_texts_null_or_empty(sandbox: Sandbox) -> None:
    """Array of strings, null, or with empty strings (live26)."""
    notes = [row["notes"] for row in sandbox.store.responses() if "notes" in row]

    assert None in notes
    assert [] in notes
    assert {len(note) > 0 for row in notes for note in row or ()} == {True, False}


@pytest.mark.parametrize(("escaped", "shown"), [(True, "&lt;b&gt; &amp; it&#39;s"), (False, None)])
def test_a_comment_is_html_escaped(wootric: SignedIn, escaped: bool, shown: str | None) -> None:
    """Text is HTML-escaped (live26, one team); the option shows the other reading."""
    wootric.sandbox.options.html_text = escaped
    text = "<b> & it's"
    row = wootric.sandbox.store.add_response(text=text)
    person = wootric.sandbox.store.add_end_user(last_response={"text": text})

    assert wootric.rows("responses", {"per_page": 1})[0]["text"] == (shown or text)
    people = wootric.rows("end_users", {"sort_key": "created_at", "sort_order": "desc"})
    assert [p["last_response"]["text"] for p in people if p["id"] == person["id"]] == [
        shown or text
    ]
    assert wootric.sandbox.store.get(row["id"])["text"] == text


def test_surveys_of_every_kind_share_one_list(sandbox: Sandbox) -> None:
    """NPS 0-10, CSAT 1-5 or 1-10, CES 1-7 (sdk); the survey decides the kind (doc)."""
    scores: dict[int, set[int]] = {}
    for row in sandbox.store.responses():
        scores.setdefault(row.get("survey_id", 10), set()).add(row["score"])
    bounds = {survey: (min(found), max(found)) for survey, found in scores.items()}

    assert bounds == {
        10: (0, 10),
        11: (0, 10),
        13: (0, 10),
        12: (1, 10),
        14: (1, 5),
        15: (1, 7),
    }


def test_survey_templates_are_one_object(wootric: SignedIn) -> None:
    """default_survey_template_id and survey_templates (doc)."""
    found = wootric.get("survey_templates").json()

    assert found["default_survey_template_id"] in {row["id"] for row in found["survey_templates"]}
    assert all(
        row.keys()
        == {
            "id",
            "name",
            "default_language",
            "languages",
            "non_configured_language_count",
            "custom_samplings",
        }
        for row in found["survey_templates"]
    )


def test_texts_are_what_people_write(sandbox: Sandbox) -> None:
    """Languages, emoji, line breaks, long texts, empty and missing ones."""
    texts = [row["text"] for row in sandbox.store.responses()]
    together = "".join(text or "" for text in texts)

    assert {None, ""} <= set(texts)
    assert {"\n", "使", "ش", "ã", "😕"} <= set(together)
    assert max(len(text or "") for text in texts) > 5_000


def test_personal_data_is_that_of_nobody(sandbox: Sandbox) -> None:
    """Addresses of reserved domains and networks only."""
    mails = [row["email"] for row in sandbox.store.end_users() if row["email"]]
    addresses = [row["ip_address"] for row in sandbox.store.responses() if row["ip_address"]]

    assert all(mail.endswith(("@example.com", "@example.org")) for mail in mails)
    assert all(address.startswith("198.51.100.") for address in addresses)


def test_the_same_seed_gives_the_same_account() -> None:
    """Deterministic by seed, number and end."""
    until = datetime(2031, 1, 1, tzinfo=UTC)
    one, same, other = (Sandbox(seed, 100, until=until).store for seed in (5, 5, 6))

    assert one.responses() == same.responses()
    assert one.end_users() == same.end_users()
    assert one.declines() == same.declines()
    assert one.responses() != other.responses()


def test_new_responses_arrive_as_realistic_as_the_first(sandbox: Sandbox) -> None:
    """Texts, tags and properties like those of the seed, at the server's now."""
    before = sandbox.store.now()
    arrived = sandbox.receive(50)

    assert all(before <= row["created_at"] <= sandbox.store.now() for row in arrived)
    assert len({row["text"] for row in arrived}) > 5
    assert all("company" in row["end_user"]["properties"] for row in arrived)


def test_an_empty_account_can_receive_responses_too() -> None:
    """There is a person to answer."""
    empty = Sandbox(responses=0)
    (row,) = empty.receive()

    assert row["end_user_id"] == empty.store.end_users()[0]["id"]


def test_history_ends_an_hour_ago_and_changes_follow_creation(sandbox: Sandbox) -> None:
    """About 400 days up to an hour before now; updated_at is never before created_at."""
    now = sandbox.store.now()
    for stream in ("responses", "declines", "end_users"):
        for row in sandbox.store.records(stream):
            assert now - timedelta(days=401) < row["created_at"] <= row["updated_at"]
            assert row["updated_at"] < now - timedelta(minutes=59)


def test_every_response_belongs_to_an_end_user(sandbox: Sandbox) -> None:
    """end_user_id names one of the account's people."""
    people = {row["id"] for row in sandbox.store.end_users()}

    assert {row["end_user_id"] for row in sandbox.store.responses()} <= people


def test_the_api_shows_what_is_stored(wootric: SignedIn) -> None:
    """A list shows the stored record, times aside."""
    (row,) = wootric.rows("responses", {"per_page": 1})
    stored = wootric.sandbox.store.get(row["id"])
    times = {"created_at", "updated_at"}

    assert {k: v for k, v in row.items() if k not in times} == json.loads(
        json.dumps({k: v for k, v in stored.items() if k not in times})
    )
