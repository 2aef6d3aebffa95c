"""Settings that are seldom wrong, or seldom together."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .messages import Run, record, stream_of


@pytest.mark.parametrize(
    ("settings", "options", "complaint"),
    [
        ({"dry_run": True}, ("--replay",), "dry_run and --replay exclude each other"),
        ({"max_concurrency": 65}, (), "must be at most 64"),
        ({"stream_maps": {"responses": {"score": 5}}}, (), "responses.score must be a text"),
        ({"stream_maps": {"responses": "no"}}, (), "stream_maps.responses must be an object"),
        ({"stream_maps": {"__else__": "keep"}}, (), "stream_maps.__else__ must be null"),
        ({"stream_maps": {"__els__": None}}, (), "no option, did you mean __else__?"),
        (
            {"stream_maps": {"responses": {"__filtre__": "score"}}},
            (),
            "stream_maps.responses.__filtre__ is no option, did you mean __filter__?",
        ),
    ],
    ids=["replay", "maximum", "field", "stream", "else", "option", "filter"],
)
def test_what_cannot_be_is_one_line(
    run_target: Callable[..., Run],
    settings: dict[str, Any],
    options: tuple[str, ...],
    complaint: str,
) -> None:
    """Exit code 1, and what to do about it."""
    run = run_target(stream_of([record(1)]), *options, **settings)

    assert run.exit_code == 1
    assert complaint in run.error
    assert "Traceback" not in run.error + run.log


def test_a_schema_that_is_no_object_ends_the_run(
    run_target: Callable[..., Run], tmp_path: Path
) -> None:
    """A list of schemas, say: nothing is checked against a guess."""
    path = tmp_path / "schema.json"
    path.write_text("[]")

    run = run_target(stream_of([record(1)]), schema_path=str(path))

    assert run.exit_code == 1
    assert f"schema_path {path} gives no JSON Schema" in run.error


@pytest.mark.parametrize("include_pii", [True, False])
def test_a_reject_keeps_what_would_have_been_sent(
    run_target: Callable[..., Run], tmp_path: Path, *, include_pii: bool
) -> None:
    """Personal data is on the disk only where Birdie was to have it."""
    run = run_target(stream_of([record(1, score="high")]), include_pii=include_pii)

    (line,) = (tmp_path / "rejects.jsonl").read_text().splitlines()
    assert run.exit_code == 1
    assert ("ip_address" in json.loads(line)["record"]) == include_pii
