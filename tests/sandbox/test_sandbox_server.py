"""The server itself, its record of requests and its options."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

import pytest
import requests

if TYPE_CHECKING:
    from connector_sandbox import Sandbox

    from tests.conftest import SignedIn


def test_the_server_listens_on_loopback_only(sandbox: Sandbox) -> None:
    """Nobody else on the network reaches it."""
    assert sandbox.url.startswith("http://127.0.0.1:")


def test_connections_are_kept_alive(wootric: SignedIn) -> None:
    """Many requests go over one connection, as with the real API (infer)."""
    for _ in range(5):
        wootric.get("segments")
    pools = wootric.session.get_adapter("http://").poolmanager.pools  # type: ignore[attr-defined]

    assert [pools[key].num_connections for key in pools.keys()] == [1]  # noqa: SIM118


def test_a_stopped_sandbox_closes_what_clients_keep_open(wootric: SignedIn) -> None:
    """Nothing is answered after the end, not even on an old connection."""
    wootric.sandbox.stop()

    with pytest.raises(requests.ConnectionError):
        wootric.get("segments")


def test_a_sandbox_can_be_started_again_with_its_data(wootric: SignedIn) -> None:
    """A server that was down comes back at the same address."""
    before, url = wootric.ids("responses"), wootric.sandbox.url
    wootric.sandbox.stop()
    wootric.sandbox.start()

    assert (wootric.ids("responses"), wootric.sandbox.url) == (before, url)


def test_requests_are_remembered(wootric: SignedIn) -> None:
    """Method, path, query, status, times and api; tests count them."""
    started = time.time()
    wootric.get("responses", {"created[gte]": 5, "page": 31})
    token, listed = wootric.sandbox.requests

    assert (token.method, token.path, token.status) == ("POST", "/wootric/oauth/token", 200)
    assert (listed.method, listed.path, listed.status, listed.api) == (
        "GET",
        "/wootric/v1/responses",
        200,
        "wootric",
    )
    assert listed.query == {"created[gte]": "5", "page": "31"}
    assert started <= listed.started <= listed.finished <= time.time()
    assert listed.headers["user-agent"].startswith("python-requests")


def test_a_request_without_answer_has_status_0(wootric: SignedIn) -> None:
    """A reset is remembered too."""
    wootric.sandbox.faults.on("reset", times=1)
    with pytest.raises(requests.ConnectionError):
        wootric.get("responses")

    assert wootric.sandbox.requests[-1].status == 0


def test_latency_delays_every_wootric_reply(wootric: SignedIn) -> None:
    """The latency is the least time that a request takes."""
    wootric.sandbox.options.latency = 0.2
    started = time.monotonic()
    wootric.get("segments")

    assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("time_format", "sundial"),
        ("filter_reading", "loose"),
        ("ties", ""),
        ("time_zone", "Moon"),
        ("latencyy", 1),
    ],
)
def test_an_option_that_is_none_is_refused(sandbox: Sandbox, name: str, value: object) -> None:
    """A misspelt name or value would test nothing."""
    with pytest.raises((AttributeError, ValueError)):
        setattr(sandbox.options, name, value)


def test_a_body_may_wait_for_100_continue(sandbox: Sandbox) -> None:
    """As curl does, which asks before it sends a large body."""
    port = int(sandbox.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        client.sendall(
            b"PUT /birdie/ingestion/feedbacks/1 HTTP/1.1\r\n"
            b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        )
        first = client.recv(100)
        client.sendall(b"{}")

        assert first.startswith(b"HTTP/1.1 100 ")
        assert client.recv(100).startswith(b"HTTP/1.1 401 ")


def test_the_address_itself_tells_where_everything_is(sandbox: Sandbox) -> None:
    """A person opens it first."""
    reply = requests.get(sandbox.url, timeout=5)

    assert reply.status_code == 200
    assert sandbox.wootric_url in reply.text
    assert requests.get(f"{sandbox.url}/elsewhere", timeout=5).status_code == 404
