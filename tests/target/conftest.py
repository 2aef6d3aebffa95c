"""The target as its users run it: messages in, states and an exit code out, Birdie at the end."""

from __future__ import annotations

import json
import logging
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from connector_sandbox import Sandbox
from target_birdie.target import TargetBirdie

from .messages import Message, Run, lines_of


@pytest.fixture
def config(sandbox: Sandbox, tmp_path: Path) -> dict[str, Any]:
    """Settings that reach the sandbox, as fast as it can; nothing is kept outside the test."""
    return {
        "api_key": sandbox.api_key,
        "api_url": sandbox.birdie_url,
        "store_url": f"sqlite:///{tmp_path}/birdie.db",
        "max_requests_per_second": 0,
    }


@pytest.fixture
def run_command(config: dict[str, Any], tmp_path: Path) -> Iterator[Callable[..., Result]]:
    """Run the command in this process, with changed settings where the test needs them."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    excepthook = sys.excepthook

    def run(*options: str, text: str = "", **changes: Any) -> Result:
        path = tmp_path / "config.json"
        path.write_text(json.dumps(config | changes))
        command = TargetBirdie.get_singer_command()
        result = CliRunner().invoke(command, ["--config", str(path), *options], input=text)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    yield run
    sys.excepthook = excepthook
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def run_target(
    run_command: Callable[..., Result], caplog: pytest.LogCaptureFixture
) -> Callable[..., Run]:
    """Send messages to the command, with changed settings where the test needs them."""
    caplog.set_level(logging.INFO)

    def run(messages: list[Message] | str, *options: str, **changes: Any) -> Run:
        caplog.clear()
        text = messages if isinstance(messages, str) else lines_of(messages)
        result = run_command(*options, text=text, **changes)
        states = [json.loads(line) for line in result.stdout.splitlines()]
        return Run(result.exit_code, states, result.stderr, caplog.text)

    return run


@pytest.fixture
def rejects(run_target: Callable[..., Run]) -> Callable[..., list[dict[str, Any]]]:
    """Read the rejected records from the store."""
    return lambda option="--rejects", **changes: run_target("", option, **changes).states
