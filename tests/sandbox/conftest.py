"""Fixtures for tests of the sandbox's page in a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests
from webdriver import CHROMIUM, DRIVER, MISSING, Browser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from connector_sandbox import Sandbox


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
    """The page of the small account; at the end the browser must have found no fault with it."""
    window.open(sandbox.url)
    window.until(lambda: window.texts("#responses li"))
    yield window
    complaints = window.complaints()
    window.open("about:blank")  # the page would ask on, and complain that the sandbox is gone
    window.complaints()
    assert complaints == []


@pytest.fixture
def deliver(sandbox: Sandbox) -> Callable[[dict[str, Any]], None]:
    """Send a response to Birdie as a target would."""

    def send(row: dict[str, Any]) -> None:
        body = {
            "feedback_id": str(row["id"]),
            "posted_at": row["created_at"].isoformat(),
            "kind": {"name": "nps", "fields": {"rating": row["score"]}},
            "additional_fields": row["end_user"]["properties"],
        }
        url, key = f"{sandbox.birdie_url}/feedbacks/{row['id']}", f"ApiKey {sandbox.api_key}"
        reply = requests.put(url, json=body, headers={"Authorization": key}, timeout=5)
        assert reply.status_code == 201, reply.text

    return send
