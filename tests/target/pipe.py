"""The target as a process of its own, which can be stopped and killed."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from .messages import Message, lines_of

TARGET = str(Path(sys.executable).with_name("target-birdie"))


class Pipe:
    """A running target; its input stays open until `finish`."""

    def __init__(self, config: dict[str, Any], folder: Path, *options: str) -> None:
        """Start it."""
        path = folder / "config.json"
        path.write_text(json.dumps(config))
        self._out = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._err = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self.process = subprocess.Popen(
            [TARGET, "--config", str(path), *options],
            stdin=subprocess.PIPE,
            stdout=self._out,
            stderr=self._err,
            text=True,
        )

    def feed(self, messages: list[Message]) -> None:
        """Write messages, as far as it still listens."""
        assert self.process.stdin
        with suppress(BrokenPipeError):
            self.process.stdin.write(lines_of(messages))
            self.process.stdin.flush()

    def finish(self, timeout: float = 60) -> int:
        """End the input and return the exit code."""
        assert self.process.stdin
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        return self.process.wait(timeout)

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
