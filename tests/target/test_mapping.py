"""The mapping of one record: tables of cases, and properties of any record."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_birdie.config.schema import DEFAULT_STREAMS
from target_birdie.errors import DuplicateKeyError
from target_birdie.mapping import payload
from target_birdie.mapping.columns import KeyOwners
from target_birdie.mapping.mapper import MappingRules, StreamMapper
from target_birdie.mapping.values import (
    InvalidRecordError,
    from_unix,
    to_id,
    to_rating,
    to_text,
    to_time,
)

from .messages import record

ENTRY = DEFAULT_STREAMS["responses"]
CES = {"15": "ces", "12": "csat"}


def feedback(content: dict[str, Any], **rules: Any) -> dict[str, Any]:
    """The payload of a response under these rules."""
    mapper = StreamMapper(ENTRY, MappingRules(**rules), record(1))
    return mapper.map(content).payload


def user(content: dict[str, Any], **rules: Any) -> dict[str, Any]:
    """The payload of an end user under these rules."""
    return StreamMapper(DEFAULT_STREAMS["end_users"], MappingRules(**rules)).map(content).payload


def additional(content: dict[str, Any], **rules: Any) -> dict[str, Any]:
    """The additional fields of a response under these rules."""
    fields: dict[str, Any] = feedback(content, **rules).get("additional_fields", {})
    return fields


def properties(**values: Any) -> dict[str, Any]:
    """A response whose end user has these properties."""
    return record(1, end_user={"properties": values})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2016-12-16 09:05:00-08:00", "2016-12-16T17:05:00Z"),
        ("2016-12-16T17:05:00.123000+00:00", "2016-12-16T17:05:00.123000Z"),
        ("2016-12-16t17:05:00z", "2016-12-16T17:05:00Z"),
        ("2016-12-16T17:05:00", "2016-12-16T17:05:00Z"),
        ("2016-12-16", "2016-12-16T00:00:00Z"),
        ("  ", None),
    ],
)
def test_a_time_arrives_as_rfc_3339_in_utc(value: str, expected: str | None) -> None:
    assert expected == to_time(value)


@pytest.mark.parametrize(
    "value",
    ["yesterday", "1481907900", 1481907900, "2016-13-01", True, [1], "0001-01-01T00:00:00+14:00"],
)
def test_a_time_that_is_not_rfc_3339_is_invalid(value: Any) -> None:
    with pytest.raises(InvalidRecordError, match="the time is"):
        to_time(value)


@pytest.mark.parametrize("value", [7, 7.0, Decimal(7), "7", " 7.0 ", "7."])
def test_a_rating_can_be_any_whole_number(value: Any) -> None:
    assert to_rating(value, "nps") == 7


@pytest.mark.parametrize(
    ("kind", "lowest", "highest", "scale"),
    [
        ("nps", 0, 10, "NPS scale, 0 to 10"),
        ("csat", 1, 10, "CSAT scale, 1 to 10"),
        ("ces", 1, 7, "CES scale, 1 to 7"),
    ],
)
def test_a_rating_must_be_on_the_scale_of_its_kind(
    kind: str, lowest: int, highest: int, scale: str
) -> None:
    assert (to_rating(lowest, kind), to_rating(highest, kind)) == (lowest, highest)
    for value in (lowest - 1, highest + 1):
        with pytest.raises(InvalidRecordError, match=scale):
            to_rating(value, kind)


@pytest.mark.parametrize(
    "value",
    [7.5, "7.5", True, "seven", "1_0", [7], float("nan"), Decimal("1E+400"), float("inf")],
)
def test_anything_else_is_not_a_rating(value: Any) -> None:
    with pytest.raises(InvalidRecordError, match="rating"):
        to_rating(value, "nps")


@pytest.mark.parametrize("value", [True, 1.5, {}, ".", "..", "a" * 501])
def test_an_id_must_be_a_whole_number_or_text_that_a_url_can_contain(value: Any) -> None:
    with pytest.raises(InvalidRecordError, match="id"):
        to_id(value)


@pytest.mark.parametrize(("value", "expected"), [(5, "5"), (Decimal("1.50"), "1.50"), ("a", "a")])
def test_a_number_in_a_text_field_becomes_text(value: Any, expected: str) -> None:
    assert expected == to_text(value)


@pytest.mark.parametrize("value", [True, {}, ["a"]])
def test_a_text_field_accepts_nothing_but_text_and_numbers(value: Any) -> None:
    with pytest.raises(InvalidRecordError, match="text"):
        to_text(value)


@pytest.mark.parametrize("value", [None, True, "", "text", "NaN", "1e400", 10**12, [1]])
def test_a_date_property_that_is_not_unix_seconds_stays_as_it_is(value: Any) -> None:
    assert from_unix(value) == value


def test_dots_are_an_id_behind_a_prefix() -> None:
    assert to_id(".", "eu-") == "eu-."


def test_html_entities_in_a_comment_are_decoded() -> None:
    content = record(1, text="Tom &amp; Jerry&#39;s &lt;3", tags=["a &amp; b"])

    assert feedback(content)["text"] == "Tom & Jerry's <3"
    assert additional(content)["tags"] == ["a &amp; b"]


@pytest.mark.parametrize("text", [None, "", "  \n", "&nbsp;"])
def test_a_rating_without_a_comment_has_no_text(text: str | None) -> None:
    assert "text" not in feedback(record(1, text=text))


@pytest.mark.parametrize("column", ["id", "score", "created_at"])
@pytest.mark.parametrize("empty", [None, ""])
def test_id_rating_and_date_are_required(column: str, empty: Any) -> None:
    with pytest.raises(InvalidRecordError, match=column):
        feedback(record(1, **{column: empty}))


@pytest.mark.parametrize(
    ("survey", "rules", "kind", "survey_kind"),
    [
        (15, {"survey_kinds": CES}, "csat", "ces"),
        ("15", {"survey_kinds": CES}, "csat", "ces"),
        (12, {"survey_kinds": CES}, "csat", None),
        (99, {"survey_kinds": CES}, "nps", None),
        (None, {"survey_kinds": CES, "kind": "csat"}, "csat", None),
        (99, {"kind": "ces"}, "csat", "ces"),
    ],
)
def test_the_survey_determines_the_kind_and_ces_is_sent_as_csat(
    survey: Any, rules: dict[str, Any], kind: str, survey_kind: str | None
) -> None:
    content = record(5, survey_id=survey)

    assert feedback(content, **rules)["kind"]["name"] == kind
    assert additional(content, **rules).get("survey_kind") == survey_kind


def test_a_property_named_survey_kind_does_not_replace_the_kind() -> None:
    content = record(5, end_user={"properties": {"survey_kind": "own"}})

    expected = {"survey_kind": "ces", "end_user.properties.survey_kind": "own"}
    assert expected.items() <= additional(content, kind="ces").items()


IDENTITY = {
    "author_id_from": "end_user.external_id",
    "account_id_from": "end_user.properties.company_id",
}


@pytest.mark.parametrize(
    ("end_user", "author", "account"),
    [
        ({"external_id": "ann", "properties": {"company_id": 7}}, "p-ann", "p-7"),
        ({"external_id": "", "properties": {"company_id": None}}, "p-1001", "p-1001"),
        ({"external_id": 5}, "p-5", "p-1001"),
    ],
)
def test_author_and_account_ids_are_the_same_in_feedbacks_and_users(
    end_user: dict[str, Any], author: str, account: str
) -> None:
    rules = {**IDENTITY, "id_prefix": "p-"}
    fields = feedback(record(1, end_user=end_user), **rules)["kind"]["fields"]
    person = user({"id": 1001, **end_user}, **rules)

    assert (fields["author_id"], fields["account_id"]) == (author, account)
    assert (person["user_id"], person["account_id"]) == (author, account)


def test_wootrics_id_stays_an_additional_field_beside_another_author_id() -> None:
    content = record(1, end_user={"external_id": "ann", "properties": {"company_id": 7}})
    fields = additional(content, **IDENTITY)

    assert (fields["end_user_id"], fields["company_id"]) == (1001, 7)
    assert "end_user_id" not in additional(content)


def test_the_prefix_of_a_stream_applies_to_the_ids_of_its_own_records() -> None:
    mapper = StreamMapper(ENTRY | {"id_prefix": "csat-"}, MappingRules(id_prefix="eu-"))
    mapped = mapper.map(record(1))

    assert (mapped.id, mapper.identify(record(1))) == ("csat-1", "csat-1")
    assert mapped.payload["kind"]["fields"]["author_id"] == "eu-1001"


def test_two_streams_must_not_produce_the_same_id() -> None:
    streams = {"a": ENTRY, "b": ENTRY, "c": ENTRY | {"id_prefix": "c-"}}
    owners = KeyOwners(streams, MappingRules())
    for stream, record_id in (("a", "1"), ("b", "2"), ("a", "1"), ("c", "1")):
        owners.claim(stream, ("feedback", record_id))

    with pytest.raises(DuplicateKeyError, match="Streams 'a' and 'b' contain the same id"):
        owners.claim("b", ("feedback", "1"))


def test_empty_values_are_omitted_at_every_depth_but_false_and_zero_are_not() -> None:
    content = properties(
        a=None,
        b="",
        c=[],
        d={},
        e={"f": [None, "", {"g": []}]},
        h={"i": [0, "", {"j": None, "k": False}]},
        seats=0,
        active=False,
    )
    fields = additional(content)

    assert not fields.keys() & set("abcde")
    assert (fields["h"], fields["seats"], fields["active"]) == ({"i": [0, {"k": False}]}, 0, False)


def test_values_nested_too_deeply_reject_the_record_and_are_not_stored() -> None:
    mapper = StreamMapper(ENTRY, MappingRules(include_pii=True))
    deep: Any = "end"
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(InvalidRecordError, match="nested"):
        mapper.map(record(1, tags=deep))

    assert (mapper.identify(record(1, tags=deep)), mapper.redacted(record(1, tags=deep))) == (
        "1",
        None,
    )


COLUMNS = ["plan", "additional_fields.plan"]


@pytest.mark.parametrize("present", [True, False])
def test_names_of_properties_depend_on_the_schema_only(*, present: bool) -> None:
    """A property never takes the name of a column, of a record that lacks it either."""
    mapper = StreamMapper(ENTRY, MappingRules(), COLUMNS)
    content = properties(plan="pro", seats=5)
    content["additional_fields"] = {"plan": "odd", "channel": "web"}
    columns = dict.fromkeys(COLUMNS, "column") if present else {}
    fields = mapper.map(content | columns).payload["additional_fields"]

    expected = {"end_user.properties.plan": "pro", "seats": 5, "additional_fields.plan_": "odd"}
    expected["additional_fields.channel"] = "web"
    assert (expected | columns).items() <= fields.items()


def test_a_column_that_the_schema_lacks_does_not_replace_a_property() -> None:
    content = properties(plan="pro") | {"plan": "column"}

    assert additional(content).items() >= {"plan": "pro", "plan_": "column"}.items()


def test_properties_that_are_not_an_object_keep_their_own_name() -> None:
    assert additional(record(1, end_user={"properties": "pro"}))["properties"] == "pro"


@pytest.mark.parametrize(
    ("answer", "rest"),
    [
        ({"score": {"value": 4, "scale": 5}, "by": "web"}, {"score": {"scale": 5}, "by": "web"}),
        ({"score": {"value": 4}, "by": "web"}, {"by": "web"}),
        ({"score": {"value": 4}}, None),
        ({"score": {"value": 4}, "note": "plain"}, {"note": "plain"}),
        ({"score": {"value": 4}, "note": {"text": "nested"}}, None),
    ],
)
def test_what_surrounds_a_nested_field_arrives(
    answer: dict[str, Any], rest: dict[str, Any] | None
) -> None:
    columns = {"rating": "answer.score.value", "text": "answer.note.text"}
    mapper = StreamMapper(ENTRY | {"fields": ENTRY["fields"] | columns}, MappingRules())
    mapped = mapper.map(record(1, answer=answer))

    assert mapped.payload["kind"]["fields"]["rating"] == 4
    assert rest == mapped.payload["additional_fields"].get("answer")


@pytest.mark.parametrize(
    ("rules", "names"),
    [
        ({"additional_fields_include": frozenset({"plan", "tags"})}, {"plan", "tags"}),
        ({"additional_fields_include": frozenset()}, set()),
        ({"additional_fields_exclude": frozenset({"tags", "updated_at"})}, {"plan"}),
        (
            {
                "additional_fields_include": frozenset({"plan", "tags"}),
                "additional_fields_exclude": frozenset({"tags"}),
            },
            {"plan"},
        ),
    ],
)
def test_additional_fields_can_be_chosen(rules: dict[str, Any], names: set[str]) -> None:
    assert names == set(additional(properties(plan="pro"), **rules))


def test_dates_in_unix_seconds_are_converted_where_the_setting_names_them() -> None:
    content = properties(renewal_date=1481907900, seats=1481907900)
    fields = additional(content, date_properties=frozenset({"renewal_date"}))

    assert (fields["renewal_date"], fields["seats"]) == ("2016-12-16T17:05:00Z", 1481907900)
    mapped = feedback(record(1, created_at=0), date_properties=frozenset({"created_at"}))
    assert mapped["posted_at"] == "1970-01-01T00:00:00Z"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


def says_something(value: Any) -> bool:
    parts = value.values() if isinstance(value, dict) else value
    if isinstance(value, dict | list):
        return any(says_something(part) for part in parts)
    return value is not None and value != ""


@given(st.dictionaries(st.text(min_size=1), json_values, max_size=6))
def test_no_property_is_lost_and_equal_records_have_equal_fingerprints(
    values: dict[str, Any],
) -> None:
    fields = additional(record(1, end_user={"properties": values}), include_pii=True)
    bodies = [payload.encode(one) for one in (values, dict(reversed(values.items())))]
    prints = {payload.fingerprint(body) for body in bodies}

    assert len(fields) == 3 + sum(map(says_something, values.values()))
    assert len(prints) == 1


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        ({"n": Decimal("0.12345678901234567890")}, b'{"n":0.12345678901234567890}'),
        ({"i": 10**30}, b'{"i":1000000000000000000000000000000}'),
    ],
)
def test_odd_values_are_encoded_without_loss(value: dict[str, Any], encoded: bytes) -> None:
    assert encoded == payload.encode(value)
    assert json.loads(payload.with_batch(encoded, "b"))["batch_id"] == "b"
