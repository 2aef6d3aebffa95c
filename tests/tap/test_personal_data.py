"""Personal data: each block of docs/personal-data.md hides what the page claims."""

import hmac
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_wootric.personal_data import PersonalData
from tap_wootric.tap import TapWootric

from . import addresses as page
from .helpers import Account, Json, Output, assert_fits, invoke, selecting


@pytest.fixture
def people(make_account: Callable[..., Account], monkeypatch: pytest.MonkeyPatch) -> Account:
    """An account with one end user of whom everything is known, and one without data."""
    monkeypatch.setenv("TAP_WOOTRIC_LOGLEVEL", "DEBUG")
    account = make_account(responses=0)
    page.add_people(account.sandbox)
    return account


def visible(output: Output) -> set[str]:
    """The places whose address is in a schema, record or log line."""
    assert output.code == 0, output.log
    assert page.shown(output.log) == set()
    return page.shown("\n".join(output.lines))


@pytest.mark.parametrize(
    ("settings", "covered"),
    [
        ({}, []),
        (page.DROP, page.SETTING),
        (page.HASH, [*page.SETTING, *page.LISTED]),
        (page.REMOVE, [*page.FREE_TEXT]),
        (page.ALLOW, ["*.properties.*"]),
        (page.MD5, ["end_users.email", "*.end_user.email"]),
        ({**page.DROP, **page.REMOVE}, [*page.SETTING, *page.FREE_TEXT]),
    ],
    ids=["nothing", "drop", "hash", "remove", "allow", "md5", "drop and remove"],
)
def test_a_block_of_settings_hides_exactly_what_the_page_says(
    people: Account, settings: Json, covered: list[str]
) -> None:
    """All other addresses are there."""
    output = people.sync(page.STREAMS, **settings)

    assert visible(output) == set(page.PLACES) - page.hidden(covered)
    assert {len(output.records(stream)) for stream in page.STREAMS} == {2}


def test_the_metadata_block_hides_exactly_what_the_page_says(people: Account) -> None:
    """In a catalog, for fields and for fields of objects."""
    catalog = selecting(*page.STREAMS)
    found = {tuple(item["breadcrumb"]): item["metadata"] for item in page.METADATA}
    for item in [item for entry in catalog["streams"] for item in entry["metadata"]]:
        item["metadata"].update(found.get(tuple(item["breadcrumb"]), {}))

    output = people.sync(page.STREAMS, catalog=catalog)

    covered = ["responses.text", "*.end_user.external_id", "end_users.last_response.text"]
    assert visible(output) == set(page.PLACES) - page.hidden(covered)


def test_hashes_join_streams_and_hide_every_element(people: Account) -> None:
    """Null stays null, and the address is trimmed and lower-cased before it is hashed."""
    people.sandbox.store.add_end_user(email=" Ada@Example.COM ", phone_number="", properties={})
    people.sandbox.store.add_response(end_user={"properties": {"e_mail": "ada@example.com"}})

    output = people.sync(page.STREAMS, **page.HASH)

    salt, contact = page.HASH["hash_salt"].encode(), page.address("end_users.properties.Contacts")
    hashed = [
        hmac.new(salt, text.encode(), "sha256").hexdigest()
        for text in (contact, "7", "ada@example.com")
    ]
    known, unknown, ada = output.records("end_users")
    assert known["properties"]["Contacts"] == hashed[:2]
    assert (unknown["email"], ada["phone_number"], ada["email"]) == (None, "", hashed[2])
    assert output.records()[2]["end_user"]["properties"]["e_mail"] == ada["email"]


MODES: dict[str, Json] = {"keep": {}, "drop": page.DROP, "hash": page.HASH}


@pytest.mark.parametrize("flattened", [{}, {"flattening_enabled": True, "flattening_max_depth": 9}])
@pytest.mark.parametrize("used", MODES)
@pytest.mark.parametrize("discovered", MODES)
def test_schema_and_records_agree_whatever_the_catalog_was_written_under(
    people: Account, discovered: str, used: str, flattened: Json
) -> None:
    """Every field of a record is declared and valid; a field that the catalog lacks is omitted."""
    config = people.options(**MODES[discovered])[:2]
    catalog = json.loads("\n".join(invoke([*config, "--discover"]).lines))

    output = people.sync(page.STREAMS, catalog=catalog, **MODES[used], **flattened)

    for stream in page.STREAMS:
        assert_fits(output, stream)
        declared = re.findall(r'(email|ip_address)": \{', json.dumps(output.schema(stream)))
        assert used != "drop" or declared == []
    expected = {"keep": [], "drop": page.SETTING, "hash": [*page.SETTING, *page.LISTED]}[used]
    names = [*page.SETTING[:3]] if discovered == "drop" else []
    later = page.hidden([f"*.{page.LATER}.*"])
    assert visible(output) - later == set(page.PLACES) - page.hidden([*expected, *names]) - later


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

    transform = rules.transform(DECLARED, rules.schema(DECLARED))

    assert transform is not None
    result = transform(record)
    texts = [text for text in re.findall(r'"(?:[^"\\]|\\.)*"', json.dumps(result)) if text != '""']
    allowed = re.compile(r'"(id|email|x|properties|EMAIL|[0-9a-f]{64})"')
    assert [text for text in texts if not allowed.fullmatch(text)] == []
    assert record == copy
    assert ("email" in result) == (mode == "hash")
