"""Records: nothing that the API sends is lost on the way into the declared form."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_wootric import schemas
from tap_wootric.client import _decoded
from tap_wootric.records import RecordError, Shaper

from .helpers import Account

RESPONSES = Shaper(schemas.RESPONSES)
END_USERS = Shaper(schemas.END_USERS)

numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | numbers | st.text()
json_values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5
)


def test_every_declared_field_is_there() -> None:
    """What an old record lacks is null."""
    record = RESPONSES.shape({"id": 1})

    assert record.keys() == schemas.RESPONSES["properties"].keys()
    assert {value for name, value in record.items() if name != "id"} == {None}


def test_undeclared_fields_move_to_additional_fields() -> None:
    """The API adds keys unannounced; the schema stays as it is."""
    record = RESPONSES.shape({"id": 1, "csat": {"score": 3}, "Kanal": None})

    assert record["additional_fields"] == {"csat": {"score": 3}, "Kanal": None}


def test_undeclared_fields_inside_an_object_stay_inside_it() -> None:
    """Each declared object keeps its own."""
    record = END_USERS.shape({"id": 1, "last_response": {"id": 2, "survey": {"lang": "de"}}})

    survey = record["last_response"]["survey"]
    assert survey == {"channel": None, "additional_fields": {"lang": "de"}}


def test_a_field_that_is_called_additional_fields_is_kept_too() -> None:
    """Even that name may be the API's one day."""
    record = RESPONSES.shape({"id": 1, "additional_fields": {"a": 1}, "b": 2})

    assert record["additional_fields"] == {"additional_fields": {"a": 1}, "b": 2}


@given(st.dictionaries(st.text(), json_values))
def test_properties_survive_with_any_keys_and_any_values(properties: dict[str, Any]) -> None:
    """They are the customer's own."""
    record = RESPONSES.shape({"id": 1, "end_user": {"properties": properties}})

    assert record["end_user"]["properties"] == properties


@given(st.dictionaries(st.text(min_size=1), json_values))
def test_any_undeclared_field_survives(fields: dict[str, Any]) -> None:
    """With its name and its value, whatever they are."""
    unknown = {k: v for k, v in fields.items() if k not in schemas.RESPONSES["properties"]}

    assert (RESPONSES.shape(unknown)["additional_fields"] or {}) == unknown


def test_what_the_api_sent_is_left_as_it_is() -> None:
    """A page may be looked at again."""
    sent = {"id": 1, "x": 2, "created_at": "2024-01-31 09:00:00 -0800"}
    before = dict(sent)
    RESPONSES.shape(sent)

    assert sent == before


@pytest.mark.parametrize(
    ("sent", "expected"), [("true", True), ("false", False), (1, True), (0, False), (None, None)]
)
def test_booleans_mean_what_they_say(sent: object, expected: object) -> None:
    """The text "false" is not true."""
    assert RESPONSES.shape({"completed": sent})["completed"] is expected


@pytest.mark.parametrize(
    ("shaper", "sent", "names"),
    [
        (RESPONSES, {"completed": "maybe"}, "completed: not a boolean"),
        (RESPONSES, {"completed": 2}, "completed: not a boolean"),
        (RESPONSES, {"created_at": "soon"}, "created_at: not a time"),
        (RESPONSES, {"created_at": True}, "created_at: not a time"),
        (RESPONSES, {"end_user": [1]}, "end_user: not an object"),
        (END_USERS, {"settings": {"web_nps": []}}, "settings: web_nps: not a boolean"),
        (END_USERS, {"last_seen_at": {}}, "last_seen_at: not a time"),
    ],
)
def test_a_field_that_cannot_be_read_is_named(
    shaper: Shaper, sent: dict[str, Any], names: str
) -> None:
    """With the way to it inside objects, and without its value."""
    with pytest.raises(RecordError, match=names):
        shaper.shape(sent)


def test_unix_seconds_become_rfc3339_where_a_time_is_declared() -> None:
    """`external_created_at` is documented as UNIX seconds."""
    record = END_USERS.shape({"external_created_at": 1481907900})

    assert record["external_created_at"] == "2016-12-16T17:05:00+00:00"


@pytest.mark.parametrize("key", [None, {}, [], [1], 1.5])
@pytest.mark.parametrize("name", ["responses", "segments"])
def test_a_record_without_a_usable_key_ends_in_one_line(
    account: Account, name: str, key: object
) -> None:
    """Whatever stands where a number or a text was due."""
    rows = [{"id": key, "name": key, "created_at": "2024-01-31 09:00:00 -0800"}]
    account.sandbox.store.page = lambda *_: json.dumps(rows).encode()  # type: ignore[method-assign]
    account.sandbox.store.segments = lambda: rows  # type: ignore[method-assign]

    output = account.sync(name)

    assert output.code == 1
    assert "missing, or neither a number nor a text" in output.error
    assert "Traceback" not in output.log


@given(st.lists(st.dictionaries(st.text(), json_values), max_size=3))
def test_any_body_is_read_as_it_was_meant(rows: list[dict[str, Any]]) -> None:
    """Also with numbers of any size and every character that JSON can hold."""
    assert _decoded(json.dumps(rows).encode()) == rows
    assert _decoded(json.dumps(rows, ensure_ascii=False).encode()) == rows


def test_half_a_surrogate_pair_is_replaced() -> None:
    """JSON can hold it, no output can; the rest of the text stays."""
    assert _decoded(b'[{"text": "so \\ud83d good"}]') == [{"text": "so ? good"}]


@pytest.mark.parametrize("number", ["1e400", "-1.5e999", "-" + "9" * 5000, "NaN", "-Infinity"])
def test_a_number_that_is_too_large_comes_as_its_digits(number: str) -> None:
    """No double holds it; beside it everything stays what it is."""
    body = f'[{{"crm.score": {number}, "id": 7, "share": 0.5, "big": {10**400}}}]'

    assert _decoded(body.encode()) == [{"crm.score": number, "id": 7, "share": 0.5, "big": 10**400}]
