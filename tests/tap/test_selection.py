"""Selection: what is chosen in the catalog and in stream maps is what leaves the tap."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import pytest
from jsonschema import Draft7Validator

from tap_wootric.tap import TapWootric

from .helpers import INCREMENTAL, Account, Json, assert_complete, invoke, selecting

REPORTS = ("nps_summary", "survey_templates", "email_stats")
ALL = ("responses", "end_users", "declines", "segments", *REPORTS)


def without(stream: str, *breadcrumbs: Iterable[str]) -> Json:
    """A catalog with one stream, of which some fields are not selected."""
    catalog = selecting(stream)
    entry = next(entry for entry in catalog["streams"] if entry["stream"] == stream)
    left_out = [list(breadcrumb) for breadcrumb in breadcrumbs]
    for item in entry["metadata"]:
        if item["breadcrumb"] in left_out:
            item["metadata"]["selected"] = False
            left_out.remove(item["breadcrumb"])
    assert left_out == []
    return catalog


@pytest.mark.parametrize("stream", ALL)
def test_each_stream_can_be_selected_alone(account: Account, stream: str) -> None:
    """What is not selected costs no request."""
    output = account.sync(stream, start_date="2026-01-01")

    assert output.code == 0
    assert {m["stream"] for m in output.messages if m["type"] != "STATE"} == {stream}
    asked = {request.path.rpartition("/")[2] for request in account.sandbox.requests}
    assert asked == {"token", stream}


def test_nothing_selected_costs_no_request(account: Account) -> None:
    """Not even a token."""
    assert account.sync(()).code == 0
    assert list(account.sandbox.requests) == []


def test_streams_come_in_the_order_in_which_they_are_waited_for(account: Account) -> None:
    """Responses first, not by the alphabet."""
    output = account.sync(ALL, start_date="2026-11-01")

    schemas = [m["stream"] for m in output.messages if m["type"] == "SCHEMA"]
    assert schemas == list(ALL)


def test_without_a_catalog_the_default_streams_are_synced(account: Account) -> None:
    """What one gets who chooses nothing."""
    options = account.options()

    output = invoke(options[: options.index("--catalog")])

    found = {m["stream"] for m in output.messages if m["type"] == "RECORD"}
    assert found == set(ALL[:4])
    for stream in INCREMENTAL:
        assert_complete(account, output.records(stream), stream)


@pytest.mark.parametrize(
    ("stream", "names"),
    [
        ("responses", ["ip_address", "text"]),
        ("declines", ["ip_address"]),
        ("end_users", ["email", "phone_number", "properties"]),
    ],
)
def test_a_deselected_field_does_not_leave_the_tap(
    account: Account, stream: str, names: list[str]
) -> None:
    """Neither in a record nor in the schema; all others do."""
    whole = account.sync(stream)

    output = account.sync(stream, catalog=without(stream, *(["properties", n] for n in names)))

    schema = next(m["schema"] for m in output.messages if m["type"] == "SCHEMA")
    assert schema["properties"].keys().isdisjoint(names)
    expected = [
        {k: v for k, v in record.items() if k not in names} for record in whole.records(stream)
    ]
    assert output.records(stream) == expected


def test_a_deselected_field_inside_an_object_does_not_leave_the_tap(account: Account) -> None:
    """The rest of the object does."""
    breadcrumb = ("properties", "end_user", "properties", "properties")

    records = account.sync(catalog=without("responses", breadcrumb)).records()

    assert len(records) == 300
    assert all("properties" not in (record["end_user"] or {}) for record in records)


def test_a_deselected_field_changes_nothing_else(account: Account) -> None:
    """Bookmarks, look-back and what counts as changed are the same."""
    catalog = without("responses", ("properties", "updated_at"))
    first = account.sync(catalog=catalog)
    account.sandbox.store.comment(first.ids()[5], "late")

    second = account.sync(catalog=catalog, state=first.state)
    third = account.sync(catalog=catalog, state=second.state)

    assert second.ids() == [first.ids()[5]]
    assert third.ids() == []


@pytest.mark.parametrize("name", ["id", "created_at"])
def test_keys_can_not_be_deselected(account: Account, name: str) -> None:
    """A loader needs them."""
    records = account.sync(catalog=without("responses", ("properties", name))).records()

    assert records
    assert all(name in record for record in records)


def test_stream_maps_drop_and_hash_fields(account: Account) -> None:
    """Before anything leaves the tap; people without an address have no hash."""
    maps = {
        "end_users": {
            "email": "sha256(email) if email else None",
            "phone_number": None,
            "properties": "__NULL__",
        }
    }

    records = account.sync("end_users", stream_maps=maps).records("end_users")

    truth = account.truth("end_users")
    assert len(records) == len(truth)
    for record in records:
        address = truth[record["id"]]["email"]
        hashed = hashlib.sha256(address.encode()).hexdigest() if address else None
        assert record["email"] == hashed
        assert record.keys().isdisjoint({"phone_number", "properties"})


@pytest.mark.parametrize("nothing", [None, "__NULL__"])
def test_streams_without_a_map_can_be_left_out(account: Account, nothing: str | None) -> None:
    """With `__else__`, which is no stream's name."""
    maps = {"responses": {"ip_address": None}, "__else__": nothing}

    output = account.sync(("responses", "declines"), stream_maps=maps)

    assert output.code == 0
    assert {m["stream"] for m in output.messages if m["type"] != "STATE"} == {"responses"}
    assert len(output.ids()) == 300


