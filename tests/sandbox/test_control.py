"""The control API."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from typing import Any

import pytest
import requests
from connector_sandbox import Sandbox

from tests.conftest import SignedIn

from .helpers import FOLDER, Json, Put

STREAMS = ("responses", "declines", "end_users", "segments")
Control = Callable[..., requests.Response]
CASES = tomllib.loads((FOLDER / "control.toml").read_text())
CHANGES = [*CASES["changes"].items()]


@pytest.fixture
def control(sandbox: Sandbox) -> Control:
    """Send a request below `/_control`."""

    def send(method: str, path: str, body: object = None, **headers: str) -> requests.Response:
        url = f"{sandbox.url}/_control/{path}"
        return requests.request(method, url, json=body, headers=headers, timeout=10)

    return send


def held(sandbox: Sandbox) -> list[Any]:
    """Return all data and settings of the sandbox."""
    records = map(sandbox.store.records, STREAMS[:3])
    return [*records, str(sandbox.options), sandbox.faults.describe()]


@pytest.mark.parametrize(("path", "arguments"), CHANGES)
def test_the_data_can_be_changed(sandbox: Sandbox, control: Control, path: str, arguments: Json):
    """The body contains the arguments; the reply contains the records."""
    before = held(sandbox)
    reply = control("POST", path, arguments)

    assert (reply.ok, bool(reply.json())) == (True, True)
    assert held(sandbox) != before


def test_records_and_counts_can_be_read(wootric: SignedIn, control: Control, put: Put):
    """As stored, as the API sends them, and as Birdie stored them."""
    wootric.sandbox.options.birdie_strict = False
    for n in (1, 2):
        put("/feedbacks/7", {"n": n})
    (shown,) = wootric.rows("responses", {"per_page": 1})
    read = lambda path: control("GET", path).json()  # noqa: E731
    (newest,), (second,) = read("wootric/responses?newest=1"), read("birdie/history?since=1")
    stored = wootric.sandbox.store.get(newest["id"])

    assert read(f"wootric/responses/{shown['id']}") == shown
    assert newest["updated_at"] == stored["updated_at"].isoformat()
    assert [len(read(f"wootric/{stream}")) for stream in STREAMS] == [300, 100, 150, 7]
    assert (second["path"], second["outcome"]) == ("/feedbacks/7", "updated")
    assert (read("birdie/feedbacks"), read("birdie/feedbacks/7")) == ({"7": {"n": 2}}, {"n": 2})
    state = read("state")
    assert state["wootric"] == {"responses": 300, "declines": 100, "end_users": 150}
    assert (state["birdie"], state["puts"]) == ({"feedbacks": 1, "users": 0}, 2)


def test_requests_options_faults_and_tokens_can_be_controlled(wootric: SignedIn, control: Control):
    """With the same names as in Python; requests without credentials."""
    control("POST", "options", {"rate_limit": [20, 36_000]})
    control("POST", "faults", {"name": "500", "share": 1.0})
    statuses = [wootric.get("responses").status_code]
    (rule,) = control("GET", "faults").json()["on"]
    for method, path in (("DELETE", "faults/500"), ("POST", "tokens/revoke")):
        control(method, path)
        statuses.append(wootric.get("responses").status_code)
    recorded = control("GET", "requests?since=1")

    assert wootric.sandbox.options.rate_limit == (20, 36_000)
    assert control("GET", "options").json()["rate_limit"] == [20, 36_000]
    assert (rule["name"], rule["hits"], statuses) == ("500", 1, [500, 200, 401])
    assert "/wootric/v1/responses" in [row["path"] for row in recorded.json()]
    assert "Bearer" not in recorded.text


@pytest.mark.parametrize("case", CASES["invalid"], ids=lambda case: case["message"])
def test_an_invalid_request_has_a_message(control: Control, case: Json):
    """One message with the cause."""
    reply = control("POST" if "body" in case else "GET", case["path"], case.get("body"))

    assert reply.status_code == case.get("status", 400)
    assert case["message"] in reply.json()["message"]


@pytest.mark.parametrize("case", CASES["origins"], ids=lambda case: case["origin"])
def test_only_the_own_page_may_change_something(sandbox: Sandbox, control: Control, case: Json):
    """Also through a forwarded port, but not through a foreign name of this machine.

    Otherwise any page in the same browser could send requests to this machine.
    """
    port, before = sandbox.url.rpartition(":")[2], held(sandbox)
    headers = {name.title(): case[name].format(port=port) for name in ("origin", "host")}
    calls = [("POST", *change) for change in (*CHANGES, ("tokens/revoke", {}))]
    replies = [control(*call, **headers) for call in calls]
    allowed = held(sandbox) != before
    replies.append(control("DELETE", "faults", **headers))

    assert {reply.status_code for reply in replies} == {200 if case["allowed"] else 403}
    assert allowed == case["allowed"]
