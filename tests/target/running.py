"""The target as its users run it: in this process, or as a process that can be killed."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, NamedTuple

import pytest
from click.testing import CliRunner
from connector_sandbox import Sandbox
from target_birdie.target import TargetBirdie

from .messages import Message, lines_of

COMMAND = str(Path(sys.executable).with_name("target-birdie"))


class Run(NamedTuple):
    """What a run of the target left."""

    exit_code: int
    output: str
    error: str
    log: str

    @property
    def states(self) -> list[Any]:
        """The lines of the output."""
        return [json.loads(line) for line in self.output.splitlines()]

    @property
    def result(self) -> tuple[int, int | None]:
        """Exit code, and the number of records that the last state covers."""
        return self.exit_code, self.states[-1]["read"] if self.output else None


class Pipe:
    """A running target; its input stays open until `finish`."""

    def __init__(self, config: Path, *options: str, command: str = COMMAND, **pipes: Any) -> None:
        """Start it."""
        self._out = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._err = tempfile.TemporaryFile("w+")  # noqa: SIM115
        given = {"stdin": subprocess.PIPE, "stdout": self._out, "stderr": self._err} | pipes
        line = [command, "--config", str(config), *options]
        self.process = subprocess.Popen(line, text=True, **given)

    def feed(self, messages: list[Message]) -> None:
        """Write messages until it stops reading."""
        with suppress(BrokenPipeError):
            self._input.write(lines_of(messages))
            self._input.flush()

    def finish(self, timeout: float = 60) -> int:
        """End the input and return the exit code."""
        with suppress(BrokenPipeError):
            self._input.close()
        return self.process.wait(timeout)

    def stop(self, *signals: int) -> int:
        """Send signals and return the exit code."""
        for number in signals:
            self.process.send_signal(number)
            time.sleep(0.01)
        return self.process.wait(30)

    @property
    def _input(self) -> IO[str]:
        assert self.process.stdin
        return self.process.stdin

    @property
    def states(self) -> list[Any]:
        """The states written so far."""
        self._out.seek(0)
        return [json.loads(line) for line in self._out if line.endswith("\n")]

    @property
    def log(self) -> str:
        """What was written to the error output so far."""
        self._err.seek(0)
        return self._err.read()


@dataclass
class Target:
    """The target with settings that reach the sandbox, and the sandbox's Birdie."""

    sandbox: Sandbox
    folder: Path
    caplog: pytest.LogCaptureFixture
    settings: dict[str, Any] = field(default_factory=dict)

    def write_config(self, **changes: Any) -> Path:
        """Write the settings with some changed; without a pace."""
        plain = {
            "api_key": self.sandbox.api_key,
            "api_url": self.sandbox.birdie_url,
            "store_url": f"sqlite:///{self.folder}/birdie.db",
            "max_requests_per_second": 0,
        }
        path = self.folder / "config.json"
        path.write_text(json.dumps(plain | self.settings | changes))
        return path

    def __call__(self, messages: list[Message] | str, *options: str, **changes: Any) -> Run:
        """Send messages to the command in this process, with some settings changed."""
        self.caplog.clear()
        text = messages if isinstance(messages, str) else lines_of(messages)
        arguments = ["--config", str(self.write_config(**changes)), *options]
        result = CliRunner().invoke(TargetBirdie.get_singer_command(), arguments, input=text)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Run(result.exit_code, result.stdout, result.stderr, self.caplog.text)

    def start(self, *options: str, pipes: dict[str, Any] | None = None, **changes: Any) -> Pipe:
        """Start the command as a process of its own."""
        return Pipe(self.write_config(**changes), *options, **pipes or {})

    def rejects(self, option: str = "--rejects", **changes: Any) -> list[dict[str, Any]]:
        """Read the rejected records from the store."""
        return self("", option, **changes).states

    def fail(self, fault: str, number: int | str = "", **options: Any) -> None:
        """Let all requests fail, or those of one feedback."""
        path = f"/birdie/ingestion/feedbacks/{number}" if number else "/birdie"
        self.sandbox.faults.on(fault, **{"share": 1.0, "path": path} | options)

    @property
    def puts(self) -> int:
        """The number of PUT requests, stored or not."""
        return self.sandbox.birdie.puts

    @property
    def sent(self) -> dict[str, dict[str, Any]]:
        """The feedbacks at Birdie, by id."""
        return self.sandbox.birdie.records()

    def history(self, number: int) -> list[str]:
        """The texts that Birdie stored under an id, in order."""
        path = f"/feedbacks/{number}"
        return [found.body["text"] for found in self.sandbox.birdie.history if found.path == path]


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
