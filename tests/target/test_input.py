"""What a tap may write: every odd line ends in words, and shows nothing of what it holds."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from connector_sandbox import Sandbox
from target_birdie import target

from .messages import Message, Run, lines_of, record, row, schema, state, stream_of

BATCH: Message = {
    "type": "BATCH",
    "stream": "responses",
    "encoding": {"format": "jsonl", "compression": "gzip"},
    "manifest": ["file:///tmp/ann@example.com.gz"],
}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("ann@example.com was here", "Line 6 of the input is not JSON"),
        ('"ann@example.com"', "Line 6 of the input is not a Singer message"),
        ('{"record": {"email": "ann@example.com"}}', "lacks type"),
        ('{"type": "RECORD", "record": {"email": "ann@example.com"}}', "lacks stream"),
        ('{"type": "RECORD", "stream": "responses"}', "lacks record"),
        *(
            (f'{{"type": "RECORD", "stream": "responses", "record": {value}}}', "has no object")
            for value in ("null", '["ann@example.com"]', '"ann@example.com"', "5", "false")
        ),
        ('{"type": "HELLO", "text": "ann@example.com"}', "unknown message type"),
        (
            '{"type": "RECORD", "stream": "x", "record": {"a": 1}}',
            "stream 'x' arrived before its SCHEMA",
        ),
        *(
            (
                f'{{"type": "SCHEMA", "stream": "x", "schema": {schema}}}',
                "of stream 'x' has no properties",
            )
            for schema in ("{}", "null", "5", '"ann@example.com"', '{"properties": ["id"]}')
        ),
        (json.dumps(BATCH), "BATCH files"),
    ],
)
def test_a_bad_line_ends_the_run_in_one_line(
    line: str, says: str, sandbox: Sandbox, run_target: Callable[..., Run]
) -> None:
    """What came before is delivered and in the state; the line itself is not shown."""
    text = lines_of([schema(), row(record(1)), row(record(2)), state({"n": 2}), row(record(3))])
    run = run_target(text + line + "\n" + lines_of([row(record(4)), state({"n": 4})]))

    assert (run.exit_code, run.states, len(sandbox.birdie.records())) == (1, [{"n": 2}], 3)
    assert (says in run.error, run.error.count("\n")) == (True, 1)
    assert "ann@example.com" not in run.error + run.log


@pytest.mark.parametrize(
    "value",
    [
        '"\\ud83d"',
        "NaN",
        "Infinity",
        "1e400",
        "1e99999999999999999999",
        "9" * 5000,
        '{"e": "\\ud83d", "n": 1e400}',
        "[" * 50 + "]" * 50,
    ],
)
def test_odd_json_does_not_end_the_run(
    value: str, sandbox: Sandbox, run_target: Callable[..., Run]
) -> None:
    """Half an emoji, NaN and their like in a property: the record arrives."""
    text = lines_of([schema(), row(record(1, tags="HERE")), state({"n": 1})])
    run = run_target(text.replace('"HERE"', value))

    assert (run.exit_code, run.states, len(sandbox.birdie.records())) == (0, [{"n": 1}], 1)


@pytest.mark.parametrize("column", ["text", "updated_at", "survey_id", "tags"])
def test_a_null_or_odd_value_does_not_end_the_run(
    column: str, sandbox: Sandbox, run_target: Callable[..., Run]
) -> None:
    """Whatever the schema promised: a column that is not mapped may hold anything."""
    typed: dict[str, Any] = {column: {"type": "string", "format": "date-time"}}
    messages = [schema(columns=typed), row(record(1, **{column: None})), row(record(2))]
    run = run_target([*messages, state({"n": 2})])

    assert (run.exit_code, run.states, len(sandbox.birdie.records())) == (0, [{"n": 2}], 2)


HOSTILE = [
    "CamelCaseId", "camelcaseid", "CAMELCASEID", "_leading", "a" * 5_000, "order by", "null",
    "it's", "back\\slash", "nul\0", "\u202eright to left", "e\u0301", "\u00e9",
    "name with spaces", "ends_with_#", "dotted.name", "a" * 300, "", "__proto__",
    "select", "1st", "naïve", "名前", "emoji 🎉", 'quote"d', "new\nline", "tab\t", "{braces}", "%s",
]  # fmt: skip


def test_hostile_names_arrive_as_they_are(sandbox: Sandbox, run_target: Callable[..., Run]) -> None:
    """As the SDK's hostile tap sends them, as columns and as properties."""
    columns = {name: f"column {name}" for name in HOSTILE}
    content = record(1, **columns, end_user={"properties": {f"p {n}": n or "-" for n in HOSTILE}})
    run = run_target([schema(columns={name: {} for name in HOSTILE}), row(content)])
    fields = sandbox.birdie.records()["1"]["additional_fields"]

    assert run.exit_code == 0
    assert columns.items() <= fields.items()
    assert {f"p {n}": n or "-" for n in HOSTILE}.items() <= fields.items()


