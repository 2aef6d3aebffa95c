"""Faults that are switched on by name."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests
from connector_sandbox import Sandbox

from tests.conftest import SignedIn

from .helpers import Put

LOST = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)
STATUSES = (201, 400, 401, 403, 404, 405, 408, 413, 422, 429, 500, 502, 503, 504)
HTML = {"502": 502, "503": 503, "504": 504, "html": 200, "firewall": 403}


@pytest.mark.parametrize("status", STATUSES)
def test_a_status_fault_replaces_the_reply(wootric: SignedIn, put: Put, status: int):
    """400, 404, 429, 500 (doc); 502, 503 and 504 of a proxy (infer); nothing is stored."""
    wootric.sandbox.faults.on(str(status), times=2)
    replies = [wootric.get("responses"), put("/feedbacks/7"), wootric.get("responses")]

    assert [reply.status_code for reply in replies] == [status, status, 200]
    assert wootric.sandbox.birdie.records() == {}


@pytest.mark.parametrize(("fault", "status"), (HTML | {"object": 200, "500": 500}).items())
def test_a_fault_may_reply_with_html_or_an_object(wootric: SignedIn, fault: str, status: int):
    """HTML of a proxy or firewall instead of JSON (infer)."""
    wootric.sandbox.faults.on(fault, times=1)
    reply = wootric.get("responses")

    assert reply.status_code == status
    assert reply.text.startswith("<html>" if fault in HTML else "{")
    assert reply.headers["Content-Type"].startswith("text/html") == (fault in HTML)


@pytest.mark.parametrize(
    ("fault", "details", "error", "stored"),
    [
        ("reset", {}, r"(?i)reset by peer", []),
        ("lost_reply", {}, r"(?i)reset by peer", ["7"]),
        ("cut", {}, "IncompleteRead", ["7"]),
        ("hang", {"seconds": 0.2}, "Remote end closed", []),
    ],
)
def test_a_connection_may_fail_before_or_after_the_record_is_stored(
    sandbox: Sandbox, put: Put, fault: str, details: Any, error: str, stored: list[str]
):
    """Resets, cut bodies, lost replies (infer)."""
    sandbox.faults.on(fault, times=1, **details)

    with pytest.raises(LOST, match=error):
        put("/feedbacks/7")
    assert list(sandbox.birdie.records()) == stored
    assert sandbox.requests[0].status == (201 if fault == "cut" else 0)
    sandbox.faults.on("hang", times=1, seconds=600)
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{sandbox.wootric_url}/v1/responses", timeout=0.1)
    sandbox.stop()  # does not wait for the fault


@pytest.mark.parametrize(("fault", "seconds"), [("slow", 0.3), ("trickle", 0.001)])
def test_a_reply_may_arrive_slowly(wootric: SignedIn, fault: str, seconds: float):
    """In parts over a time, or byte by byte."""
    right = wootric.rows("segments")
    wootric.sandbox.faults.on(fault, times=1, seconds=seconds)
    started = time.monotonic()

    assert wootric.rows("segments") == right
    assert time.monotonic() - started >= 0.2


def test_a_429_may_announce_its_reset(wootric: SignedIn):
    """With `X-Rate-Limit-Reset` (doc), or without headers (infer)."""
    wootric.sandbox.faults.on("429", times=1, reset_in=100)
    reset = wootric.get("responses").headers["X-Rate-Limit-Reset"]
    wootric.sandbox.faults.on("429", times=1)

    assert 0 < int(reset) - time.time() <= 100
    assert "X-Rate-Limit-Reset" not in wootric.get("responses").headers


def test_some_faults_have_statuses_of_their_own(wootric: SignedIn):
    """All tokens are revoked (infer), page 31 is an error (field), a 503 has Retry-After (hint)."""
    faults = wootric.sandbox.faults
    replies = []
    for name, details in {"page_limit": {}, "retry_after": {"seconds": 3}, "revoke": {}}.items():
        faults.on(name, times=1, after=0, **details)
        replies.append(wootric.get("responses", {"page": 31}))

    assert [reply.status_code for reply in replies] == [400, 503, 401]
    assert replies[1].headers["Retry-After"] == "3"


@pytest.mark.parametrize(
    ("limits", "failed"),
    [
        ({}, "1111"),
        ({"api": "birdie"}, "0011"),
        ({"path": "/v1/"}, "1100"),
        ({"record_id": "a/1"}, "0010"),
        ({"times": 2, "after": 1}, "0110"),
    ],
)
def test_a_fault_can_be_limited(wootric: SignedIn, put: Put, limits: Any, failed: str):
    """To an API, a path, one record, a number of requests."""
    wootric.sandbox.options.birdie_strict = False
    wootric.sandbox.faults.on("500", **{"share": 1.0} | limits)
    replies = [wootric.get("responses"), wootric.get("segments")]
    replies += [put("/feedbacks/a%2F1", {}), put("/feedbacks/1", {})]

    assert "".join(str(int(reply.status_code == 500)) for reply in replies) == failed


def test_the_choice_of_requests_depends_on_the_seed(wootric: SignedIn):
    """Random, but repeatable."""
    runs = []
    for seed in (1, 1, 2):
        wootric.sandbox.faults.on("500", share=0.3, seed=seed)
        runs.append([wootric.get("segments").status_code for _ in range(40)])
        wootric.sandbox.faults.off()

    assert runs[0] == runs[1] != runs[2]
    assert 4 <= runs[0].count(500) <= 20
