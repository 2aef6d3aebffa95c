"""The target as its users run it: messages in, states and an exit code out, Birdie at the end."""

from __future__ import annotations

import json
import logging
import signal
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner
from connector_sandbox import Sandbox
from target_birdie.target import TargetBirdie

Message = dict[str, Any]


class Run(NamedTuple):
    """What a run of the target left."""

    exit_code: int
    states: list[Any]
    error: str
    log: str


def record(number: int, **changes: Any) -> dict[str, Any]:
    """A survey response as a tap writes it."""
    plain = {
        "id": number,
        "end_user_id": number + 1000,
        "score": number % 11,
        "text": f"Comment {number}",
        "created_at": "2016-12-16T17:05:00+00:00",
        "updated_at": "2016-12-16T17:05:00+00:00",
        "tags": ["shipping"],
        "ip_address": "192.0.2.1",
        "end_user": {"id": number + 1000, "properties": {"plan": "pro"}},
    }
    return plain | changes


def schema(stream: str = "responses", **columns: Any) -> Message:
    """The SCHEMA message of a stream."""
    properties = {name: {} for name in record(1)} | columns
    body = {"type": "object", "properties": properties}
    return {"type": "SCHEMA", "stream": stream, "key_properties": ["id"], "schema": body}


def row(content: dict[str, Any], stream: str = "responses") -> Message:
    """A RECORD message."""
    return {"type": "RECORD", "stream": stream, "record": content}


def state(value: Any) -> Message:
    """A STATE message."""
    return {"type": "STATE", "value": value}


def stream_of(records: list[dict[str, Any]], every: int = 50) -> list[Message]:
    """The messages of a sync: a schema, the records, and a state after every so many and at the end."""
    messages = [schema()]
    for number, content in enumerate(records, 1):
        messages.append(row(content))
        if number % every == 0 or number == len(records):
            messages.append(state({"read": number}))
    return messages


def lines_of(messages: list[Message]) -> str:
    """Messages as a tap prints them."""
    return "".join(json.dumps(message, default=_plain) + "\n" for message in messages)


def _plain(value: object) -> str:
    assert isinstance(value, datetime)
    return value.isoformat()


@pytest.fixture
def config(sandbox: Sandbox, tmp_path: Path) -> dict[str, Any]:
    """Settings that reach the sandbox, as fast as it can; nothing is kept outside the test."""
    return {
        "api_key": sandbox.api_key,
        "api_url": sandbox.birdie_url,
        "rejects_path": str(tmp_path / "rejects.jsonl"),
        "max_requests_per_second": 0,
    }


@pytest.fixture
def run_target(
    config: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> Iterator[Callable[..., Run]]:
    """Run the command in this process, with changed settings where the test needs them."""
    caplog.set_level(logging.INFO)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    excepthook = sys.excepthook

    def run(messages: list[Message] | str, *options: str, **changes: Any) -> Run:
        caplog.clear()
        path = tmp_path / "config.json"
        path.write_text(json.dumps(config | changes))
        text = messages if isinstance(messages, str) else lines_of(messages)
        command = TargetBirdie.get_singer_command()
        result = CliRunner().invoke(command, ["--config", str(path), *options], input=text)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        states = [json.loads(line) for line in result.stdout.splitlines()]
        return Run(result.exit_code, states, result.stderr, caplog.text)

    yield run
    sys.excepthook = excepthook
    for number, handler in handlers.items():
        signal.signal(number, handler)
