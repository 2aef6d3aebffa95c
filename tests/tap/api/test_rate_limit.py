"""The rate limiter: never a 429 by its own fault, no needless wait, and no wait without limit."""

import logging
from datetime import UTC, datetime
from email.utils import formatdate
from types import SimpleNamespace
from typing import Any

import pytest
from connector_sandbox import Sandbox

from tap_wootric.api import rate_limit
from tap_wootric.api.rate_limit import RateLimiter
from tap_wootric.api.transport import MAX_REFUSALS
from tap_wootric.errors import RateLimitError

from .conftest import connect, in_threads, requests_to

SERVER_NOW = 1_700_000_000


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Time that passes when the limiter waits; an hour behind the server's clock."""
    clock = SimpleNamespace(now=0, monotonic=lambda: clock.now)
    clock.time = lambda: SERVER_NOW - 3600 + clock.now
    monkeypatch.setattr(rate_limit, "time", clock)
    return clock


@pytest.fixture
def limiter(clock: Any, monkeypatch: pytest.MonkeyPatch) -> RateLimiter:
    def wait(seconds: float) -> None:
        clock.now += seconds

    limiter = RateLimiter()
    monkeypatch.setattr(limiter._turn, "wait", wait)
    return limiter


def http_date(seconds: int) -> str:
    return formatdate(SERVER_NOW + seconds, usegmt=True)


def headers(remaining: int, reset_in: int | str, limit: int = 100, **more: str) -> dict[str, str]:
    reset = SERVER_NOW + reset_in if isinstance(reset_in, int) else reset_in
    return {
        "Date": http_date(0),
        "X-Rate-Limit-Limit": str(limit),
        "X-Rate-Limit-Remaining": str(remaining),
        "X-Rate-Limit-Reset": str(reset),
        **more,
    }


def reply(limiter: RateLimiter, announced: dict[str, str], status: int = 200) -> float | None:
    """Send a request that is answered so; returns the delay of the next one."""
    limiter.acquire()
    limiter.observe(status, announced)
    return limiter.delay(rate_limit.time.monotonic())


@pytest.mark.parametrize(("limit", "reserve"), [(100, 5), (30, 2), (20, 1), (5, 1)])
def test_one_twentieth_of_the_limit_is_left_to_others(
    limiter: RateLimiter, limit: int, reserve: int
) -> None:
    """Then the wait ends one second after the reset, by the clock of the server."""
    assert reply(limiter, headers(reserve + 1, 30, limit)) == 0
    assert limiter.available == 1
    assert reply(limiter, headers(reserve, 30, limit)) == 31
    assert limiter.available == 0


def test_requests_under_way_count_against_what_is_left(limiter: RateLimiter) -> None:
    reply(limiter, headers(7, reset_in=30))

    limiter.acquire()
    limiter.acquire()

    assert limiter.delay(0) != 0
    limiter.release()
    assert limiter.delay(0) == 0


def test_replies_out_of_order_or_without_headers_do_not_raise_what_is_left(
    limiter: RateLimiter,
) -> None:
    for announced in (headers(50, 30), headers(9, 30), headers(12, 30), {}):
        reply(limiter, announced)
    assert (limiter.limit, limiter.available) == (100, 4)

    limiter.acquire()
    limiter.acquire()
    reply(limiter, headers(5, 90))
    for late in (headers(50, 30), headers(8, 90)):
        limiter.observe(200, late)
        assert limiter.available == 0


@pytest.mark.parametrize("announced", [{}, headers(0, "soon"), headers(0, "9" * 5000)], ids=len)
def test_without_usable_headers_there_is_no_limit(
    limiter: RateLimiter, announced: dict[str, str]
) -> None:
    assert limiter.limit is None
    assert reply(limiter, announced) == 0
    assert limiter.limit == 0


@pytest.mark.parametrize(
    ("announced", "seconds"),
    [
        (headers(0, reset_in=30), 31),
        ({k: v for k, v in headers(0, 30).items() if k in {"Date", "X-Rate-Limit-Reset"}}, 31),
        (headers(0, f"{SERVER_NOW + 30}000"), 120),
        (headers(0, reset_in=-5), 1),
        (headers(0, reset_in=86_400), 120),
        (headers(0, "1" + "0" * 400), 120),
        (headers(0, reset_in=30, **{"Retry-After": "7"}), 7),
        ({"Retry-After": "86400"}, 120),
        ({"Date": http_date(0), "Retry-After": http_date(9)}, 9),
        ({"Retry-After": "soon"}, 60),
        ({}, 60),
    ],
    ids=str,
)
def test_a_429_is_waited_out_with_a_limit(
    limiter: RateLimiter, announced: dict[str, str], seconds: int
) -> None:
    assert reply(limiter, announced, status=429) == seconds


def test_no_wait_is_longer_than_twice_the_window_seen(limiter: RateLimiter) -> None:
    reply(limiter, headers(90, reset_in=10))

    assert reply(limiter, headers(0, reset_in=86_400), status=429) == 20


def test_after_a_wait_a_single_request_checks_the_limit(limiter: RateLimiter, clock: Any) -> None:
    reply(limiter, headers(5, reset_in=30))
    limiter.acquire()

    assert clock.now == 31
    assert limiter.delay(clock.now) is None
    limiter.observe(200, headers(99, reset_in=90))
    assert limiter.delay(clock.now) == 0


def test_refusals_after_a_reset_in_the_past_are_spaced_out(
    limiter: RateLimiter, clock: Any
) -> None:
    waits = [reply(limiter, headers(0, reset_in=-5), status=429) for _ in range(8)]

    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]


def test_the_log_states_the_end_of_a_wait_with_its_date(
    limiter: RateLimiter, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    reply(limiter, headers(0, reset_in=90))
    limiter.acquire()

    end = datetime.fromtimestamp(SERVER_NOW - 3600 + 91, UTC)
    text = f"Rate limit reached: waiting 91 s, until {end:%Y-%m-%d %H:%M:%S} UTC"
    assert caplog.messages == [text]
    assert limiter.waited == 91


@pytest.mark.long
def test_threads_use_up_each_window_without_a_429(sandbox: Sandbox) -> None:
    """Token requests count too."""
    sandbox.options.rate_limit = (20, 1)
    sandbox.options.token_lifetime = 5
    client = connect(sandbox, max_concurrency=4)

    in_threads(lambda: [client.get("/v1/responses") for _ in range(16)], 4)

    assert {request.status for request in sandbox.requests} == {200}
    assert len(requests_to(sandbox, "/oauth/token")) > 1
    assert client.rate_limiter.limit


def test_a_429_uses_no_retry(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limit, "MAX_WAIT", 0.01)
    rule = sandbox.faults.on("429", times=2, path="/v1/responses")
    client = connect(sandbox, retry_budget_seconds=0)

    assert len(client.get("/v1/responses")) == 25
    assert (client.retries.count, rule.hits) == (0, 2)
    assert client.rate_limiter.waited > 0


def test_endless_429s_end_in_an_error(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limit, "MAX_WAIT", 0.01)
    rule = sandbox.faults.on("429", share=1, path="/v1/responses")

    with pytest.raises(RateLimitError, match="HTTP 429"):
        connect(sandbox).get("/v1/responses")
    assert rule.hits == MAX_REFUSALS
