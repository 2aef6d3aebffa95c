"""Faults, switched on by name."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
import requests

if TYPE_CHECKING:
    from connector_sandbox import Sandbox

    from tests.conftest import SignedIn


def put(sandbox: Sandbox, record_id: str = "7") -> int:
    """Send one feedback; its status, or 0 when no reply arrived."""
    body = {
        "feedback_id": record_id,
        "posted_at": "2031-05-01T12:00:00Z",
        "kind": {"name": "nps", "fields": {"rating": 9}},
    }
    url = f"{sandbox.birdie_url}/feedbacks/{record_id}"
    headers = {"Authorization": f"ApiKey {sandbox.api_key}"}
    try:
        return requests.put(url, json=body, headers=headers, timeout=10).status_code
    except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
        return 0


@pytest.mark.parametrize(
    "status", [201, 400, 401, 403, 404, 405, 408, 413, 422, 429, 500, 502, 503, 504]
)
def test_an_error_status_strikes_before_the_request_takes_effect(
    wootric: SignedIn, status: int
) -> None:
    """400, 429, 500; behind a proxy 502, 503, 504 (doc, infer)."""
    wootric.sandbox.faults.on(str(status), times=2)

    assert wootric.get("responses").status_code == status
    assert put(wootric.sandbox) == status
    assert wootric.sandbox.birdie.records() == {}
    assert wootric.get("responses").status_code == 200


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_proxy_answers_html(wootric: SignedIn, status: int) -> None:
    """Behind a proxy also 502, 503, 504 and HTML where JSON was due (infer)."""
    wootric.sandbox.faults.on(str(status), times=1)

    assert wootric.get("responses").headers["Content-Type"].startswith("text/html")


def test_a_reset_is_a_reset(wootric: SignedIn) -> None:
    """The connection ends with RST and not in order (infer)."""
    wootric.sandbox.faults.on("reset", times=2)

    with pytest.raises(requests.ConnectionError, match=r"(?i)reset by peer"):
        wootric.get("responses")
    assert put(wootric.sandbox) == 0
    assert wootric.sandbox.birdie.records() == {}


def test_a_cut_body_is_shorter_than_announced(wootric: SignedIn) -> None:
    """Content-Length is larger than what arrives (infer)."""
    wootric.sandbox.faults.on("cut", times=1)

    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        wootric.get("responses")


def test_html_comes_with_200(wootric: SignedIn) -> None:
    """HTML where JSON was due (infer)."""
    wootric.sandbox.faults.on("html", times=1)
    reply = wootric.get("responses")

    assert (reply.status_code, reply.text[:6]) == (200, "<html>")


def test_an_object_comes_where_an_array_was_due(wootric: SignedIn) -> None:
    """JSON, and yet not a page."""
    wootric.sandbox.faults.on("object", times=1)

    assert isinstance(wootric.get("responses").json(), dict)


def test_a_hanging_server_does_not_answer(wootric: SignedIn) -> None:
    """No answer for `seconds`, then the connection ends."""
    wootric.sandbox.faults.on("hang", times=1, seconds=0.3)
    started = time.monotonic()

    with pytest.raises(requests.ConnectionError):
        wootric.get("responses")
    assert time.monotonic() - started >= 0.3


def test_a_hanging_server_can_be_stopped(wootric: SignedIn) -> None:
    """Nothing is left behind, not even a thread that waits."""
    wootric.sandbox.faults.on("hang", times=1, seconds=60)
    url = f"{wootric.sandbox.wootric_url}/v1/responses"
    with pytest.raises(requests.ReadTimeout):
        requests.get(url, timeout=0.1)
    started = time.monotonic()
    wootric.sandbox.stop()

    assert time.monotonic() - started < 2


def test_a_slow_server_dribbles(wootric: SignedIn) -> None:
    """The right reply, over `seconds`."""
    right = wootric.rows("responses")
    wootric.sandbox.faults.on("slow", times=1, seconds=0.4)
    started = time.monotonic()

    assert wootric.rows("responses") == right
    assert time.monotonic() - started >= 0.35


def test_a_trickle_keeps_a_reader_waiting(wootric: SignedIn) -> None:
    """Byte after byte, so that no wait for the next is ever long."""
    wootric.sandbox.faults.on("trickle", times=1, seconds=0.01)
    started = time.monotonic()

    with wootric.session.get(f"{wootric.sandbox.wootric_url}/v1/segments", stream=True) as reply:
        waited = time.monotonic() - started
        first = next(reply.iter_content(1))

    assert waited >= 1
    assert first == b"["


def test_revocation_ends_every_token_early(wootric: SignedIn) -> None:
    """A server can revoke a token sooner (infer)."""
    wootric.sandbox.faults.on("revoke", times=1)
    revoked = [wootric.get("responses").status_code for _ in range(2)]
    wootric.sign_in()

    assert revoked == [401, 401]
    assert wootric.get("responses").status_code == 200


def test_retry_after_is_told(wootric: SignedIn) -> None:
    """503 with Retry-After, which Birdie's own client honours (hint)."""
    wootric.sandbox.faults.on("retry_after", times=1, seconds=3)
    reply = wootric.get("responses")

    assert (reply.status_code, reply.headers["Retry-After"]) == (503, "3")


