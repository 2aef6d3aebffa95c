"""Only the sandbox's own page changes something from a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

if TYPE_CHECKING:
    from connector_sandbox import Sandbox

    from tests.conftest import SignedIn

CHANGES = [
    ("POST", "receive", {"n": 1}),
    ("POST", "store/comment", {"response_id": 1001, "text": "foreign"}),
    ("POST", "faults", {"name": "500"}),
    ("DELETE", "faults", None),
    ("POST", "options", {"latency": 9}),
    ("POST", "tokens/revoke", None),
]


@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
def test_a_page_of_another_site_changes_nothing(
    wootric: SignedIn, method: str, path: str, body: object
) -> None:
    """Any page that is open in the same browser could send a POST to this machine."""
    sandbox = wootric.sandbox
    sandbox.faults.on("hang", path="/nowhere")
    before = (sandbox.store.responses(), str(sandbox.options), sandbox.faults.describe())
    url, origin = f"{sandbox.url}/_control/{path}", {"Origin": "https://site.example.com"}
    reply = requests.request(method, url, json=body, headers=origin, timeout=5)

    assert reply.status_code == 403
    assert "Another site" in reply.json()["message"]
    assert before == (sandbox.store.responses(), str(sandbox.options), sandbox.faults.describe())
    assert wootric.get("segments").status_code == 200


@pytest.mark.parametrize(
    ("origin", "host", "status"),
    [
        (None, None, 200),
        ("http://127.0.0.1:{port}", None, 200),
        ("http://localhost:{port}", "localhost:{port}", 200),
        ("http://localhost:9000", "localhost:9000", 200),
        ("http://localhost:{port}", None, 403),
        ("http://127.0.0.1:1", None, 403),
        ("https://127.0.0.1:{port}", None, 403),
        ("http://127.0.0.1.example.com:{port}", None, 403),
        ("http://renamed.example.com:{port}", "renamed.example.com:{port}", 403),
        ("null", None, 403),
    ],
)
def test_only_the_sandboxs_own_page_is_not_foreign(
    sandbox: Sandbox, origin: str | None, host: str | None, status: int
) -> None:
    """curl names no origin; a forwarded port is its own; a name that resolves to here is not."""
    port = sandbox.url.rpartition(":")[2]
    given = {"Origin": origin, "Host": host}
    headers = {name: value.format(port=port) for name, value in given.items() if value}
    reply = requests.post(
        f"{sandbox.url}/_control/receive", json={"n": 1}, headers=headers, timeout=5
    )

    assert reply.status_code == status
    assert sandbox.store.count() == (301 if status == 200 else 300)
