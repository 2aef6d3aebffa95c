"""What the catalog and stream maps select is what leaves the tap."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from jsonschema import Draft7Validator

from tap_wootric.tap import TapWootric

from .helpers import Account, Json, invoke, selecting

DEFAULT = ("responses", "end_users", "declines", "segments")
ALL = (*DEFAULT, "nps_summary", "survey_templates", "email_stats")


def deselecting(stream: str, *paths: str) -> Json:
    """A catalog with one stream, without some fields; `a.b` is a field of an object."""
    catalog = selecting(stream)
    entry = next(entry for entry in catalog["streams"] if entry["stream"] == stream)
    breadcrumbs = [["properties", *path.replace(".", ".properties.").split(".")] for path in paths]
    found = [item for item in entry["metadata"] if item["breadcrumb"] in breadcrumbs]
    assert len(found) == len(paths)
    for item in found:
        item["metadata"].update(selected=False, inclusion="available")
    return catalog


@pytest.mark.parametrize("stream", ALL)
def test_a_stream_that_is_not_selected_costs_no_request(account: Account, stream: str) -> None:
    output = account.sync(stream, start_date="2026-01-01")

    assert output.code == 0
    assert {m["stream"] for m in output.messages if m["type"] != "STATE"} == {stream}
    requested = {request.path.rpartition("/")[2] for request in account.sandbox.requests}
    assert requested == {"token", stream}


def test_without_a_catalog_the_default_streams_are_synced(account: Account) -> None:
    options = account.options()

    output = invoke(options[: options.index("--catalog")])

    assert output.code == 0
    assert {m["stream"] for m in output.messages if m["type"] == "RECORD"} == set(DEFAULT)


@pytest.mark.parametrize(
    ("stream", "paths"),
    [
        ("responses", ["ip_address", "text", "end_user.properties"]),
        ("end_users", ["email", "properties"]),
    ],
)
def test_a_deselected_field_leaves_the_tap_neither_in_records_nor_in_the_schema(
    account: Account, stream: str, paths: list[str]
) -> None:
    """The other fields do."""
    whole = account.sync(stream)

    output = account.sync(stream, catalog=deselecting(stream, *paths))

    top = {path for path in paths if "." not in path}
    assert output.schema(stream)["properties"].keys() == whole.records(stream)[0].keys() - top
    for before, after in zip(whole.records(stream), output.records(stream), strict=True):
        expected = {k: v for k, v in before.items() if k not in top}
        if stream == "responses" and before["end_user"]:
            expected["end_user"] = {
                k: v for k, v in before["end_user"].items() if k != "properties"
            }
        assert after == expected


@pytest.mark.parametrize("field", ["updated_at", "id", "created_at"])
def test_deselecting_a_field_changes_neither_the_keys_nor_what_counts_as_changed(
    account: Account, field: str
) -> None:
    catalog = deselecting("responses", field)
    first = account.sync(catalog=catalog)
    changed = first.ids()[5]
    account.sandbox.store.comment(changed, "late")

    second = account.sync(catalog=catalog, state=first.state)

    assert second.ids() == [changed]
    assert {"id", "created_at"} <= second.records()[0].keys()
    assert account.sync(catalog=catalog, state=second.state).ids() == []


def test_a_catalog_with_few_fields_keeps_the_keys(account: Account) -> None:
    catalog = selecting("responses")
    for entry in catalog["streams"]:
        entry.update(schema={"properties": {"score": {"type": "integer"}}})

    output = account.sync(catalog=catalog)

    assert {tuple(sorted(record)) for record in output.records()} == {("created_at", "id", "score")}


def test_stream_maps_drop_hash_and_skip_before_anything_leaves_the_tap(account: Account) -> None:
    maps: Json = {
        "end_users": {"email": "sha256(email) if email else None", "phone_number": None},
        "__else__": None,
    }

    output = account.sync(("responses", "end_users"), stream_maps=maps)

    truth = account.truth("end_users")
    assert output.ids() == []
    assert len(output.records("end_users")) == len(truth)
    for record in output.records("end_users"):
        email = truth[record["id"]]["email"]
        assert record["email"] == (hashlib.sha256(email.encode()).hexdigest() if email else None)
        assert "phone_number" not in record


@pytest.mark.parametrize("stream_map", [{"__filter__": "score is None"}, {"__alias__": "x"}])
def test_stream_maps_do_not_change_the_state(account: Account, stream_map: Json) -> None:
    """Also if they filter records or rename the stream."""
    plain = account.sync()

    mapped = account.sync(stream_maps={"responses": stream_map})

    assert mapped.bookmark() == plain.bookmark()
    assert account.sync(state=mapped.state).ids() == []


@pytest.mark.parametrize("field", ["__filter__", "text"])
def test_a_failing_expression_ends_the_run_in_one_line(account: Account, field: str) -> None:
    output = account.sync(stream_maps={"responses": {field: "text.lower() == ip_address[99]"}})

    assert output.code == 1
    assert "an expression fails for record" in output.error
    assert "Traceback" not in output.log


@pytest.mark.parametrize("depth", [1, 5])
def test_flattened_records_fit_their_schema(account: Account, depth: int) -> None:
    """Free-form properties stay one JSON text, and an object that is null leaves no key."""
    account.sandbox.store.add_response(end_user=None, tags=None)
    account.sandbox.store.add_end_user(properties=None, settings=None, last_response=None)
    settings: Json = {"flattening_enabled": True, "flattening_max_depth": depth}

    output = account.sync(ALL, start_date="2026-10-01", **settings)

    assert output.code == 0
    for stream in ALL:
        validator = Draft7Validator({**output.schema(stream), "additionalProperties": False})
        assert output.records(stream)
        for record in output.records(stream):
            assert [error.message for error in validator.iter_errors(record)] == []
    if depth > 1:
        texts = [record.get("end_user__properties") for record in output.records()]
        assert any(isinstance(text, str) for text in texts)


def test_no_stream_writes_batch_files(account: Account) -> None:
    """They would bypass stream maps, and so expose personal data."""
    tap = TapWootric(config={}, validate_config=False)
    config: Any = {"batch_config": {}}

    assert "batch" not in {capability.value for capability in tap.capabilities}
    assert {stream.get_batch_config(config) for stream in tap.streams.values()} == {None}
    assert account.sync(batch_config={"encoding": {"format": "jsonl"}}).code == 1
