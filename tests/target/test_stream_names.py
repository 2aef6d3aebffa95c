"""A misspelled name in the setting `streams` loses no record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from connector_sandbox import Sandbox

from .messages import Message, Run, record, row, schema, state

ENTRY: dict[str, Any] = {
    "record_type": "feedback",
    "fields": {"feedback_id": "id", "rating": "score", "posted_at": "created_at"},
}


def part(stream: str, number: int) -> list[Message]:
    """A schema, a record and a state."""
    return [schema(stream), row(record(number), stream), state({"read": number})]


@pytest.mark.parametrize(
    ("streams", "arriving", "states", "line"),
    [
        (
            ["answers"],
            ["responses"],
            [],
            "The tap sent 'responses'.",
        ),
        (
            ["answers", "people"],
            ["people", "anwers"],
            [1],
            "The tap sent 'anwers'.",
        ),
        (
            ["answers", "people"],
            ["anwers", "people"],
            [],
            "The tap sent 'anwers'.",
        ),
        (["answers"], ["answers", "declines"], [2], ""),
        (["answers", "answer"], ["answer", "answers"], [2], ""),
        (["answers"], ["anwers", "answers"], [2], ""),
        (["answers"], [], [], ""),
    ],
)
def test_no_state_passes_records_that_are_skipped_by_mistake(
    streams: list[str],
    arriving: list[str],
    states: list[int],
    line: str,
    run_target: Callable[..., Run],
) -> None:
    """The run ends with a suggestion; a stream that is skipped on purpose changes nothing."""
    messages = [part(name, number) for number, name in enumerate(arriving, 1)]
    table = dict.fromkeys(streams, ENTRY)
    run = run_target([message for found in messages for message in found], streams=table)
    assert [found["read"] for found in run.states[-1:]] == states
    assert (run.exit_code, line in run.error) == (1 if line else 0, True)


def test_the_built_in_table_accepts_any_tap(
    sandbox: Sandbox, run_target: Callable[..., Run]
) -> None:
    """Other taps for Wootric have other streams."""
    run = run_target(part("response", 1))
    assert (run.exit_code, run.states, sandbox.birdie.puts) == (0, [{"read": 1}], 0)
