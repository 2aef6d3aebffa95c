"""What a tap can write: the files in `input/`, stream maps, and columns that the settings name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from connector_sandbox import Sandbox
from target_birdie import target

from .messages import Run, record, row, schema, stream_of

INPUT = Path(__file__).with_name("input")
INVALID = {
    "batch": "A BATCH message names files",
    "message_of_unknown_type": "Line 6 of the input has an unknown message type.",
    "message_without_type": "lacks type",
    "not_json": "Line 6 of the input is not JSON.",
    "record_before_its_schema": "A record of stream 'answers' arrived before its SCHEMA.",
    "record_is_an_array": "A RECORD message of stream 'responses' has no object.",
    "record_is_null": "A RECORD message of stream 'responses' has no object.",
    "record_without_record": "A RECORD message lacks record.",
    "record_without_stream": "A RECORD message lacks stream.",
    "schema_is_text": "A SCHEMA message of stream 'answers' has no properties.",
    "schema_with_a_list_of_properties": "A SCHEMA message of stream 'answers' has no properties.",
    "schema_without_properties": "A SCHEMA message of stream 'answers' has no properties.",
    "text_instead_of_a_message": "Line 6 of the input is not a Singer message.",
}


def test_every_invalid_file_is_tested() -> None:
    assert {path.stem for path in (INPUT / "invalid").iterdir()} == set(INVALID)


@pytest.mark.parametrize("name", INVALID)
def test_an_invalid_message_ends_the_run_in_one_line_that_does_not_show_it(
    name: str, sandbox: Sandbox, run_target: Callable[..., Run]
) -> None:
    """The records before it are delivered, and the last state before it is written."""
    run = run_target((INPUT / f"invalid/{name}.singer").read_text())

    assert (run.exit_code, run.states, len(sandbox.birdie.records())) == (1, [{"read": 2}], 3)
    assert (INVALID[name] in run.error, run.error.count("\n")) == (True, 1)
    assert "ann@example.com" not in run.error + run.log


@pytest.mark.parametrize(
    ("name", "records"), [("odd_values", 7), ("odd_ids", 7), ("values_that_the_schema_forbids", 5)]
)
def test_odd_values_are_delivered(
    name: str, records: int, sandbox: Sandbox, run_target: Callable[..., Run]
) -> None:
    text = (INPUT / f"{name}.singer").read_text()
    run = run_target(text)
    messages = [json.loads(line, parse_int=str) for line in text.splitlines() if line]
    ids = {message["record"]["id"] for message in messages if "record" in message}

    assert (run.exit_code, run.states) == (0, [{"read": records}])
    assert ids == set(sandbox.birdie.records())
    fields = [body.get("additional_fields", {}) for body in sandbox.birdie.records().values()]
    assert not [name for body in fields for name in body if name.startswith("_sdc_")]


def test_hostile_names_arrive_unchanged(sandbox: Sandbox, run_target: Callable[..., Run]) -> None:
    """As columns and as properties, such as the SDK's hostile tap sends them."""
    text = (INPUT / "hostile_names.singer").read_text()
    run = run_target(text)
    sent = json.loads(text.split("\n")[1])["record"]
    properties = sent.pop("end_user")["properties"]
    for mapped in ("id", "score", "created_at"):
        del sent[mapped]

    assert run.exit_code == 0
    assert sandbox.birdie.records()["1"]["additional_fields"] == sent | properties


def test_records_that_are_nested_too_deeply_are_rejected(
    sandbox: Sandbox, run_target: Callable[..., Run]
) -> None:
    text = (INPUT / "nested_too_deeply.singer").read_text()
    run = run_target(text, max_rejects="10")
    skipped = run_target(text.replace("responses", "declines"))

    assert (run.exit_code, run.states, set(sandbox.birdie.records())) == (1, [{"read": 3}], {"3"})
    assert "2 rejected (feedback_id: 1, nesting: 1)" in run.log
    assert (skipped.exit_code, skipped.states) == (0, [{"read": 3}])


def test_an_input_without_messages_is_a_warning(run_target: Callable[..., Run]) -> None:
    """A tap without a selected stream writes nothing."""
    run = run_target("")

    assert (run.exit_code, run.states) == (0, [])
    assert "The input contained no message." in run.log


