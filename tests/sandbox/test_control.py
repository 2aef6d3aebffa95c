"""The control API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests
from connector_sandbox import Sandbox

from tests.conftest import SignedIn

from .helpers import Json, Put

STREAMS = ("responses", "declines", "end_users", "segments")
OWN = "127.0.0.1:{port}"
Control = Callable[..., requests.Response]
CHANGES: list[tuple[str, Json]] = [
    ("responses", {"n": 3}),
    ("store/add_response", {"created_at": "2031-05-01T12:00:00Z", "score": 3}),
    ("store/comment", {"response_id": 1001, "text": "late"}),
    ("store/delete", {"stream": "responses", "record_id": 1001}),
    ("options", {"latency": 0.01}),
    ("faults", {"name": "500"}),
]
INVALID: list[tuple[str, Any, int, str]] = [
    ("nothing", None, 404, "nothing at this path"),
    ("wootric/surveys", None, 404, "'surveys'"),
    ("store/drop", {}, 400, "no method 'drop'"),
    ("store/comment", {"frob": 1}, 400, "frob"),
    ("store/comment", {"response_id": 5, "text": "x"}, 404, "5"),
    ("store/add_response", {"created_at": "soon"}, 400, "soon"),
    ("options", {"ties": "loose"}, 400, "ties is one of"),
    ("faults", {"name": "rest"}, 400, "There is no fault 'rest'"),
]


@pytest.fixture
def control(sandbox: Sandbox) -> Control:
    """Send a request below `/_control`."""

    def send(method: str, path: str, body: object = None, **headers: str) -> requests.Response:
        url = f"{sandbox.url}/_control/{path}"
        return requests.request(method, url, json=body, headers=headers, timeout=10)

    return send


def held(sandbox: Sandbox) -> list[Any]:
    """Return all data and settings of the sandbox."""
    records = [*map(sandbox.store.records, STREAMS[:3]), sandbox.store.segments()]
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
    (newest,) = control("GET", "wootric/responses?newest=1").json()
    (second,) = control("GET", "birdie/history?since=1").json()
    state = control("GET", "state").json()
    stored = wootric.sandbox.store.get(newest["id"])

    assert control("GET", f"wootric/responses/{shown['id']}").json() == shown
    assert newest["updated_at"] == stored["updated_at"].isoformat()
    assert [len(control("GET", f"wootric/{s}").json()) for s in STREAMS] == [300, 100, 150, 7]
    assert (second["path"], second["outcome"]) == ("/feedbacks/7", "updated")
    assert control("GET", "birdie/feedbacks").json() == {"7": {"n": 2}}
    assert control("GET", "birdie/feedbacks/7").json() == {"n": 2}
    assert state["wootric"] == {"responses": 300, "declines": 100, "end_users": 150}
    assert (state["birdie"], state["puts"]) == ({"feedbacks": 1, "users": 0}, 2)


def test_requests_options_faults_and_tokens_can_be_controlled(wootric: SignedIn, control: Control):
    """With the same names as in Python; requests without credentials."""
    control("POST", "options", {"latency": 0.01, "rate_limit": [20, 36_000]})
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


@pytest.mark.parametrize(("path", "body", "status", "message"), INVALID)
def test_an_invalid_request_has_a_message(
    control: Control, path: str, body: Any, status: int, message: str
):
    """One message with the cause."""
    reply = control("GET" if body is None else "POST", path, body)

    assert (reply.status_code, message in reply.json()["message"]) == (status, True)


@pytest.mark.parametrize(
    ("origin", "host", "status"),
    [
        (f"http://{OWN}", OWN, 200),
        ("http://localhost:9000", "localhost:9000", 200),
        *[(f"http://{name}:{{port}}", OWN, 403) for name in ("localhost", "127.0.0.1.example.com")],
        *[(origin, OWN, 403) for origin in ("http://127.0.0.1:1", f"https://{OWN}", "null")],
        ("http://renamed.example.com:{port}", "renamed.example.com:{port}", 403),
    ],
)
def test_only_the_own_page_may_change_something(
    sandbox: Sandbox, control: Control, origin: str, host: str, status: int
):
    """Also through a forwarded port, but not through a foreign name of this machine.

    Otherwise any page in the same browser could send requests to this machine.
    """
    port, before = sandbox.url.rpartition(":")[2], held(sandbox)
    headers = {"Origin": origin.format(port=port), "Host": host.format(port=port)}
    replies = [control("POST", path, arguments, **headers) for path, arguments in CHANGES]
    replies.append(control("POST", "tokens/revoke", **headers))
    allowed = held(sandbox) != before
    replies.append(control("DELETE", "faults", **headers))

    assert {reply.status_code for reply in replies} == {status}
    assert allowed == (status == 200)
