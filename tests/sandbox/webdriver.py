"""A real headless browser, controlled through the HTTP interface of chromedriver."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import Any

import requests

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
MISSING = "no browser: install it with `apt-get install chromium chromium-driver`"
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --disable-quic "
    "--disable-background-networking --disable-component-update --disable-sync --no-first-run"
)
PATIENCE_SECONDS = 20


class Browser:
    """One window. Selectors are CSS selectors."""

    def __init__(self, profile: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        command = [str(DRIVER), f"--port={port}", "--log-level=OFF"]
        self._process = Popen(command, start_new_session=True, stdout=DEVNULL, stderr=DEVNULL)
        self._url = f"http://127.0.0.1:{port}"
        chrome = {"binary": CHROMIUM, "args": [*FLAGS.split(), f"--user-data-dir={profile}"]}
        wanted = {"goog:chromeOptions": chrome, "goog:loggingPrefs": {"browser": "ALL"}}
        self.until(lambda: self._call("GET", "/status")["ready"])
        session = self._call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self._url += f"/session/{session['sessionId']}"

    def close(self) -> None:
        """End the browser and its driver."""
        with suppress(OSError, RuntimeError):
            self._call("DELETE", "")
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _call(self, method: str, path: str, body: object = None) -> Any:
        body = {} if body is None and method == "POST" else body
        value = requests.request(method, self._url + path, json=body, timeout=60).json()["value"]
        if isinstance(value, dict) and "error" in value:
            raise RuntimeError(value["message"])
        return value

    def until(self, condition: Callable[[], object]) -> None:
        """Wait until a condition is true."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            with suppress(OSError, RuntimeError, IndexError):
                if condition():
                    return
            assert time.monotonic() < deadline, "the page never showed it"
            time.sleep(0.05)

    def open(self, url: str, width: int = 1200, *, dark: bool = False) -> None:
        """Open an address in a window of this width."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        settings = {"setEmulatedMedia": {"features": [scheme]}, "setDeviceMetricsOverride": screen}
        for name, value in settings.items():
            self._call("POST", "/goog/cdp/execute", {"cmd": f"Emulation.{name}", "params": value})
        self._call("POST", "/url", {"url": url})

    def run(self, script: str, *arguments: object) -> Any:
        """Return the value of a script."""
        return self._call("POST", "/execute/sync", {"script": script, "args": arguments})

    def click(self, selector: str) -> None:
        """Click an element as soon as it can be clicked."""
        self.until(lambda: self._element(selector, "click") is None)

    def type(self, selector: str, text: str) -> None:
        """Type into a field, or select an option by its text."""
        self._element(selector, "value", {"text": text})

    def _element(self, selector: str, action: str, body: object = None) -> Any:
        query = {"using": "css selector", "value": selector}
        (element,) = self._call("POST", "/element", query).values()
        return self._call("POST", f"/element/{element}/{action}", body)

    def all(self, selector: str, value: str = "textContent") -> list[Any]:
        """Return a property, by default the text, of all elements that a selector finds."""
        script = f"return [...document.querySelectorAll(arguments[0])].map((e) => e.{value})"
        found: list[Any] = self.run(script, selector)
        return found

    def shows(self, selector: str, text: str) -> None:
        """Wait until the first element contains a text."""
        self.until(lambda: text in self.all(selector)[0])

    def errors(self) -> list[str]:
        """Return the errors that the browser reported since the last call."""
        return [entry["message"] for entry in self._call("POST", "/se/log", {"type": "browser"})]
