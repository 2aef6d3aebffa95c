"""The objects of the Wootric API, as the sample account contains them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from connector_sandbox import Sandbox

from tests.conftest import SignedIn

SURVEYED = "id end_user_id survey_id ip_address origin_url created_at updated_at end_user"
FIELDS = {
    "responses": f"{SURVEYED} score text completed excluded_from_calculations tags notes",
    "declines": SURVEYED,
    "end_users": "id created_at updated_at email last_surveyed external_created_at last_seen_at "
    "properties phone_number external_id last_response settings",
    "segments": "name data_type created_at",
}
PARTS = {
    "end_user": {"id", "email", "external_id", "phone_number", "properties"},
    "last_response": {"id", "score", "text", "survey"},
    "settings": {
        "email_nps",
        "mobile_nps",
        "web_nps",
        "force_mobile_survey",
        "force_web_survey",
        "surveys_disabled_by_end_user",
    },
}


@pytest.mark.parametrize("stream", FIELDS)
def test_objects_have_the_documented_fields(wootric: SignedIn, stream: str) -> None:
    """Also `end_user`, `settings` and `last_response`, which may be null (doc)."""
    rows = wootric.rows(stream, {"page": 5 if stream == "responses" else 1})
    parts = [(name, row[name]) for row in rows for name in PARTS.keys() & row.keys()]

    assert all(row.keys() == set(FIELDS[stream].split()) for row in rows)
    assert all(part is None or part.keys() == PARTS[name] for name, part in parts)


@pytest.mark.parametrize("stream", ["responses", "declines"])
def test_end_user_has_contact_fields(wootric: SignedIn, stream: str) -> None:
    """`email`, perhaps `id`, `external_id` and `phone_number` (live)."""
    (row,) = wootric.rows(stream, {"per_page": 1})
    person = wootric.sandbox.store.get(row["end_user_id"], "end_users")

    assert all(value == person[name] for name, value in row["end_user"].items())


def test_end_user_keeps_the_values_of_the_survey(wootric: SignedIn) -> None:
    """Later changes of the person do not change the response (doc)."""
    (row,) = wootric.rows("responses", {"per_page": 1})
    wootric.sandbox.store.update_end_user(
        row["end_user_id"], properties={}, email="new@example.org"
    )

    assert wootric.rows("responses", {"per_page": 1}) == [row]


def test_old_records_lack_keys_and_new_records_have_more(wootric: SignedIn) -> None:
    """Any key may be absent, and the API adds keys (field)."""
    declared = set(FIELDS["responses"].split())
    old, new = (wootric.rows("responses", {"sort_order": order}) for order in ("asc", "desc"))

    assert all(declared - row.keys() for row in old)
    assert all("phone_number" not in row["end_user"] for row in old)
    assert all(row.keys() - declared == {"survey_language"} for row in new)


def test_notes_are_texts_null_or_empty(sandbox: Sandbox) -> None:
    """An array of strings, null, or an array with empty strings (live)."""
    notes = [row["notes"] for row in sandbox.store.responses() if "notes" in row]

    assert None in notes
    assert [] in notes
    assert {bool(note) for row in notes for note in row or ()} == {True, False}


@pytest.mark.parametrize("escaped", [True, False])
def test_comments_are_html_escaped(wootric: SignedIn, escaped: bool) -> None:
    """Also that of the last response (live, one team); the option shows raw texts."""
    wootric.sandbox.options.html_text = escaped
    text, store = '<b> & it\'s "x"', wootric.sandbox.store
    store.add_response(text=text)
    store.add_end_user(last_response={"text": text})
    (response,) = wootric.rows("responses", {"per_page": 1})
    query = {"per_page": 1, "sort_key": "created_at", "sort_order": "desc"}
    (person,) = wootric.rows("end_users", query)
    shown = "&lt;b&gt; &amp; it&#39;s &quot;x&quot;" if escaped else text

    assert (response["text"], person["last_response"]["text"]) == (shown, shown)
    assert store.get(response["id"])["text"] == text


def test_all_kinds_of_survey_share_one_list(sandbox: Sandbox) -> None:
    """The survey id determines the kind (doc) and the scale (sdk)."""
    scores: dict[int, set[int]] = {}
    for row in sandbox.store.responses():
        scores.setdefault(row.get("survey_id", 10), set()).add(row["score"])

    assert {survey: (min(found), max(found)) for survey, found in scores.items()} == {
        **dict.fromkeys((10, 11, 13), (0, 10)),
        12: (1, 10),
        14: (1, 5),
        15: (1, 7),
    }


def test_property_names_follow_the_rules_with_one_exception(sandbox: Sandbox) -> None:
    """No `$`, `.` or NUL, no objects (doc, sdk); old data may differ (infer)."""
    items = [item for row in sandbox.store.end_users() for item in row["properties"].items()]

    assert {type(value) for _, value in items} == {str, int, bool, list, type(None)}
    assert {name for name, _ in items if set(name) & set("$.\0")} == {"account.owner"}
    assert {"lifetime value", "部署", "modules_array"} <= {name for name, _ in items}


def test_segments_define_the_types_of_properties(wootric: SignedIn) -> None:
    """string, integer or date; dates are UNIX seconds in the properties (doc)."""
    types = {row["name"]: row["data_type"] for row in wootric.rows("segments")}
    (person,) = wootric.rows("end_users", {"per_page": 1})

    assert set(types.values()) == {"string", "date", "integer"}
    assert all(isinstance(person["properties"][n], int) for n, t in types.items() if t == "date")


def test_survey_templates_are_one_object(wootric: SignedIn) -> None:
    """The id of the default template, and an array of templates (doc)."""
    found = wootric.get("survey_templates").json()
    templates = {row["id"]: row for row in found["survey_templates"]}
    keys = "id name default_language languages non_configured_language_count custom_samplings"

    assert found["default_survey_template_id"] in templates
    assert all(" ".join(row) == keys for row in templates.values())
    assert all(
        lang.keys() == {"code", "name"} for t in templates.values() for lang in t["languages"]
    )


def test_texts_are_varied(sandbox: Sandbox) -> None:
    """Languages, emoji, line breaks, long, empty and missing texts."""
    texts = {row["text"] for row in sandbox.store.responses()}

    assert {None, ""} <= texts
    assert {"\n", "使", "ش", "ã", "😕"} <= set("".join(text or "" for text in texts))
    assert max(len(text or "") for text in texts) > 5_000


def test_personal_data_is_fictional(sandbox: Sandbox) -> None:
    """Only reserved domains, networks and phone numbers."""
    values = str([sandbox.store.records(s) for s in ("responses", "declines", "end_users")])
    people = sandbox.store.end_users()

    assert all(p["email"] is None or p["email"].split("@")[1][:8] == "example." for p in people)
    assert all(p["phone_number"] is None or "555" in p["phone_number"] for p in people)
    assert "198.51.100." in values


def test_the_same_seed_gives_the_same_account() -> None:
    """The data depends on the seed, the number and the end only."""
    until = datetime(2031, 1, 1, tzinfo=UTC)
    one, same, other = (Sandbox(seed, 100, until=until).store for seed in (5, 5, 6))

    assert all(one.records(s) == same.records(s) for s in ("responses", "declines", "end_users"))
    assert one.responses() != other.responses()


def test_the_sample_history_is_consistent(sandbox: Sandbox) -> None:
    """400 days up to an hour ago; responses belong to people."""
    now, people = sandbox.store.now(), {row["id"] for row in sandbox.store.end_users()}
    rows: list[dict[str, Any]] = [*sandbox.store.responses(), *sandbox.store.declines()]

    assert {row["end_user_id"] for row in rows} <= people
    for row in rows + sandbox.store.end_users():
        assert now - timedelta(days=401) < row["created_at"] <= row["updated_at"]
        assert row["updated_at"] < now - timedelta(minutes=59)


@pytest.mark.parametrize("responses", [300, 0])
def test_responses_can_be_added(responses: int) -> None:
    """Like the sample data, at the present time, also to an empty account."""
    sandbox = Sandbox(responses=responses)
    before = sandbox.store.now()
    added = sandbox.add_responses(30)

    assert all(before <= row["created_at"] <= sandbox.store.now() for row in added)
    assert len({row["text"] for row in added}) > 5
    assert {row["end_user_id"] for row in added} <= {p["id"] for p in sandbox.store.end_users()}
