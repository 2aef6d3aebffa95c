"""Records fit the declared schema, and nothing that the API sends is lost."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator, FormatChecker

from tap_wootric.streams.base import SCHEMAS
from tap_wootric.streams.normalizer import Normalizer

from ..helpers import Json

STREAMS = ("responses", "declines", "end_users", "survey_templates", "email_stats")
RESPONSES, END_USERS = SCHEMAS.get_schema("responses"), SCHEMAS.get_schema("end_users")

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
json_values = st.recursive(
    scalars | st.sampled_from(["2024-01-31", "51", "true", '{"a": 1}', 1706691600123]),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


def normalize(sent: Json, schema: Json = RESPONSES) -> Json:
    return Normalizer(schema).normalize(sent)


def test_fields_that_are_missing_are_null() -> None:
    record = normalize({"id": 1})

    assert record.keys() == RESPONSES["properties"].keys()
    assert {value for name, value in record.items() if name != "id"} == {None}


def test_undeclared_keys_move_to_additional_fields_of_their_object() -> None:
    sent = {"id": 1, "additional_fields": 5, "last_response": {"survey": {"lang": "de"}}}
    before = repr(sent)

    record = normalize(sent, END_USERS)

    assert record["additional_fields"] == {"additional_fields": 5}
    survey = record["last_response"]["survey"]
    assert survey == {"channel": None, "additional_fields": {"lang": "de"}}
    assert repr(sent) == before


@pytest.mark.parametrize(
    ("sent", "record"),
    [
        ({"score": "9"}, {"score": 9}),
        ({"score": 9.0}, {"score": 9}),
        ({"survey_id": "51"}, {"survey_id": 51}),
        ({"survey_id": str(2**53 + 1)}, {"survey_id": 2**53 + 1}),
        ({"completed": "false"}, {"completed": False}),
        ({"completed": 1}, {"completed": True}),
        ({"ip_address": 7}, {"ip_address": "7"}),
        ({"tags": ["a", 5, None]}, {"tags": ["a", "5", None]}),
        ({"updated_at": 1706691600123}, {"updated_at": "2024-01-31T09:00:00.123000+00:00"}),
    ],
)
def test_values_with_one_meaning_are_converted(sent: Json, record: Json) -> None:
    assert normalize(sent).items() >= record.items()
    assert normalize(sent)["additional_fields"] is None


def test_properties_as_json_text_are_parsed() -> None:
    assert normalize({"properties": '{"plan": "pro"}'}, END_USERS)["properties"] == {"plan": "pro"}


@pytest.mark.parametrize(
    ("schema", "name", "value"),
    [
        (RESPONSES, "score", "9.5"),
        (RESPONSES, "score", True),
        (RESPONSES, "completed", "yes"),
        (RESPONSES, "completed", 2),
        (RESPONSES, "tags", "a,b"),
        (RESPONSES, "tags", [{}]),
        (RESPONSES, "text", {"a": 1}),
        (RESPONSES, "end_user", []),
        (RESPONSES, "end_user", "{"),
        (END_USERS, "last_seen_at", ""),
        (END_USERS, "external_created_at", True),
        (END_USERS, "properties", "gold"),
    ],
)
def test_an_unreadable_value_becomes_null_and_is_kept_and_counted(
    schema: Json, name: str, value: Any
) -> None:
    normalizer = Normalizer(schema)

    record = normalizer.normalize({"id": 1, name: value, "new": 2})

    assert record[name] is None
    assert record["additional_fields"] == {name: value, "new": 2}
    assert normalizer.unreadable == {name: 1}


def test_an_unreadable_value_inside_an_object_stays_inside_it_and_is_named_by_its_path() -> None:
    normalizer = Normalizer(END_USERS)

    record = normalizer.normalize({"settings": {"web_nps": []}})

    assert record["settings"]["additional_fields"] == {"web_nps": []}
    assert record["additional_fields"] is None
    assert normalizer.unreadable == {"settings.web_nps": 1}


@pytest.mark.parametrize("stream", STREAMS)
@given(st.data())
def test_any_json_becomes_a_record_that_fits_the_schema(stream: str, data: st.DataObject) -> None:
    schema = SCHEMAS.get_schema(stream)
    names = st.sampled_from(sorted(schema["properties"])) | st.text()
    sent = data.draw(st.dictionaries(names, json_values))
    record = normalize(sent, schema)

    keys = schema["required"]  # checked by the stream
    validator = Draft7Validator(schema, format_checker=FormatChecker())
    errors = [e for e in validator.iter_errors(record) if not set(e.absolute_path) & set(keys)]
    assert errors == []
    undeclared = sent.keys() - schema["properties"].keys()
    assert {k: (record["additional_fields"] or {})[k] for k in undeclared} == {
        k: sent[k] for k in undeclared
    }
