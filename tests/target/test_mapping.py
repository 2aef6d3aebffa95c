"""The mapping of one record: the cases in `cases/mapping.json`, and properties of any record."""

import json
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_birdie.config.schema import DEFAULT_STREAMS
from target_birdie.mapping import payload
from target_birdie.mapping.mapper import StreamMapper
from target_birdie.mapping.personal_data import is_personal_name
from target_birdie.mapping.values import InvalidRecordError

from .messages import record, settings_for

CASES = Path(__file__).with_name("cases")
MAPPING = json.loads((CASES / "mapping.json").read_text(), parse_float=Decimal)
NAMES = tomllib.loads((CASES / "names.toml").read_text())


def mapper_for(case: dict[str, Any]) -> StreamMapper:
    """The mapper of a stream with the settings, the entry in `streams` and the columns given."""
    entry = DEFAULT_STREAMS[case.get("stream", "responses")] | case.get("entry", {})
    rules = settings_for(**case.get("settings", {}))
    return StreamMapper(entry, rules, case.get("columns", record(1)), "responses")


def is_part(expected: Any, found: Any) -> bool:
    """Whether a value has the expected parts; null in an object means that there is no part."""
    if not isinstance(expected, dict) or not isinstance(found, dict):
        return bool(expected == found)
    return all(is_part(value, found.get(name)) for name, value in expected.items())


@pytest.mark.parametrize("promise", MAPPING)
def test_a_record_is_mapped_by_the_settings(promise: str) -> None:
    for case in MAPPING[promise]:
        content = case["record"] if "stream" in case else record(1, **case["record"])
        try:
            found: Any = mapper_for(case).map(content)
        except InvalidRecordError as error:
            found = f"{error.reason}: {error.detail}"
        if "rejected" in case:
            assert case["rejected"] in str(found)
        else:
            assert is_part(case["sent"], found), (case, found)


def test_names_of_personal_data_are_recognized() -> None:
    for kind, names in NAMES.items():
        wrong = [name for name in names.split() if is_personal_name(name) != (kind == "personal")]
        assert (kind, wrong) == (kind, [])


def test_values_nested_too_deeply_reject_the_record_and_are_not_stored() -> None:
    mapper, deep = mapper_for({"settings": {"include_pii": True}}), record(1)
    for _ in range(5000):
        deep["tags"] = [deep["tags"]]
    with pytest.raises(InvalidRecordError, match="nested"):
        mapper.map(deep)

    assert (mapper.identify(deep), mapper.redacted(deep)) == ("1", None)


@pytest.mark.parametrize("include_pii", [True, False])
def test_a_rejected_record_is_stored_without_the_personal_data_that_is_not_sent(
    *, include_pii: bool
) -> None:
    """What the mapping uses is stored: without it, the record could not be mapped again."""
    settings = {"include_pii": include_pii, "author_id_from": "end_user.email"}
    mapper = mapper_for({"settings": settings})
    person = {"email": "ann@example.com", "properties": {"contacts": [{"mail": "ann@acme.com"}]}}
    content = record(1, end_user=person)
    stored = mapper.redacted(content)

    assert stored is not None
    assert mapper.map(stored) == mapper.map(content)
    assert stored["end_user"]["email"] == "ann@example.com"
    assert ("ip_address" in stored, "ann@acme.com" in str(stored)) == (include_pii, include_pii)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


def is_empty(value: Any) -> bool:
    if isinstance(value, dict | list):
        return all(map(is_empty, value.values() if isinstance(value, dict) else value))
    return value is None or value == ""


@given(st.dictionaries(st.text(min_size=1), json_values, max_size=6))
def test_no_property_is_lost_and_equal_records_have_equal_fingerprints(
    values: dict[str, Any],
) -> None:
    content = record(1, end_user={"properties": values})
    fields = mapper_for({"settings": {"include_pii": True}}).map(content)
    bodies = [payload.encode(one) for one in (values, dict(reversed(values.items())))]

    expected = 3 + sum(not is_empty(value) for value in values.values())
    assert len(fields["additional_fields"]) == expected
    assert len({payload.fingerprint(body) for body in bodies}) == 1


def test_numbers_are_encoded_without_loss() -> None:
    encoded = payload.encode({"n": Decimal("0.12345678901234567890"), "i": 10**30})

    assert encoded == b'{"i":1000000000000000000000000000000,"n":0.12345678901234567890}'
    assert json.loads(payload.with_batch(encoded, "b"))["batch_id"] == "b"
