"""A real headless browser, driven over chromedriver's HTTP interface."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, TypeVar

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
DRIVER = shutil.which("chromedriver")
MISSING = "no browser: Debian has it as `apt-get install chromium chromium-driver`"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
PATIENCE_SECONDS = 20

T = TypeVar("T")


class Browser:
    """One window. Elements are named by CSS selectors; waiting is part of finding."""

    def __init__(self, profile: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self._process = subprocess.Popen(
            [str(DRIVER), f"--port={port}", "--log-level=OFF"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._port = port
        self._session = ""
        self._session = f"/session/{self._start(profile)}"

    def _start(self, profile: Path) -> str:
        arguments = [*FLAGS, f"--user-data-dir={profile}"]
        options = {"binary": CHROMIUM, "args": arguments}
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        capabilities = {"capabilities": {"alwaysMatch": wanted}}
        self.until(lambda: self._call("GET", "/status")["ready"])
        session: str = self._call("POST", "/session", capabilities)["sessionId"]
        return session

    def close(self) -> None:
        """End the browser and its driver, whatever state they are in."""
        with suppress(OSError, RuntimeError):
            self._call("DELETE", "")
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _call(self, method: str, path: str, body: object = None) -> Any:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            content = json.dumps({} if body is None else body) if method == "POST" else None
            connection.request(method, self._session + path, content)
            value = json.loads(connection.getresponse().read())["value"]
        finally:
            connection.close()
        if isinstance(value, dict) and "error" in value:
            raise RuntimeError(value["message"])
        return value

    def until(self, found: Callable[[], T]) -> T:
        """The first true value; what the page shows comes a moment after its cause."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            with suppress(OSError, RuntimeError):
                if value := found():
                    return value
            assert time.monotonic() < deadline, "the page never showed it"
            time.sleep(0.05)

    def open(self, url: str, width: int = 1200, *, dark: bool = False) -> None:
        """Show an address in a window of this width."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._devtools("Emulation.setEmulatedMedia", {"features": [scheme]})
        screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self._devtools("Emulation.setDeviceMetricsOverride", screen)
        self._call("POST", "/url", {"url": url})

    def _devtools(self, command: str, parameters: dict[str, Any]) -> None:
        self._call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def run(self, script: str, *arguments: object) -> Any:
        """The value that a script returns."""
        return self._call("POST", "/execute/sync", {"script": script, "args": arguments})

    def click(self, selector: str) -> None:
        """Click as a person does: what is covered or disabled cannot be clicked."""
        self.until(lambda: self._click(selector))

    def _click(self, selector: str) -> bool:
        self._call("POST", f"/element/{self._find(selector)}/click")
        return True

    def type(self, selector: str, text: str) -> None:
        """Type into a field, or choose an option by its text."""
        self._call("POST", f"/element/{self._find(selector)}/value", {"text": text})

    def _find(self, selector: str) -> str:
        query = {"using": "css selector", "value": selector}
        element: str = self._call("POST", "/element", query)[ELEMENT]
        return element

    def texts(self, selector: str) -> list[str]:
        """The text of every element that the selector names, as it is in the page."""
        found: list[str] = self.run(
            "return [...document.querySelectorAll(arguments[0])].map(e => e.textContent)", selector
        )
        return found

    def ids(self, name: str) -> list[str]:
        """The ids in a list of the page, top to bottom."""
        found: list[str] = self.run(
            "return [...document.querySelectorAll(arguments[0])].map(e => e.dataset.id)",
            f"#{name} button",
        )
        return found

    def complaints(self) -> list[str]:
        """What the browser had to say about the page since the last time."""
        return [entry["message"] for entry in self._call("POST", "/se/log", {"type": "browser"})]

    def picture(self, path: Path) -> None:
        """Save what the window shows."""
        path.write_bytes(base64.b64decode(self._call("GET", "/screenshot")))
