"""Fixtures for tests of the sandbox."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from connector_sandbox import Sandbox

from .helpers import Put, feedback
from .webdriver import CHROMIUM, DRIVER, MISSING, Browser


@pytest.fixture
def put(sandbox: Sandbox) -> Put:
    """Send a JSON body to a path below the mount of Birdie."""

    def send(path: str, body: object = None, key: str = sandbox.api_key) -> requests.Response:
        headers = {"Authorization": f"ApiKey {key}"}
        body = feedback(path.rpartition("/")[2]) if body is None else body
        return requests.put(f"{sandbox.birdie_url}{path}", json=body, headers=headers, timeout=10)

    return send


@pytest.fixture(scope="session")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all tests."""
    if not (CHROMIUM and DRIVER):
        pytest.skip(MISSING)
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture
def browser(window: Browser, sandbox: Sandbox) -> Iterator[Browser]:
    """The page of the small account; the browser must report no errors during the test."""
    window.open(sandbox.url)
    window.until(lambda: window.all("#responses li"))
    yield window
    errors = window.errors()
    window.open("about:blank")  # otherwise the page keeps polling and reports errors
    window.errors()
    assert errors == []