@pytest.mark.parametrize("number", ["a/b", "a?b=c#d", "%41", "ä ö", "..%2f..", "名前", "a" * 200])
def test_an_id_of_any_letters_reaches_its_own_path(
    number: str, sandbox: Sandbox, run_target: Callable[..., Run]
) -> None:
    """An id is a part of a path, never a path."""
    run = run_target(stream_of([record(1, id=number)]))

    assert (0, {number}) == (run.exit_code, set(sandbox.birdie.records()))


def test_a_state_that_cannot_be_written_is_one_line(
    sandbox: Sandbox, run_target: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever goes wrong with it, by the thread that writes it too."""

    def fail(_: object) -> str:
        raise ValueError("ann@example.com")

    monkeypatch.setattr(target, "serialize_json", fail)
    run = run_target(stream_of([record(n) for n in range(1, 31)]), max_requests_per_second=15)

    assert (run.exit_code, run.states) == (1, [])
    assert run.error == "Error: Writing the state failed: ValueError.\n"
    assert "Failed: 30 records" in run.log


def test_stream_maps_hold(sandbox: Sandbox, run_target: Callable[..., Run]) -> None:
    """The SDK's maps run before the mapping: here a filter and a changed text."""
    maps = {"responses": {"text": "text.upper()", "__filter__": "score > 4"}}
    typed = {"text": {"type": "string"}, "score": {"type": "integer"}}
    rows = [row(record(n)) for n in range(1, 11)]
    run_target([schema(columns=typed), *rows], stream_maps=maps)

    assert {f"COMMENT {n}" for n in range(5, 11)} == {
        body["text"] for body in sandbox.birdie.records().values()
    }


@pytest.mark.parametrize("name", ["responses", "copy", "resp*"])
@pytest.mark.parametrize(
    ("field", "rule"), [("txt", None), ("txt", "__NULL__"), ("wish", None), ("updted_at", "'x'")]
)
def test_a_misspelled_field_in_a_stream_map_ends_the_run_before_a_record_is_sent(
    name: str, field: str, rule: str | None, sandbox: Sandbox, run_target: Callable[..., Run]
) -> None:
    """The SDK ignores it, and the personal data that the map should remove would be sent."""
    maps = {name: {field: rule, "__source__": "responses", "__else__": None}}
    run = run_target(stream_of([record(1)]), stream_maps=maps)

    assert (run.exit_code, sandbox.birdie.records()) == (1, {})
    assert f"Stream map '{name}': stream 'responses' has no field '{field}'." in run.error
    assert ("Did you mean" in run.error) == (field != "wish")


@pytest.mark.parametrize("field", ["text_hash", "mood"])
def test_a_new_field_in_a_stream_map_is_not_a_misspelled_one(
    field: str, sandbox: Sandbox, run_target: Callable[..., Run]
) -> None:
    run_target(stream_of([record(1)]), stream_maps={"responses": {field: "'x'"}})

    assert sandbox.birdie.records()["1"]["additional_fields"][field] == "x"


def test_a_stream_map_that_applies_to_no_stream_is_reported(run_target: Callable[..., Run]) -> None:
    """Several taps may share the settings: only the end of the input can tell."""
    run = run_target(stream_of([record(1)]), stream_maps={"respnses": {"text": None}})

    assert run.exit_code == 0
    assert "Stream map 'respnses' applies to no stream. Did you mean 'responses'?" in run.log


def test_a_stream_map_that_is_no_expression_ends_the_run(run_target: Callable[..., Run]) -> None:
    """The line does not repeat it: it may contain the salt of a hash."""
    maps = {"responses": {"text": "sha256('s3cr3t' + text"}}
    run = run_target(stream_of([record(1)]), stream_maps=maps)

    assert (run.exit_code, run.error.count("\n"), "stream_maps" in run.error) == (1, 1, True)
    assert "s3cr3t" not in run.error + run.log


def test_a_stream_map_that_fails_for_one_record_rejects_it(
    sandbox: Sandbox, run_target: Callable[..., Run], rejects: Callable[..., Any]
) -> None:
    """Its content is not stored: the map may be there to hide it."""
    typed = schema(columns={"text": {"type": "string"}})
    rows = [row(record(n, text=None if n == 2 else "words")) for n in (1, 2, 3)]
    maps = {"responses": {"text": "text.upper()"}}
    run = run_target([typed, *rows, state({"n": 3})], stream_maps=maps)
    (entry,) = rejects("--rejects=records")

    assert (run.exit_code, run.states, len(sandbox.birdie.records())) == (1, [{"n": 3}], 2)
    assert (entry["reason"], entry["record"]) == ("stream map", None)
    run = run_target([typed], stream_maps=maps)
    assert (run.exit_code, "1 still rejected" in run.log) == (0, True)


@pytest.mark.parametrize(("stream", "count"), [("responses", 1), ("declines", 0)])
def test_a_record_that_is_nested_too_deeply_is_rejected_or_skipped(
    stream: str,
    count: int,
    sandbox: Sandbox,
    run_target: Callable[..., Run],
    rejects: Callable[..., Any],
) -> None:
    """No program reads it; the rest is delivered."""
    deep = row(record(2, tags="HERE"), stream)
    text = lines_of([schema(), schema("declines"), row(record(1)), deep, state({"n": 2})])
    run = run_target(text.replace('"HERE"', "[" * 5000 + "]" * 5000))

    assert (run.exit_code, run.states, len(sandbox.birdie.records())) == (count, [{"n": 2}], 1)
    assert [entry["reason"] for entry in rejects()] == ["nesting"] * count


def test_no_input_is_a_warning(run_target: Callable[..., Run]) -> None:
    """A tap without a selected stream writes nothing."""
    run = run_target("")
    assert (run.exit_code, run.states) == (0, [])
    assert "The input contained no message" in run.log


def test_activate_version_is_understood(sandbox: Sandbox, run_target: Callable[..., Run]) -> None:
    """It asks for nothing that Birdie could do, and ends nothing."""
    message = {"type": "ACTIVATE_VERSION", "stream": "responses", "version": 1}
    run = run_target([schema(), message, row(record(1)), message, state({"n": 1})])

    assert (run.exit_code, run.states) == (0, [{"n": 1}])


def test_metadata_of_the_tap_is_not_sent(sandbox: Sandbox, run_target: Callable[..., Run]) -> None:
    """`_sdc_` columns change every run and say nothing about the response."""
    run_target([schema(), row(record(1, _sdc_batched_at="now", _sdc_sequence=5))])

    assert not [k for k in sandbox.birdie.records()["1"]["additional_fields"] if "_sdc" in k]


CSAT = {
    "record_type": "feedback",
    "fields": {"feedback_id": "id", "rating": "score", "posted_at": "created_at"},
}


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        (
            {"streams": {"responses": {**CSAT, "fields": {**CSAT["fields"], "text": "txet"}}}},
            (
                "Setting 'streams.responses.fields.text': stream 'responses' has no column 'txet'. "
                "Did you mean 'text'?"
            ),
        ),
        (
            {"streams": {"responses": CSAT | {"properties": ["tag"]}}},
            (
                "Setting 'streams.responses.properties': stream 'responses' has no column 'tag'. "
                "Did you mean 'tags'?"
            ),
        ),
        (
            {"author_id_from": "end_usr.external_id"},
            (
                "Setting 'author_id_from': stream 'responses' has no column 'end_usr'. "
                "Did you mean 'end_user'?"
            ),
        ),
    ],
)
def test_a_column_that_the_schema_lacks_ends_the_run(
    settings: dict[str, Any], line: str, sandbox: Sandbox, run_target: Callable[..., Run]
) -> None:
    run = run_target(stream_of([record(1)]), **settings)

    assert (run.exit_code, run.error, sandbox.birdie.puts) == (1, f"Error: {line}\n", 0)


def test_the_built_in_table_accepts_other_taps_for_wootric(
    sandbox: Sandbox, run_target: Callable[..., Run]
) -> None:
    content = {"id": 1, "score": 5, "created_at": "2024-01-31"}
    run = run_target(
        [{**schema(), "schema": {"properties": {key: {} for key in content}}}, row(content)]
    )

    assert (run.exit_code, list(sandbox.birdie.records())) == (0, ["1"])


def test_two_streams_with_the_same_ids_end_the_run(
    sandbox: Sandbox, run_target: Callable[..., Run]
) -> None:
    messages = [schema("a"), schema("b"), row(record(1), "a"), row(record(1), "b")]
    run = run_target(messages, streams={"a": CSAT, "b": CSAT})

    assert (run.exit_code, sandbox.birdie.puts <= 1) == (1, True)
    assert "Streams 'a' and 'b' contain the same feedback id." in run.error
    prefixed = run_target(messages, streams={"a": CSAT, "b": CSAT | {"id_prefix": "b-"}})
    assert (prefixed.exit_code, set(sandbox.birdie.records())) == (0, {"1", "b-1"})
