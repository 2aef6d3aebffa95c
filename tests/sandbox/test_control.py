"""The control API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests
from connector_sandbox import Sandbox

from tests.conftest import SignedIn

from .helpers import Put

STREAMS = ("responses", "declines", "end_users", "segments")
Control = Callable[..., requests.Response]


@pytest.fixture
def control(sandbox: Sandbox) -> Control:
    """Send a request below `/_control`."""

    def send(method: str, path: str, body: object = None, **headers: str) -> requests.Response:
        url = f"{sandbox.url}/_control/{path}"
        return requests.request(method, url, json=body, headers=headers, timeout=10)

    return send


def held(sandbox: Sandbox) -> list[Any]:
    """Return all data of the account."""
    return [*map(sandbox.store.records, STREAMS[:3]), sandbox.store.segments()]


@pytest.mark.parametrize(
    ("path", "arguments"),
    [
        ("responses", {"n": 3}),
        ("store/add", {"stream": "responses"}),
        ("store/add_response", {"created_at": "2031-05-01T12:00:00Z", "score": 3}),
        ("store/add_decline", {}),
        ("store/add_end_user", {"email": "new@example.com"}),
        ("store/add_segment", {"name": "shoe size", "data_type": "integer"}),
        ("store/change", {"record_id": 501, "stream": "declines"}),
        ("store/comment", {"response_id": 1001, "text": "late"}),
        ("store/tag", {"response_id": 1001, "tag": "late"}),
        ("store/note", {"response_id": 1001, "note": "late"}),
        ("store/score", {"response_id": 1001, "score": 1}),
        ("store/update_end_user", {"end_user_id": 201, "phone_number": None}),
        ("store/delete", {"stream": "responses", "record_id": 1001}),
        ("store/import_past", {"n": 2, "created_at": "2016-01-01"}),
        ("store/burst", {"n": 2, "second": 1900000000}),
    ],
)
def test_the_data_can_be_changed(
    sandbox: Sandbox, control: Control, path: str, arguments: dict[str, Any]
) -> None:
    """The body contains the arguments; the reply contains the records."""
    before = held(sandbox)
    reply = control("POST", path, arguments)

    assert reply.ok, reply.text
    assert reply.json()
    assert held(sandbox) != before


def test_records_and_counts_can_be_read(wootric: SignedIn, control: Control, put: Put) -> None:
    """As stored, as the API sends them, and as Birdie stored them."""
    wootric.sandbox.options.birdie_strict = False
    for n in (1, 2):
        put("/feedbacks/7", {"n": n})
    (shown,) = wootric.rows("responses", {"per_page": 1})
    (newest,) = control("GET", "wootric/responses?newest=1").json()
    (second,) = control("GET", "birdie/history?since=1").json()
    (state, feedbacks) = (control("GET", path).json() for path in ("state", "birdie/feedbacks"))

    assert control("GET", f"wootric/responses/{shown['id']}").json() == shown
    stored = wootric.sandbox.store.get(newest["id"])
    assert newest["updated_at"] == stored["updated_at"].isoformat()
    assert [len(control("GET", f"wootric/{s}").json()) for s in STREAMS] == [300, 100, 150, 7]
    assert (second["path"], second["outcome"]) == ("/feedbacks/7", "updated")
    assert (feedbacks, control("GET", "birdie/feedbacks/7").json()) == ({"7": {"n": 2}}, {"n": 2})
    assert state["wootric"] == {"responses": 300, "declines": 100, "end_users": 150}
    assert (state["birdie"], state["puts"]) == ({"feedbacks": 1, "users": 0}, 2)


def test_requests_can_be_read_without_headers(wootric: SignedIn, control: Control) -> None:
    """No credentials are shown."""
    wootric.get("responses")
    reply = control("GET", "requests?since=1")

    assert [row["path"] for row in reply.json()] == ["/wootric/v1/responses"]
    assert "Bearer" not in reply.text


def test_options_faults_and_tokens_can_be_controlled(wootric: SignedIn, control: Control) -> None:
    """With the same names as in Python."""
    control("POST", "options", {"latency": 0.01, "rate_limit": [20, 36_000]})
    control("POST", "faults", {"name": "500", "share": 1.0})
    failed = wootric.get("responses").status_code
    (rule,) = control("GET", "faults").json()["on"]
    control("DELETE", "faults/500")
    passed = wootric.get("responses").status_code
    control("POST", "tokens/revoke")

    assert wootric.sandbox.options.rate_limit == (20, 36_000)
    assert control("GET", "options").json()["rate_limit"] == [20, 36_000]
    assert (failed, passed, wootric.get("responses").status_code) == (500, 200, 401)
    assert (rule["name"], rule["hits"]) == ("500", 1)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("GET", "nothing", None, 404, "nothing at this path"),
        ("GET", "wootric/surveys", None, 404, "'surveys'"),
        ("GET", "birdie/feedbacks/7", None, 404, "'7'"),
        ("POST", "store/drop", {}, 400, "no method 'drop'"),
        ("POST", "store/comment", {"frob": 1}, 400, "frob"),
        ("POST", "store/comment", {"response_id": 5, "text": "x"}, 404, "5"),
        ("POST", "store/burst", [], 400, "mapping"),
        ("POST", "store/add_response", {"created_at": "soon"}, 400, "soon"),
        ("POST", "options", {"latencyy": 1}, 400, "latencyy"),
        ("POST", "options", {"ties": "loose"}, 400, "ties is one of"),
        ("POST", "faults", {"name": "rest"}, 400, "There is no fault 'rest'"),
    ],
)
def test_an_invalid_request_has_a_message(
    control: Control, method: str, path: str, body: object, status: int, message: str
) -> None:
    """One message with the cause."""
    reply = control(method, path, body)

    assert reply.status_code == status
    assert message in reply.json()["message"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "responses", {"n": 1}),
        ("POST", "store/comment", {"response_id": 1001, "text": "foreign"}),
        ("POST", "faults", {"name": "500"}),
        ("DELETE", "faults", None),
        ("POST", "options", {"latency": 9}),
        ("POST", "tokens/revoke", None),
    ],
)
def test_pages_of_other_sites_cannot_change_anything(
    wootric: SignedIn, control: Control, method: str, path: str, body: object
) -> None:
    """Any page in the same browser can send a POST to this machine."""
    sandbox = wootric.sandbox
    sandbox.faults.on("hang", path="/nowhere")
    before = [held(sandbox), str(sandbox.options), sandbox.faults.describe()]
    reply = control(method, path, body, Origin="https://site.example.com")

    assert reply.status_code == 403
    assert before == [held(sandbox), str(sandbox.options), sandbox.faults.describe()]
    assert wootric.get("segments").status_code == 200


@pytest.mark.parametrize(
    ("origin", "host", "status"),
    [
        ("http://127.0.0.1:{port}", "127.0.0.1:{port}", 200),
        ("http://localhost:9000", "localhost:9000", 200),
        ("http://localhost:{port}", "127.0.0.1:{port}", 403),
        ("http://127.0.0.1:1", "127.0.0.1:{port}", 403),
        ("https://127.0.0.1:{port}", "127.0.0.1:{port}", 403),
        ("http://127.0.0.1.example.com:{port}", "127.0.0.1:{port}", 403),
        ("http://renamed.example.com:{port}", "renamed.example.com:{port}", 403),
        ("null", "127.0.0.1:{port}", 403),
    ],
)
def test_only_the_own_page_may_change_something(
    sandbox: Sandbox, control: Control, origin: str, host: str, status: int
) -> None:
    """Also through a forwarded port, but not through a foreign name of this machine."""
    port = sandbox.url.rpartition(":")[2]
    headers = {"Origin": origin.format(port=port), "Host": host.format(port=port)}

    assert control("POST", "responses", {}, **headers).status_code == status
    assert sandbox.store.count() == (301 if status == 200 else 300)