def test_stream_maps_change_nothing_of_the_bookmark(account: Account) -> None:
    """Also where they filter every record out, or rename the stream."""
    plain = account.sync()

    filtered = account.sync(stream_maps={"responses": {"__filter__": "score is None"}})
    renamed = account.sync(stream_maps={"responses": {"__alias__": "feedback"}})

    assert len(filtered.ids()) < len(plain.ids())
    assert renamed.ids("feedback") == plain.ids()
    states = [o.state["bookmarks"]["responses"] for o in (plain, filtered, renamed)]
    # When a run met the latest change is the one thing that differs from run to run.
    latest = [state.pop("last_change")[0] for state in states]
    assert (latest[1:], states[1:]) == (latest[:2], states[:2])


@pytest.mark.parametrize("stream", INCREMENTAL)
def test_flattening_keeps_free_form_properties_as_one_json_text(
    account: Account, stream: str
) -> None:
    """Their keys are no columns; what is in the records is in the schema, or null."""
    settings: dict[str, Any] = {"flattening_enabled": True, "flattening_max_depth": 3}

    output = account.sync(stream, **settings)

    schema = next(m["schema"] for m in output.messages if m["type"] == "SCHEMA")
    records = output.records(stream)
    assert len(records) == len(account.truth(stream))
    for record in records:
        assert {record[name] for name in record.keys() - schema["properties"].keys()} <= {None}
    name = "properties" if stream == "end_users" else "end_user__properties"
    assert any(isinstance(record.get(name), str) for record in records)


def test_batch_files_are_off_even_when_they_are_asked_for(account: Account) -> None:
    """They would go around stream maps, and so around what hides personal data."""
    folder = account.folder / "batches"
    folder.mkdir()
    batch = {
        "encoding": {"format": "jsonl", "compression": "gzip"},
        "storage": {"root": f"file://{folder}"},
    }

    output = account.sync(batch_config=batch)

    assert output.code == 1
    assert "Unknown setting 'batch_config'" in output.error
    assert output.messages == []
    assert list(folder.iterdir()) == []


def test_no_stream_batches_whatever_it_is_given() -> None:
    """Should the SDK offer the setting again without being asked."""
    tap = TapWootric(config={}, validate_config=False)

    assert "batch" not in {capability.value for capability in tap.capabilities}
    assert [stream.get_batch_config({"batch_config": {}}) for stream in tap.streams.values()] == [
        None
    ] * len(ALL)


@pytest.mark.parametrize("depth", [1, 2, 5])
@pytest.mark.parametrize("left_out", [(), ("ip_address", "email", "nps")], ids=["all", "some"])
def test_flattened_records_are_as_their_schema_says(
    account: Account, depth: int, left_out: tuple[str, ...]
) -> None:
    """Every stream, also where an object is null; nothing undeclared stands beside the columns."""
    store = account.sandbox.store
    store.add_response(end_user=None, tags=None)
    store.add_response(end_user={"properties": None})
    store.add_decline(end_user=None)
    store.add_end_user(properties=None, settings=None, last_response=None)
    catalog = selecting(*ALL)
    for entry in catalog["streams"]:
        for item in entry["metadata"]:
            if item["breadcrumb"][1:] in [[name] for name in left_out]:
                item["metadata"]["selected"] = False
    settings = {"flattening_enabled": True, "flattening_max_depth": depth}

    output = account.sync(catalog=catalog, start_date="2026-10-01", **settings)

    schemas = {m["stream"]: m["schema"] for m in output.messages if m["type"] == "SCHEMA"}
    assert output.code == 0
    for stream in ALL:
        check = Draft7Validator({**schemas[stream], "additionalProperties": False})
        assert output.records(stream)
        for record in output.records(stream):
            assert [error.message for error in check.iter_errors(record)] == []
