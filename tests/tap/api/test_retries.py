"""Retries: how long a failing request is sent again, and what the user reads meanwhile."""

import logging
import socket
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
import requests
from connector_sandbox import Sandbox

from tap_wootric.api import retries
from tap_wootric.api.retries import Retries, cause
from tap_wootric.errors import ConnectionFailedError, RetriesExhaustedError

from .conftest import URL, Server, connect, requests_to

SANDBOX_HINT = "Is the sandbox running? Start it with: make sandbox."
SAVED = "Progress is saved; the next sync resumes from there."

STATUSES = ("408", "500", "502", "503", "504", "retry_after")
FAULTS = (*STATUSES, "reset", "lost_reply", "cut", "html", "object")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Time that passes while a request is tried again, with the waits of the product."""
    clock = SimpleNamespace(now=0.0, monotonic=lambda: clock.now)
    monkeypatch.setattr(retries, "time", clock)
    monkeypatch.setattr(retries, "FIRST_WAIT", 0.5)
    monkeypatch.setattr(retries, "LONGEST_WAIT", 30.0)
    return clock


def policy(budget: int, *, has_replied: bool = True) -> Any:
    limiter = SimpleNamespace(waited=0.0)
    transport: Any = SimpleNamespace(has_replied=has_replied, rate_limiter=limiter)
    return Retries(transport, budget)


def waits(
    policy: Any, clock: Any, error: Exception, *, limited: float = 0, takes: float = 0
) -> Iterator[float]:
    """The waits of a request that never succeeds; each try takes so long, and waits so long."""
    generator = policy.backoff_wait_generator()
    next(generator)
    while True:
        clock.now += limited + takes
        policy._transport.rate_limiter.waited += limited
        try:
            wait = generator.send(error)
        except StopIteration:
            return
        clock.now += wait
        yield wait


def test_waits_grow_to_half_a_minute(clock: Any) -> None:
    found = list(waits(policy(900), clock, requests.Timeout()))[:-1]

    limits = [min(0.5 * 2**number, 30) for number in range(len(found))]
    assert all(limit / 2 <= wait <= limit for wait, limit in zip(found, limits, strict=True))
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("budget", [0, 1, 60, 300])
@pytest.mark.parametrize("limited", [0, 60])
def test_the_budget_is_spent_to_the_second_and_waits_for_the_limit_do_not_count(
    clock: Any, budget: int, limited: float
) -> None:
    found = waits(policy(budget), clock, requests.Timeout(), limited=limited)

    assert sum(found) == pytest.approx(budget)


@pytest.mark.parametrize(("budget", "seconds"), [(300, 60), (10, 10)])
def test_a_host_that_never_replied_is_given_up_after_a_minute(
    clock: Any, budget: int, seconds: int
) -> None:
    """Tries that time out count: with a request timeout of a minute, there would be several."""
    error = requests.exceptions.ConnectTimeout()
    list(waits(policy(budget, has_replied=False), clock, error, takes=5))

    assert seconds <= clock.now <= seconds + 5


@pytest.mark.parametrize(
    "kind", [requests.ConnectionError, requests.Timeout, requests.exceptions.SSLError, OSError]
)
def test_a_cause_contains_no_url(kind: type[Exception]) -> None:
    text = cause(kind("https://api.wootric.com/v1/end_users?email=ada@example.com"))

    assert text
    assert not any(part in text for part in ("wootric", "end_users", "ada"))


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("path", ["/v1/responses", "/oauth/token"])
def test_a_transient_fault_is_retried(sandbox: Sandbox, fault: str, path: str) -> None:
    rule = sandbox.faults.on(fault, times=2, path=path)
    client = connect(sandbox)

    assert len(client.get("/v1/responses", expected=list)) == 25
    assert (rule.hits, client.retries.count) == (2, 2)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("503", "HTTP 503"),
        ("reset", "connection lost"),
        ("cut", "connection lost"),
        ("html", "HTTP 200 with a body that is not JSON"),
        ("object", "HTTP 200 with JSON of an unexpected type"),
    ],
)
def test_a_lasting_fault_ends_in_an_error_with_its_cause(
    sandbox: Sandbox, fault: str, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.faults.on(fault, share=1, path="/v1/responses")

    with pytest.raises(RetriesExhaustedError) as caught:
        connect(sandbox, retry_budget_seconds=1).get("/v1/responses", expected=list)

    text = f"Request for 'responses' failed for 1 s (last error: {reason}). {SAVED}"
    assert str(caught.value) == text
    lines = [record for record in caplog.records if "Retrying in" in record.message]
    assert len(lines) == len(requests_to(sandbox, "/v1/responses")) - 1
    assert {record.levelno for record in lines} == {logging.INFO}
    assert f"Request for 'responses' failed ({reason}). Retrying in" in lines[0].message


@pytest.mark.parametrize(
    ("url", "proxy", "text"),
    [
        (URL, "", f"127.0.0.1:9 (connection refused). {SANDBOX_HINT}"),
        ("http://unknown.example", "", "unknown.example (host name not found). Check 'region'"),
        ("http://api.example", URL, "api.example (proxy; check HTTPS_PROXY and HTTP_PROXY). Check"),
    ],
)
def test_an_unreachable_host_is_a_warning_with_host_and_cause_and_then_an_error(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    url: str,
    proxy: str,
    text: str,
) -> None:
    monkeypatch.setattr(retries, "CONNECTION_BUDGET", 1)
    monkeypatch.setenv("http_proxy", proxy)
    if "unknown" in url:
        unknown = Mock(side_effect=socket.gaierror(-2, "Name or service not known"))
        monkeypatch.setattr(socket, "getaddrinfo", unknown)

    with pytest.raises(ConnectionFailedError) as caught:
        connect(url, retry_budget_seconds=300).get("/v1/responses")

    [warning] = [r.message for r in caplog.records if r.levelno == logging.WARNING]
    assert str(caught.value).startswith(f"Cannot connect to {text}")
    assert warning == f"{caught.value} Retrying for up to 1 s."


def test_after_the_first_reply_a_refused_connection_has_the_whole_budget(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retries, "CONNECTION_BUDGET", 0)
    server = serve()
    server.headers = {"Connection": "close"}
    client = connect(server.url, retry_budget_seconds=1)
    client.get("/v1/responses")
    server.shutdown()
    server.server_close()

    with pytest.raises(RetriesExhaustedError, match=r"for 1 s \(last error: connection refused\)"):
        client.get("/v1/responses")
