"""The mapping of one record: a table of cases, and properties of any record."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_birdie.mapping import payload
from target_birdie.mapping.mapper import DEFAULT_STREAMS, Rules, StreamMapper
from target_birdie.mapping.personal_data import is_personal_name
from target_birdie.mapping.values import InvalidRecordError, from_unix, to_id, to_rating, to_time

from .messages import record


def additional(content: dict[str, Any], **rules: Any) -> dict[str, Any]:
    """The additional fields of a response under these rules."""
    mapping = StreamMapper(DEFAULT_STREAMS["responses"], Rules(**rules), record(1))
    fields: dict[str, Any] = mapping.map(content).body["additional_fields"]
    return fields


def properties(**values: Any) -> dict[str, Any]:
    """A response whose end user has these properties."""
    return record(1, end_user={"properties": values})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2016-12-16 09:05:00-08:00", "2016-12-16T17:05:00Z"),
        ("2016-12-16T17:05:00.123000+00:00", "2016-12-16T17:05:00.123000Z"),
        ("2016-12-16T17:05:00Z", "2016-12-16T17:05:00Z"),
        ("2016-12-16T17:05:00", "2016-12-16T17:05:00Z"),
        ("2016-12-16", "2016-12-16T00:00:00Z"),
        ("  ", None),
    ],
)
def test_a_time_arrives_as_rfc_3339_in_utc(value: str, expected: str | None) -> None:
    """Offsets and fractions are kept in meaning; a time without offset is UTC."""
    assert expected == to_time(value)


@pytest.mark.parametrize("value", ["yesterday", "1481907900", 1481907900, "2016-13-01", True, [1]])
def test_a_time_that_is_none_is_no_guess(value: Any) -> None:
    """What cannot be read as a date is refused."""
    with pytest.raises(InvalidRecordError, match="RFC 3339"):
        to_time(value)


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_beyond_the_calendar_is_refused(time: str) -> None:
    """A year that UTC does not have rejects the record, not the run."""
    with pytest.raises(InvalidRecordError, match="range"):
        to_time(time)


@pytest.mark.parametrize("value", [0, 10, 7.0, Decimal(7), "7"])
def test_a_whole_number_from_0_to_10_is_a_rating(value: Any) -> None:
    """A rating may come as any kind of whole number."""
    assert int(value) == to_rating(value, 10)


@pytest.mark.parametrize(
    "value", [-1, 11, 7.5, True, "seven", [7], Decimal("NaN"), Decimal("1E+400"), float("inf")]
)
def test_anything_else_is_no_rating(value: Any) -> None:
    """A rating that is none rejects the record."""
    with pytest.raises(InvalidRecordError, match="rating"):
        to_rating(value, 10)


@pytest.mark.parametrize("value", [True, 1.5, {}, ".", "..", "a" * 501, "\ud83d"])
def test_an_id_is_a_whole_number_or_text(value: Any) -> None:
    """An id that is neither, or that a URL would swallow, rejects the record."""
    with pytest.raises(InvalidRecordError, match="id"):
        to_id(value)


@pytest.mark.parametrize("column", ["id", "score", "created_at"])
@pytest.mark.parametrize("empty", [None, ""])
def test_id_rating_and_date_must_be_there(column: str, empty: Any) -> None:
    """A feedback without one of them is refused, and the reason names the column."""
    mapping = StreamMapper(DEFAULT_STREAMS["responses"], Rules())

    with pytest.raises(InvalidRecordError, match=column):
        mapping.map(record(1, **{column: empty}))


@pytest.mark.parametrize("text", [None, "", "  \n"])
def test_no_comment_is_no_text(text: str | None) -> None:
    """A rating without comment has no text: absent, never null, never empty."""
    mapping = StreamMapper(DEFAULT_STREAMS["responses"], Rules())

    assert "text" not in mapping.map(record(1, text=text)).body


PERSONAL = """email E-Mail e_mail workEmail EMAIL email_address EmailAddress contact.email Email2
phone phone_number PhoneNumber mobile telephone customer_phone_2 ip_address email_work
phone_numbers email_addresses mobile_numbers ip_addresses ip_address_2 IPAddress last_ip_address"""
OTHERS = """plan emails_sent phone_model email_opt_in address ip mailing_list headphones
ship_address shipAddress"""


@pytest.mark.parametrize("name", PERSONAL.split())
def test_names_of_personal_data_are_known(name: str) -> None:
    """However an e-mail or a phone number is spelled, it stays out."""
    assert is_personal_name(name)


@pytest.mark.parametrize("name", OTHERS.split())
def test_other_names_are_not_personal_data(name: str) -> None:
    """All other properties arrive as they are."""
    assert not is_personal_name(name)


def test_personal_data_stays_out_at_any_depth() -> None:
    """Lists and objects inside properties are cleaned too."""
    content = properties(contacts=[{"email": "ann@example.com", "role": "owner"}], has_email=True)

    expected = {"contacts": [{"role": "owner"}], "has_email": True}
    assert expected.items() <= additional(content).items()
    assert "ann@example.com" not in json.dumps(additional(content))


def test_personal_data_travels_when_asked_for() -> None:
    """`include_pii` sends everything."""
    fields = additional(properties(email="ann@example.com"), include_pii=True)

    assert (fields["ip_address"], fields["email"]) == ("192.0.2.1", "ann@example.com")


def test_names_that_collide_are_told_apart() -> None:
    """A property never replaces a column, even one that is empty in this record."""
    content = record(1, tags=None, end_user={"properties": {"tags": "vip", "score": 3}})

    expected = {"end_user.properties.tags": "vip", "end_user.properties.score": 3}
    assert expected.items() <= additional(content).items()
    assert "tags" not in additional(content)


def test_a_column_keeps_its_name_where_a_record_lacks_it() -> None:
    """The names do not change from record to record: the schema tells which are columns."""
    content = properties(tags="vip")
    del content["tags"]

    assert additional(content)["end_user.properties.tags"] == "vip"


@pytest.mark.parametrize("value", ["taken too", None])
def test_a_column_named_like_a_property_in_its_place_keeps_its_name(value: str | None) -> None:
    """Not even the longer name replaces a column, nor depends on whether the column is empty."""
    longer = "end_user.properties.plan"
    mapping = StreamMapper(DEFAULT_STREAMS["responses"], Rules(), ["plan", longer])
    content = record(1, **({longer: value} if value else {}))
    fields = mapping.map(content).body["additional_fields"]

    assert (fields.get(longer), fields[f"{longer}_"]) == (value, "pro")


def test_two_objects_of_properties_do_not_collide() -> None:
    """The same name in two places arrives twice."""
    content = record(1, additional_fields={"plan": "old", "end_user.properties.plan": "odd"})

    found = [v for k, v in additional(content).items() if "plan" in k]
    assert sorted(found) == ["odd", "old", "pro"]


def test_properties_that_are_no_object_arrive_under_their_own_name() -> None:
    """A tap that sends a text where properties belong loses nothing."""
    fields = additional(record(1, end_user={"properties": "pro"}))

    assert fields["properties"] == "pro"


def test_what_is_left_of_an_object_is_left_out_when_it_is_empty() -> None:
    """Once its properties are mapped, an `end_user` of nulls says nothing."""
    content = record(1, end_user={"properties": {"plan": "pro"}, "additional_fields": None})

    fields = additional(content)

    assert fields["plan"] == "pro"
    assert "end_user" not in fields


def test_an_object_without_what_is_mapped_of_it_arrives_whole() -> None:
    """An end user who has no properties is no reason to leave the rest out."""
    assert additional(record(1, end_user={"id": 1001}))["end_user"] == {"id": 1001}


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
    """A table may name a value deep inside a column: what it does not take is not lost."""
    columns = {"rating": "answer.score.value", "text": "answer.note.text"}
    entry = DEFAULT_STREAMS["responses"]
    mapping = StreamMapper(entry | {"fields": entry["fields"] | columns}, Rules())

    fields = mapping.map(record(1, answer=answer)).body["additional_fields"]
    assert fields.get("answer") == rest


def test_additional_fields_can_be_named() -> None:
    """An allow-list lets only its names travel, a deny-list all but its names."""
    assert additional(record(1), include=frozenset({"plan"})) == {"plan": "pro"}
    assert "plan" not in additional(record(1), exclude=frozenset({"plan"}))


@pytest.mark.parametrize("value", [1481907900, "1481907900", Decimal(1481907900), 1481907900.0])
def test_unix_seconds_become_a_date(value: Any) -> None:
    """A property that is named as a date arrives as one."""
    content = properties(renewal=value)

    assert additional(content, date_properties={"renewal"})["renewal"] == "2016-12-16T17:05:00Z"


@pytest.mark.parametrize("value", ["soon", True, 1e30, [1], {"a": 1}])
def test_what_is_no_unix_time_stays(value: Any) -> None:
    """A date property with another content arrives as it is."""
    assert value == from_unix(value)


def test_a_prefix_keeps_two_accounts_apart() -> None:
    """Feedback, author and user ids carry the same prefix."""
    rules = Rules(id_prefix="eu-")
    feedback = StreamMapper(DEFAULT_STREAMS["responses"], rules).map(record(1))
    user = StreamMapper(DEFAULT_STREAMS["end_users"], rules).map({"id": 1001})

    assert "eu-1" == feedback.id == feedback.body["feedback_id"]
    assert user.id == feedback.body["kind"]["fields"]["author_id"] == "eu-1001"


def test_the_record_is_not_changed_by_mapping_it() -> None:
    """A refused record is kept as the tap wrote it."""
    content = record(1)
    StreamMapper(DEFAULT_STREAMS["responses"], Rules()).map(content)

    assert record(1) == content


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), json_values, max_size=6))
def test_any_properties_arrive_as_they_are(values: dict[str, Any]) -> None:
    """Whatever names and JSON values a property has: sent, unless empty."""
    fields = additional(properties() | {"end_user": {"properties": values}}, include_pii=True)

    for name, value in values.items():
        if value not in (None, ""):
            assert value in (fields.get(name), fields.get(f"end_user.properties.{name}"))


@given(st.dictionaries(st.text(), json_values, min_size=1, max_size=6))
def test_equal_bodies_have_equal_digests(values: dict[str, Any]) -> None:
    """The order of keys does not matter, a changed value does."""
    turned = dict(reversed(values.items()))
    first, second = payload.encode(values), payload.encode(turned)

    assert payload.digest(first, destination=b"x") == payload.digest(second, destination=b"x")
    assert payload.digest(first, destination=b"x") != payload.digest(first, destination=b"y")


def test_numbers_keep_all_their_digits() -> None:
    """A number is sent as the tap wrote it."""
    body = {"additional_fields": {"n": Decimal("0.12345678901234567890"), "i": 10**30}}

    assert b'"n":0.12345678901234567890' in payload.encode(body)
    assert b'"i":1000000000000000000000000000000' in payload.encode(body)


def test_a_number_beyond_doubles_is_text_beside_half_a_pair() -> None:
    """Escapes are written by another encoder, which would write it as no JSON at all."""
    body = payload.encode({"text": "\ud83d", "n": Decimal("1e400")})

    assert json.loads(body, parse_constant=pytest.fail) == {"text": "\ud83d", "n": "1E+400"}


def test_half_a_surrogate_pair_is_sent_as_an_escape() -> None:
    """A broken emoji does not end the run."""
    body = payload.with_batch(payload.encode({"text": "\ud83d", "n": Decimal("1.5")}), "b")

    assert json.loads(body) == {"text": "\ud83d", "n": 1.5, "batch_id": "b"}
