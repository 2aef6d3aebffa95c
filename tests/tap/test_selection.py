"""Selection: only selected streams and fields leave the tap."""

from __future__ import annotations

import pytest
from jsonschema import Draft7Validator

from .helpers import INCREMENTAL, Account, Json, assert_complete, invoke, selecting

REPORTS = ("nps_summary", "survey_templates", "email_stats")
ALL = ("responses", "end_users", "declines", "segments", *REPORTS)


def without(stream: str, *paths: str) -> Json:
    """Return a catalog that selects one stream, without some fields."""
    catalog = selecting(stream)
    entry = next(entry for entry in catalog["streams"] if entry["stream"] == stream)
    breadcrumbs = [["properties", *path.split("/")] for path in paths]
    for item in entry["metadata"]:
        item["metadata"]["selected"] = item["breadcrumb"] not in breadcrumbs
    return catalog


@pytest.mark.parametrize("stream", ALL)
def test_each_stream_can_be_selected_alone(account: Account, stream: str) -> None:
    """Other streams cause no request."""
    output = account.sync(stream, start_date="2026-01-01")

    assert output.code == 0
    assert {m["stream"] for m in output.messages if m["type"] != "STATE"} == {stream}
    paths = {request.path.rpartition("/")[2] for request in account.sandbox.requests}
    assert paths == {"token", stream}


def test_without_a_catalog_the_default_streams_are_synced(account: Account) -> None:
    """The reports are not among them."""
    options = account.options()

    output = invoke(options[: options.index("--catalog")])

    assert {m["stream"] for m in output.messages if m["type"] == "RECORD"} == {*ALL[:4]}
    for stream in INCREMENTAL:
        assert_complete(account, output.records(stream), stream)


@pytest.mark.parametrize(
    ("stream", "path"),
    [("responses", "text"), ("end_users", "properties"), ("declines", "end_user/properties/email")],
)
def test_a_deselected_field_is_omitted_and_changes_nothing_else(
    account: Account, stream: str, path: str
) -> None:
    """Also a field of an object."""
    complete = account.sync(stream)

    output = account.sync(stream, catalog=without(stream, path))

    *parents, name = path.split("/")
    for record in complete.records(stream):
        place = record[parents[0]] if parents else record
        (place or {}).pop(name, None)
    assert output.records(stream) == complete.records(stream)
    declared = output.messages[0]["schema"]["properties"]
    for parent in parents:
        declared = declared[parent]
    assert name not in declared


def test_a_deselected_time_still_decides_what_has_changed(account: Account) -> None:
    """The state does not depend on the selection."""
    catalog = without("responses", "updated_at")
    first = account.sync(catalog=catalog)
    account.sandbox.store.comment(first.ids()[5], "late")

    second = account.sync(catalog=catalog, state=first.state)
    third = account.sync(catalog=catalog, state=second.state)

    assert (second.ids(), third.ids()) == ([first.ids()[5]], [])


@pytest.mark.parametrize("name", ["id", "created_at"])
def test_keys_cannot_be_deselected(account: Account, name: str) -> None:
    """Loaders need them."""
    records = account.sync(catalog=without("responses", name)).records()

    assert {name in record for record in records} == {True}


@pytest.mark.parametrize("nothing", [None, "__NULL__"])
def test_else_removes_the_streams_without_a_map(account: Account, nothing: str | None) -> None:
    """`__else__` is not the name of a stream."""
    maps = {"responses": {"ip_address": None}, "__else__": nothing}

    output = account.sync(("responses", "declines"), stream_maps=maps)

    assert {m["stream"] for m in output.messages if m["type"] != "STATE"} == {"responses"}
    assert len(output.ids()) == 300


def test_stream_maps_do_not_change_the_bookmark(account: Account) -> None:
    """Also if they remove records or rename the stream."""
    plain = account.sync()

    filtered = account.sync(stream_maps={"responses": {"__filter__": "score is None"}})
    renamed = account.sync(stream_maps={"responses": {"__alias__": "feedback"}})

    assert len(filtered.ids()) < len(plain.ids())
    assert renamed.ids("feedback") == plain.ids()
    states = [output.state["bookmarks"]["responses"] for output in (plain, filtered, renamed)]
    assert len({state["replication_key_value"] for state in states}) == 1


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_flattened_records_match_their_schema(account: Account, depth: int) -> None:
    """In every stream, also where an object is null; no value is undeclared."""
    store = account.sandbox.store
    store.add_response(end_user=None, tags=None)
    store.add_response(end_user={"properties": None})
    store.add_decline(end_user=None)
    store.add_end_user(properties=None, settings=None, last_response=None)
    settings = {"flattening_enabled": True, "flattening_max_depth": depth}

    output = account.sync(ALL, start_date="2026-10-01", **settings)

    schemas = {m["stream"]: m["schema"] for m in output.messages if m["type"] == "SCHEMA"}
    assert output.code == 0
    for stream in ALL:
        check = Draft7Validator({**schemas[stream], "additionalProperties": False})
        assert output.records(stream)
        for record in output.records(stream):
            columns = {name: value for name, value in record.items() if value is not None}
            assert [error.message for error in check.iter_errors(columns)] == []