def test_a_state_that_cannot_be_written_is_one_line(
    run_target: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> str:
        raise ValueError("ann@example.com")

    monkeypatch.setattr(target, "serialize_json", fail)
    run = run_target(stream_of([record(1)]))

    assert (run.exit_code, run.states) == (1, [])
    assert run.error == "Error: Writing the state failed: ValueError.\n"


def test_stream_maps_apply_before_the_mapping(
    sandbox: Sandbox, run_target: Callable[..., Run]
) -> None:
    maps = {"responses": {"text": "text.upper()", "mood": "'x'", "__filter__": "score > 4"}}
    run_target(stream_of([record(n) for n in range(1, 11)]), stream_maps=maps)
    bodies = sandbox.birdie.records().values()

    assert {f"COMMENT {n}" for n in range(5, 11)} == {body["text"] for body in bodies}
    assert {body["additional_fields"]["mood"] for body in bodies} == {"x"}


@pytest.mark.parametrize("name", ["responses", "copy", "resp*"])
@pytest.mark.parametrize(
    ("field", "rule"), [("txt", None), ("txt", "__NULL__"), ("wish", None), ("updted_at", "'x'")]
)
def test_a_misspelled_field_in_a_stream_map_ends_the_run_before_a_record_is_sent(
    name: str, field: str, rule: str | None, sandbox: Sandbox, run_target: Callable[..., Run]
) -> None:
    """The SDK ignores it, and would send the personal data that the map should remove."""
    maps = {name: {field: rule, "__source__": "responses", "__else__": None}}
    run = run_target(stream_of([record(1)]), stream_maps=maps)

    assert (run.exit_code, sandbox.birdie.records()) == (1, {})
    assert f"Stream map '{name}': stream 'responses' has no field '{field}'." in run.error
    assert ("Did you mean" in run.error) == (field != "wish")


def test_a_name_that_continues_a_field_is_not_misspelled(
    sandbox: Sandbox, run_target: Callable[..., Run]
) -> None:
    run_target(stream_of([record(1)]), stream_maps={"responses": {"text_hash": "md5(text)"}})

    assert "text_hash" in sandbox.birdie.records()["1"]["additional_fields"]


def test_a_stream_map_that_applies_to_no_stream_is_reported(run_target: Callable[..., Run]) -> None:
    """Several taps may share the settings: only the end of the input shows it."""
    run = run_target(stream_of([record(1)]), stream_maps={"respnses": {"text": None}})

    assert run.exit_code == 0
    assert "Stream map 'respnses' applies to no stream. Did you mean 'responses'?" in run.log


def test_an_invalid_expression_is_one_line_that_does_not_show_it(
    sandbox: Sandbox, run_target: Callable[..., Run]
) -> None:
    maps = {"responses": {"text": "sha256('s3cr3t' + text"}}
    run = run_target(stream_of([record(1)]), stream_maps=maps)

    assert (run.exit_code, sandbox.birdie.puts) == (1, 0)
    assert run.error == "Error: Setting 'stream_maps' is invalid (MapExpressionError).\n"
    assert "s3cr3t" not in run.log


def test_a_stream_map_that_fails_for_one_record_rejects_it(
    sandbox: Sandbox, run_target: Callable[..., Run], rejects: Callable[..., Any]
) -> None:
    """The record itself is not stored: the map may be there to remove its personal data."""
    rows = [record(1), record(2, text=None), record(3)]
    run = run_target(stream_of(rows), stream_maps={"responses": {"text": "text.upper()"}})
    (entry,) = rejects("--rejects=records")

    assert (run.exit_code, run.states, len(sandbox.birdie.records())) == (1, [{"read": 3}], 2)
    assert (entry["reason"], entry["record"]) == ("stream map", None)


CSAT = {
    "record_type": "feedback",
    "fields": {"feedback_id": "id", "rating": "score", "posted_at": "created_at"},
}


@pytest.mark.parametrize(
    ("settings", "name", "column"),
    [
        (
            {"streams": {"responses": CSAT | {"fields": CSAT["fields"] | {"text": "tex"}}}},  # type: ignore[operator]
            "streams.responses.fields.text",
            "tex",
        ),
        (
            {"streams": {"responses": CSAT | {"properties": ["end_usr.properties"]}}},
            "streams.responses.properties",
            "end_usr",
        ),
        ({"author_id_from": "end_usr.external_id"}, "author_id_from", "end_usr"),
    ],
)
def test_a_column_that_the_schema_lacks_ends_the_run(
    settings: dict[str, Any],
    name: str,
    column: str,
    sandbox: Sandbox,
    run_target: Callable[..., Run],
) -> None:
    run = run_target(stream_of([record(1)]), **settings)
    expected = f"Error: Setting '{name}': stream 'responses' has no column '{column}'. Did you mean"

    assert (run.exit_code, expected in run.error, sandbox.birdie.puts) == (1, True, 0)


def test_the_built_in_table_accepts_taps_that_lack_columns(
    sandbox: Sandbox, run_target: Callable[..., Run]
) -> None:
    content = {"id": 1, "score": 5, "created_at": "2024-01-31"}
    columns: dict[str, Any] = {name: {} for name in content}
    run = run_target([schema() | {"schema": {"properties": columns}}, row(content)])

    assert (run.exit_code, list(sandbox.birdie.records())) == (0, ["1"])


def test_two_streams_with_the_same_ids_end_the_run(
    sandbox: Sandbox, run_target: Callable[..., Run]
) -> None:
    messages = [schema("a"), schema("b"), row(record(1), "a"), row(record(1), "b")]
    run = run_target(messages, streams={"a": CSAT, "b": CSAT})

    assert (run.exit_code, sandbox.birdie.puts <= 1) == (1, True)
    assert "Streams 'a' and 'b' contain the same id." in run.error
    prefixed = run_target(messages, streams={"a": CSAT, "b": CSAT | {"id_prefix": "b-"}})
    assert (prefixed.exit_code, set(sandbox.birdie.records())) == (0, {"1", "b-1"})
