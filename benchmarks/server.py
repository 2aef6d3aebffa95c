"""The sandbox as a process of its own, and what it has been asked."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any, Self
from urllib.request import urlopen

from child import CommandError, tool

Request = dict[str, Any]

START_SECONDS = 60


class Server:
    """A running sandbox.

    Args:
        folder: Where it leaves its address.
        options: Of the `sandbox` command, besides port and file.

    Raises:
        CommandError: It does not start.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self._options = options

    def __enter__(self) -> Self:
        ready = self.folder / "ready.json"
        command = tool("sandbox", "--port", "0", "--ready-file", str(ready), *self._options)
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        latest = time.monotonic() + START_SECONDS
        while self._process.poll() is None and time.monotonic() < latest:
            if ready.exists():
                self.access: dict[str, str] = json.loads(ready.read_text())
                return self
            time.sleep(0.05)
        self.__exit__()
        raise CommandError("the sandbox does not start")

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()

    def count(self) -> int:
        """Requests so far."""
        return int(self._ask("state")["requests"])

    def requests(self, api: str, since: int) -> list[Request]:
        """Requests of one API, in order, leaving out the first `since` of all."""
        found: list[Request] = self._ask(f"requests?since={since}")
        return [request for request in found if request["api"] == api]

    def _ask(self, path: str) -> Any:
        with urlopen(f"{self.access['url']}/_control/{path}") as reply:
            return json.load(reply)
