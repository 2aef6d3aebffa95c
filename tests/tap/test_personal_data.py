"""Personal data: each block of docs/personal-data.md hides what the page claims."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable
from hashlib import md5
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from tap_wootric.personal_data import PersonalData
from tap_wootric.tap import TapWootric

from .addresses import (
    ALLOW,
    DATA,
    DROP,
    FREE_TEXT,
    HASH,
    LATER,
    LISTED,
    MD5,
    METADATA,
    PLACES,
    REMOVE,
    SETTING,
    STREAMS,
    add_people,
    address,
    hidden,
    shown,
)
from .helpers import Account, Forked, Json, Output, selecting


def written(output: Output) -> str:
    """All that left the tap."""
    assert output.code == 0, output.log
    return "\n".join([*output.lines, output.log])


@pytest.fixture
def people(make_account: Callable[..., Account]) -> Account:
    """An account with one end user of whom everything is known, and one without data."""
    account = make_account(responses=0)
    add_people(account.sandbox)
    return account


def sync(account: Account, **options: Any) -> Output:
    """A sync at the highest log level."""
    arguments = account.options(STREAMS, **options)
    return Forked(arguments, account.folder, TAP_WOOTRIC_LOGLEVEL="DEBUG").finish()


def with_metadata() -> Json:
    """The discovered catalog with the page's metadata, where the stream has the field."""
    catalog = selecting(*STREAMS)
    for entry in catalog["streams"]:
        for item in entry["metadata"]:
            item["metadata"].update(
                next((m["metadata"] for m in METADATA if m["breadcrumb"] == item["breadcrumb"]), {})
            )
    return catalog


@pytest.mark.parametrize(
    ("settings", "covered"),
    [
        ({}, []),
        (DROP, SETTING),
        (HASH, [*SETTING, *LISTED]),
        (REMOVE, [*FREE_TEXT]),
        (ALLOW, ["*.properties.*"]),
        (MD5, ["end_users.email", "*.end_user.email"]),
        ({**DROP, **REMOVE}, [*SETTING, *FREE_TEXT]),
    ],
    ids=["nothing", "drop", "hash", "remove", "allow", "md5", "drop and remove"],
)
def test_a_block_of_settings_hides_exactly_what_the_page_says(
    people: Account, settings: Json, covered: list[str]
) -> None:
    """No schema, record or log line contains a covered address; all other addresses are there."""
    output = sync(people, **settings)

    assert shown(written(output)) == set(PLACES) - hidden(covered)
    assert shown(output.log) == set()
    assert {len(output.records(stream)) for stream in STREAMS} == {2}


def test_the_metadata_block_hides_exactly_what_the_page_says(people: Account) -> None:
    """In a catalog, for fields and for fields of objects."""
    output = sync(people, catalog=with_metadata())

    covered = ["responses.text", "*.end_user.external_id", "end_users.last_response.text"]
    assert shown(written(output)) == set(PLACES) - hidden(covered)


def hashed(text: str) -> str:
    return hmac.new(HASH["hash_salt"].encode(), text.encode(), "sha256").hexdigest()


def test_hashes_join_streams_and_hide_every_element(people: Account) -> None:
    """Null stays null, and the address is trimmed and lower-cased before it is hashed."""
    people.sandbox.store.add_end_user(email=" Ada@Example.COM ", phone_number="", properties={})
    people.sandbox.store.add_response(end_user={"properties": {"e_mail": "ada@example.com"}})

    output = sync(people, **HASH)

    known, unknown, ada = output.records("end_users")
    assert known["properties"]["Contacts"] == [
        hashed(address("end_users.properties.Contacts")),
        hashed("7"),
    ]
    assert (unknown["email"], ada["phone_number"]) == (None, "")
    assert ada["email"] == hashed("ada@example.com")
    assert output.records("responses")[2]["end_user"]["properties"]["e_mail"] == ada["email"]


def test_md5_hashes_are_those_of_the_other_system(people: Account) -> None:
    """In each stream that contains the address."""
    output = sync(people, **MD5)

    for stream in STREAMS:
        record = output.records(stream)[0]
        sent = DATA[stream] if stream == "end_users" else DATA[stream]["end_user"]
        found = record if stream == "end_users" else record["end_user"]
        assert found["email"] == md5(sent["email"].encode()).hexdigest()


MODES: dict[str, Json] = {"keep": {}, "drop": DROP, "hash": HASH}


@pytest.mark.parametrize("flattened", [{}, {"flattening_enabled": True, "flattening_max_depth": 9}])
@pytest.mark.parametrize("used", MODES)
@pytest.mark.parametrize("discovered", MODES)
def test_schema_and_records_agree_whatever_the_catalog_was_written_under(
    people: Account, discovered: str, used: str, flattened: Json
) -> None:
    """Every field of a record is declared and valid; a field that the catalog lacks is omitted."""
    catalog = catalog_under(people, MODES[discovered])

    output = sync(people, catalog=catalog, **MODES[used], **flattened)

    declared = {m["stream"]: m["schema"] for m in output.messages if m["type"] == "SCHEMA"}
    for stream in STREAMS:
        for record in output.records(stream):
            assert list(Draft7Validator(declared[stream]).iter_errors(record)) == []
            assert undeclared(declared[stream], record) == []
    expected = {"keep": [], "drop": SETTING, "hash": [*SETTING, *LISTED]}[used]
    names = [*SETTING[:3]] if discovered == "drop" else []
    visible = shown(written(output)) - hidden([f"*.{LATER}.*"])
    assert visible == set(PLACES) - hidden([*expected, *names, f"*.{LATER}.*"])


def catalog_under(account: Account, settings: Json) -> Json:
    """What `--discover` writes under these settings, with all fields selected."""
    path = account.folder / "discover.json"
    path.write_text(json.dumps(account.config | settings))
    output = Forked(["--config", str(path), "--discover"], Path(account.folder)).finish()
    return dict(json.loads("\n".join(output.lines)))


def undeclared(schema: Json, record: Json) -> list[str]:
    """The names of values in a record, and in its declared objects, that the schema lacks."""
    fields = schema.get("properties") or {}
    found = [name for name, value in record.items() if name not in fields and value is not None]
    for name, value in record.items():
        if isinstance(value, dict) and fields.get(name, {}).get("properties"):
            found += undeclared(fields[name], value)
    return found


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["email", "x"]), inner),
)


DECLARED = TapWootric(validate_config=False).streams["end_users"].schema


@given(values, st.sampled_from(["drop", "hash"]))
def test_any_value_under_a_personal_name_is_dropped_or_hashed(value: Any, mode: str) -> None:
    """Also where the value is an array or an object; the record itself is not modified."""
    record = {"id": 1, "email": value, "properties": {"EMAIL": [value]}}
    copy = json.loads(json.dumps(record))
    rules = PersonalData({"personal_data": mode, "hash_salt": "salt"})
    schema = rules.schema(DECLARED)

    transform = rules.transform(DECLARED, schema)

    assert transform is not None
    result = transform(record)
    texts = [text for text in re.findall(r'"(?:[^"\\]|\\.)*"', json.dumps(result)) if text != '""']
    allowed = re.compile(r'"(id|email|x|properties|EMAIL|[0-9a-f]{64})"')
    assert [text for text in texts if not allowed.fullmatch(text)] == []
    assert record == copy
    assert ("email" in result) == (mode == "hash")
