"""The control address: everything that Python can do, by HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

if TYPE_CHECKING:
    from collections.abc import Callable

    from connector_sandbox import Sandbox

    from tests.conftest import SignedIn

    Control = Callable[..., requests.Response]


@pytest.fixture
def control(sandbox: Sandbox) -> Control:
    """Send a request below `/_control`."""

    def send(method: str, path: str, body: object = None) -> requests.Response:
        return requests.request(method, f"{sandbox.url}/_control{path}", json=body, timeout=10)

    return send


def test_the_address_lists_what_can_be_done(control: Control) -> None:
    """A person finds the way."""
    assert "GET /_control/state" in control("GET", "/").json()


def test_state_counts_what_is_held(sandbox: Sandbox, control: Control) -> None:
    """What Wootric holds, what Birdie got."""
    state = control("GET", "/state").json()

    assert state["wootric"] == {"responses": 300, "declines": 100, "end_users": 150}
    assert state["birdie"] == {"feedbacks": 0, "users": 0}
    assert state["requests"] == len(sandbox.requests) - 1


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("add", {"stream": "responses"}),
        ("add_response", {"created_at": "2031-05-01T12:00:00Z", "score": 3}),
        ("add_decline", {}),
        ("add_end_user", {"email": "new@example.com"}),
        ("add_segment", {"name": "shoe size", "data_type": "integer"}),
        ("change", {"record_id": 501, "stream": "declines"}),
        ("comment", {"response_id": 1001, "text": "late"}),
        ("tag", {"response_id": 1001, "tag": "late"}),
        ("note", {"response_id": 1001, "note": "late"}),
        ("score", {"response_id": 1001, "score": 1}),
        ("update_end_user", {"end_user_id": 201, "phone_number": None}),
        ("delete", {"stream": "responses", "record_id": 1001}),
        ("import_past", {"n": 2, "created_at": "2016-01-01"}),
        ("burst", {"n": 2, "second": 1900000000}),
    ],
)
def test_every_change_of_the_store_can_be_made(
    sandbox: Sandbox, control: Control, method: str, arguments: dict[str, Any]
) -> None:
    """The method's arguments as a JSON object; back comes what is stored."""
    store = sandbox.store
    before = [store.records(stream) for stream in ("responses", "declines", "end_users")]
    segments = store.segments()
    reply = control("POST", f"/store/{method}", arguments)
    after = [store.records(stream) for stream in ("responses", "declines", "end_users")]

    assert reply.status_code == 200, reply.text
    assert reply.json()
    assert (before, segments) != (after, store.segments())


def test_new_responses_can_arrive(sandbox: Sandbox, control: Control) -> None:
    """As many as asked for, of people whom the account knows."""
    arrived = control("POST", "/receive", {"n": 3}).json()
    people = {row["id"] for row in sandbox.store.end_users()}

    assert [row["id"] for row in sandbox.store.responses()[-3:]] == [row["id"] for row in arrived]
    assert {row["end_user_id"] for row in arrived} <= people


def test_records_can_be_read_as_stored_and_as_shown(wootric: SignedIn, control: Control) -> None:
    """As stored with microseconds in UTC, or as the API shows them."""
    (shown,) = wootric.rows("responses", {"per_page": 1})
    (newest,) = control("GET", "/wootric/responses?newest=1").json()
    stored = wootric.sandbox.store.get(newest["id"])

    assert control("GET", f"/wootric/responses/{shown['id']}").json() == shown
    assert newest["updated_at"] == stored["updated_at"].isoformat()
    assert len(control("GET", "/wootric/segments").json()) == 7


def test_what_birdie_stored_can_be_read(sandbox: Sandbox, control: Control) -> None:
    """Stored records by id, and every PUT in order."""
    sandbox.options.birdie_strict = False
    url = f"{sandbox.birdie_url}/feedbacks/7"
    headers = {"Authorization": f"ApiKey {sandbox.api_key}"}
    for n in (1, 2):
        requests.put(url, json={"n": n}, headers=headers, timeout=10)
    (second,) = control("GET", "/birdie/history?since=1").json()

    assert control("GET", "/birdie/feedbacks").json() == {"7": {"n": 2}}
    assert control("GET", "/birdie/feedbacks/7").json() == {"n": 2}
    assert (second["path"], second["body"], second["outcome"]) == (
        "/feedbacks/7",
        {"n": 2},
        "updated",
    )


def test_requests_can_be_read_without_credentials(wootric: SignedIn, control: Control) -> None:
    """Headers and bodies stay inside."""
    wootric.get("responses")
    reply = control("GET", "/requests?since=1")

    assert [row["path"] for row in reply.json()] == ["/wootric/v1/responses"]
    assert "Bearer" not in reply.text


def test_options_can_be_read_and_set(sandbox: Sandbox, control: Control) -> None:
    """Lists become the pairs that Python takes."""
    control("POST", "/options", {"latency": 0.01, "rate_limit": [20, 2]})

    assert (sandbox.options.latency, sandbox.options.rate_limit) == (0.01, (20, 2))
    assert control("GET", "/options").json()["rate_limit"] == [20, 2]


def test_faults_can_be_switched_and_read(wootric: SignedIn, control: Control) -> None:
    """On with the arguments of `faults.on`, off by name or all; never for the control address."""
    control("POST", "/faults", {"name": "500", "share": 1.0})
    struck = wootric.get("responses").status_code
    on = control("GET", "/faults").json()["on"]
    control("DELETE", "/faults/500")

    assert (struck, wootric.get("responses").status_code) == (500, 200)
    assert [(rule["name"], rule["hits"]) for rule in on] == [("500", 1)]


def test_tokens_can_be_revoked(wootric: SignedIn, control: Control) -> None:
    """All of them, at once."""
    control("POST", "/tokens/revoke")

    assert wootric.get("responses").status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("GET", "/nothing", None, 404, "nothing at this path"),
        ("GET", "/wootric/surveys", None, 404, "'surveys'"),
        ("GET", "/birdie/feedbacks/7", None, 404, "'7'"),
        ("POST", "/store/drop", {}, 400, "no method 'drop'"),
        ("POST", "/store/comment", {"frob": 1}, 400, "frob"),
        ("POST", "/store/comment", {"response_id": 5, "text": "x"}, 404, "5"),
        ("POST", "/store/burst", [], 400, "mapping"),
        ("POST", "/options", {"latencyy": 1}, 400, "latencyy"),
        ("POST", "/options", {"ties": "loose"}, 400, "ties is one of"),
        ("POST", "/faults", {"name": "rest"}, 400, "no fault is called"),
        ("POST", "/store/add_response", {"created_at": "soon"}, 400, "soon"),
    ],
)
def test_what_is_wrong_is_said(
    control: Control, method: str, path: str, body: object, status: int, message: str
) -> None:
    """One message, and the sandbox goes on."""
    reply = control(method, path, body)

    assert reply.status_code == status
    assert message in reply.json()["message"]