def test_a_429_may_tell_its_reset(wootric: SignedIn) -> None:
    """A 429 with the headers of the limit (doc); without `reset_in` it carries none (infer)."""
    wootric.sandbox.faults.on("429", times=1, reset_in=5)
    reset = int(wootric.get("responses").headers["X-Rate-Limit-Reset"])
    wootric.sandbox.faults.on("429", times=1)

    assert 3 < reset - time.time() <= 5
    assert "X-Rate-Limit-Reset" not in wootric.get("responses").headers


@pytest.mark.parametrize("fault", ["lost_reply", "cut"])
def test_a_reply_can_be_lost_after_the_record_was_stored(sandbox: Sandbox, fault: str) -> None:
    """A request may be repeated because nobody knows whether it was stored (doc)."""
    sandbox.faults.on(fault, times=1)

    assert put(sandbox) == 0
    assert list(sandbox.birdie.records()) == ["7"]


def test_faults_reach_the_token_endpoint(wootric: SignedIn) -> None:
    """A fault can be limited to one path."""
    wootric.sandbox.faults.on("500", share=1.0, path="/oauth/token")

    assert wootric.token({}).status_code == 500
    assert wootric.get("responses").status_code == 200


def test_faults_can_be_limited_to_one_api(wootric: SignedIn) -> None:
    """`api` is wootric or birdie."""
    wootric.sandbox.faults.on("500", share=1.0, api="birdie")

    assert (put(wootric.sandbox), wootric.get("responses").status_code) == (500, 200)


def test_a_fault_can_be_limited_to_one_record(sandbox: Sandbox) -> None:
    """Every request for it fails, all others are accepted."""
    sandbox.faults.on("firewall", record_id="7")

    assert [put(sandbox, record_id) for record_id in ("7", "17", "7")] == [403, 201, 403]


def test_a_late_page_may_be_400(wootric: SignedIn) -> None:
    """Page 31 was an error once (field)."""
    wootric.sandbox.faults.on("page_limit", share=1.0)
    replies = [wootric.get("responses", {"page": page}) for page in (30, 31)]

    assert [reply.status_code for reply in replies] == [200, 400]


def statuses(wootric: SignedIn, n: int = 40, **when: Any) -> list[int]:
    """The statuses of n requests with a fault switched on."""
    wootric.sandbox.faults.on("500", **when)
    found = [wootric.get("segments").status_code for _ in range(n)]
    wootric.sandbox.faults.off()
    return found


def test_a_share_is_the_same_for_the_same_seed(wootric: SignedIn) -> None:
    """Faults are random and yet repeatable."""
    one, same, other = (statuses(wootric, share=0.3, seed=seed) for seed in (1, 1, 2))

    assert one == same != other
    assert 4 <= one.count(500) <= 20


def test_times_and_after_bound_a_fault(wootric: SignedIn) -> None:
    """`after` requests are spared, then at most `times` are hit."""
    assert statuses(wootric, 6, times=2, after=1) == [200, 500, 500, 200, 200, 200]


def test_a_fault_is_switched_off_by_name(wootric: SignedIn) -> None:
    """`off` takes one name, or ends all faults."""
    wootric.sandbox.faults.on("500", share=1.0)
    wootric.sandbox.faults.on("502", share=1.0)
    wootric.sandbox.faults.off("500")
    left = wootric.get("responses").status_code
    wootric.sandbox.faults.off()

    assert (left, wootric.get("responses").status_code) == (502, 200)


def test_an_unknown_fault_is_refused(sandbox: Sandbox) -> None:
    """A misspelt name would make a test that cannot fail."""
    with pytest.raises(ValueError, match="no fault is called 'rest'"):
        sandbox.faults.on("rest")
