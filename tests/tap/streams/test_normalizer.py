"""Records fit the declared schema, and nothing that the API sends is lost."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator, FormatChecker

from tap_wootric.streams.base import SCHEMAS
from tap_wootric.streams.normalizer import Normalizer

from ..helpers import Json

STREAMS = ("responses", "declines", "end_users", "survey_templates", "email_stats")
CASES = tomllib.loads(Path(__file__).with_name("normalizer.toml").read_text())

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
json_values = st.recursive(
    scalars | st.sampled_from(["2024-01-31", "51", "true", '{"a": 1}', 1706691600123]),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


def normalizer(stream: str) -> Normalizer:
    return Normalizer(SCHEMAS.get_schema(stream))


def test_fields_that_are_missing_are_null() -> None:
    record = normalizer("responses").normalize({"id": 1, "tags": ["a", None]})

    assert record.keys() == SCHEMAS.get_schema("responses")["properties"].keys()
    assert {str(value) for value in record.values()} == {"1", "['a', None]", "None"}


def test_undeclared_keys_move_to_additional_fields_of_their_object() -> None:
    sent = {"id": 1, "additional_fields": 5, "last_response": {"survey": {"lang": "de"}}}
    before = repr(sent)

    record = normalizer("end_users").normalize(sent)

    assert record["additional_fields"] == {"additional_fields": 5}
    survey = record["last_response"]["survey"]
    assert survey == {"channel": None, "additional_fields": {"lang": "de"}}
    assert repr(sent) == before


@pytest.mark.parametrize("case", CASES["converted"], ids=str)
def test_values_with_one_meaning_are_converted(case: Json) -> None:
    record = normalizer(case["stream"]).normalize(case["sent"])

    assert record.items() >= case["record"].items()
    assert record["additional_fields"] is None


@pytest.mark.parametrize("case", CASES["unreadable"], ids=str)
def test_an_unreadable_value_becomes_null_and_is_kept_and_counted(case: Json) -> None:
    found, [name] = normalizer(case["stream"]), case["sent"]

    record = found.normalize({"id": 1, **case["sent"], "new": 2})

    assert record[name] is None
    assert record["additional_fields"] == {**case["sent"], "new": 2}
    assert found.unreadable == {name: 1}


def test_an_unreadable_value_inside_an_object_stays_inside_it_and_is_named_by_its_path() -> None:
    found = normalizer("end_users")

    record = found.normalize({"settings": {"web_nps": []}})

    assert record["settings"]["additional_fields"] == {"web_nps": []}
    assert record["additional_fields"] is None
    assert found.unreadable == {"settings.web_nps": 1}


@given(st.sampled_from(STREAMS), st.data())
def test_any_json_becomes_a_record_that_fits_the_schema(stream: str, data: st.DataObject) -> None:
    schema = SCHEMAS.get_schema(stream)
    names = st.sampled_from(sorted(schema["properties"])) | st.text()
    sent = data.draw(st.dictionaries(names, json_values))

    record = normalizer(stream).normalize(sent)

    keys = {*schema["required"]}  # checked by the stream
    errors = Draft7Validator(schema, format_checker=FormatChecker()).iter_errors(record)
    assert [error for error in errors if not keys & {*error.absolute_path}] == []
    undeclared = {k: v for k, v in sent.items() if k not in schema["properties"]}
    assert undeclared.items() <= (record["additional_fields"] or {}).items()
