"""What a tap can write: the files in `input/`, stream maps, and streams that the settings name."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from .messages import record, row, schema, state, sync
from .running import Target

INPUT = Path(__file__).with_name("input")
HOSTILE_TAP = Path(__file__).parents[2] / ".cache/target/bin/tap-hostile"
FIELDS = {"feedback_id": "id", "rating": "score", "posted_at": "created_at"}
ENTRY: dict[str, Any] = {"record_type": "feedback", "fields": FIELDS}


@pytest.mark.parametrize("name", [path.stem for path in (INPUT / "invalid").iterdir()])
def test_an_invalid_message_ends_the_run_in_one_line_that_does_not_show_it(
    name: str, target: Target
) -> None:
    """The records before it are delivered, and the last state before it is written."""
    run = target((INPUT / f"invalid/{name}.singer").read_text())

    assert (run.result, len(target.sent)) == ((1, 2), 3)
    line = "Error: Line 6 of the input cannot be processed ("
    assert (run.error.startswith(line), run.error.count("\n")) == (True, 1)
    assert "ann@example.com" not in run.error + run.log


@pytest.mark.parametrize("name", ["odd_values", "odd_ids", "values_that_the_schema_forbids"])
def test_odd_values_are_delivered(name: str, target: Target) -> None:
    text = (INPUT / f"{name}.singer").read_text()
    run = target(text)
    messages = [json.loads(line, parse_int=str) for line in text.splitlines() if line]
    ids = {message["record"]["id"] for message in messages if "record" in message}

    assert (run.result, set(target.sent)) == ((0, len(ids)), ids)
    fields = [body.get("additional_fields", {}) for body in target.sent.values()]
    assert not [name for body in fields for name in body if name.startswith("_sdc_")]


def test_hostile_names_arrive_unchanged(target: Target) -> None:
    text = (INPUT / "hostile_names.singer").read_text()
    run = target(text)
    sent = json.loads(text.split("\n")[1])["record"]
    sent |= sent.pop("end_user")["properties"]
    for mapped in FIELDS.values():
        del sent[mapped]

    assert (run.exit_code, target.sent["1"]["additional_fields"]) == (0, sent)


@pytest.mark.long
def test_what_the_sdks_hostile_tap_sends_arrives(target: Target) -> None:
    if not HOSTILE_TAP.exists():
        pytest.skip("the tap is not installed: use make test")
    text, name = subprocess.check_output([HOSTILE_TAP], text=True), "5name_starts_with_number"
    entry = {"record_type": "user", "fields": {"user_id": name}}
    run = target(text, streams={"hostile_property_names_stream": entry})
    users = target.sandbox.birdie.records("users")

    assert (run.exit_code, len(users)) == (0, 10)
    for content in (found["record"] for found in map(json.loads, text.splitlines()[1:11])):
        assert users[content.pop(name)]["additional_fields"] == content


def test_records_that_are_nested_too_deeply_are_rejected(target: Target) -> None:
    text = (INPUT / "nested_too_deeply.singer").read_text()
    run = target(text, max_rejects="10")
    skipped = target(text.replace("responses", "declines"))

    assert (run.result, set(target.sent), skipped.result) == ((1, 3), {"3"}, (0, 3))
    assert "2 rejected (nesting: 2)" in run.log


def test_an_input_without_messages_is_a_warning(target: Target) -> None:
    """A tap without a selected stream writes nothing."""
    run = target("")

    assert (run.result, "The input contained no message." in run.log) == ((0, None), True)


def test_stream_maps_apply_before_the_mapping(target: Target) -> None:
    """A name that continues a field is not misspelled."""
    maps = {"text": "text.upper()", "text_hash": "md5(text)", "score": "score * 1.0"}
    maps["__filter__"] = "score > 4"
    target(sync(*range(1, 11)), stream_maps={"responses": maps})

    assert {body["text"] for body in target.sent.values()} == {f"COMMENT {n}" for n in range(5, 11)}
    assert all("text_hash" in body["additional_fields"] for body in target.sent.values())


@pytest.mark.parametrize("name", ["responses", "copy", "resp*"])
@pytest.mark.parametrize(
    ("field", "rule"), [("txt", None), ("txt", "__NULL__"), ("wish", None), ("updted_at", "'x'")]
)
def test_a_misspelled_field_in_a_stream_map_ends_the_run_before_a_record_is_sent(
    name: str, field: str, rule: str | None, target: Target
) -> None:
    """The SDK ignores it, and would send the personal data that the map should remove."""
    maps = {name: {field: rule, "__source__": "responses", "__else__": None}}
    run = target(sync(1), stream_maps=maps)

    assert (run.exit_code, target.puts) == (1, 0)
    assert f"Stream map '{name}': stream 'responses' has no field '{field}'." in run.error
    assert ("Did you mean" in run.error) == (field != "wish")


def test_a_stream_map_that_applies_to_no_stream_is_reported(target: Target) -> None:
    """Several taps may share the settings: only the end of the input shows it."""
    run = target(sync(1), stream_maps={"respnses": {"text": None}})

    line = "Stream map 'respnses' applies to no stream. Did you mean 'responses'?"
    assert (run.exit_code, line in run.log) == (0, True)


def test_an_invalid_expression_is_one_line_that_does_not_show_it(target: Target) -> None:
    run = target(sync(1), stream_maps={"responses": {"text": "sha256('s3cr3t' + text"}})

    assert (run.exit_code, target.puts, "s3cr3t" in run.log) == (1, 0, False)
    assert run.error == "Error: Setting 'stream_maps' is invalid (MapExpressionError).\n"


def test_a_stream_map_that_fails_for_one_record_rejects_it(target: Target) -> None:
    """The record itself is not stored: the map may be there to remove its personal data."""
    maps = {"responses": {"text": "text.upper()"}}
    run = target(sync(1, record(2, text=None), 3), stream_maps=maps)
    (entry,) = target.rejects("--rejects=records")

    assert (run.result, len(target.sent)) == ((1, 3), 2)
    assert (entry["reason"], entry["record"]) == ("stream map", None)


@pytest.mark.parametrize(
    ("name", "column", "settings"),
    [
        ("streams.responses.fields.text", "tex", {"fields": FIELDS | {"text": "tex"}}),
        ("streams.responses.properties", "end_usr", {"properties": ["end_usr.properties"]}),
        ("author_id_from", "end_usr", {"author_id_from": "end_usr.external_id"}),
    ],
)
def test_a_column_that_the_schema_lacks_ends_the_run(
    name: str, column: str, settings: dict[str, Any], target: Target
) -> None:
    if name.startswith("streams"):
        settings = {"streams": {"responses": ENTRY | settings}}
    run = target(sync(1), **settings)

    line = f"Error: Setting '{name}': stream 'responses' has no column '{column}'. Did you mean"
    assert (run.exit_code, line in run.error, target.puts) == (1, True, 0)


def test_the_built_in_table_accepts_taps_that_lack_columns_and_streams(target: Target) -> None:
    content = {name: record(1)[name] for name in FIELDS.values()}
    columns: Any = {"properties": {name: {} for name in content}}
    answer = [schema("response"), row(record(2), "response"), state({"read": 2})]
    run = target([schema() | {"schema": columns}, row(content), *answer])

    assert (run.result, list(target.sent)) == ((0, 2), ["1"])


def test_two_streams_with_the_same_ids_end_the_run(target: Target) -> None:
    """Unless a prefix separates them; an id may come twice from one stream."""
    messages = [schema("a"), schema("b"), *(row(record(1), name) for name in "aab")]
    run = target(messages, streams={"a": ENTRY, "b": ENTRY})

    assert (run.exit_code, target.puts <= 1) == (1, True)
    assert "Streams 'a' and 'b' contain the same id." in run.error
    prefixed = target(messages, streams={"a": ENTRY, "b": ENTRY | {"id_prefix": "b-"}})
    assert (prefixed.exit_code, set(target.sent)) == (0, {"1", "b-1"})


@pytest.mark.parametrize("score", [5, None], ids=["sent", "rejected"])
@pytest.mark.parametrize("runs", [1, 2])
def test_a_prefix_that_produces_an_id_of_another_stream_ends_the_run(
    score: int | None, runs: int, target: Target
) -> None:
    """Also if the other record was rejected, or came with an earlier run."""
    streams = {"a": ENTRY, "b": ENTRY | {"id_prefix": "b-"}}
    first = [schema("a"), row(record(0, id="b-1", score=score), "a")]
    second = [schema("b"), row(record(1), "b")]
    if runs == 2:
        target(first, streams=streams)
    run = target(second if runs == 2 else first + second, streams=streams)
    assert "Streams 'a' and 'b' contain the same id." in run.error


@pytest.mark.parametrize(
    ("streams", "arriving", "read", "line"),
    [
        ("answers", "responses", None, "The tap sent 'responses'."),
        ("answers people", "people anwers", 1, "The tap sent 'anwers'."),
        ("answers people", "anwers people", None, "The tap sent 'anwers'."),
        ("answers", "answers declines", 2, ""),
        ("answers answer", "answer answers", 2, ""),
        ("answers", "anwers answers", 2, ""),
        ("answers", "", None, ""),
    ],
)
def test_no_state_passes_records_that_are_skipped_because_of_a_misspelled_name(
    streams: str, arriving: str, read: int | None, line: str, target: Target
) -> None:
    """The run ends with a suggestion; a stream that is skipped on purpose changes nothing."""
    messages = []
    for number, name in enumerate(arriving.split(), 1):
        messages += [schema(name), row(record(number), name), state({"read": number})]
    run = target(messages, streams=dict.fromkeys(streams.split(), ENTRY))

    assert (run.result, line in run.error) == ((int(bool(line)), read), True)
