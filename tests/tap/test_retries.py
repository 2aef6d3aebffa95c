"""Retries: how often and how long a failing request is tried again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
import requests
from singer_sdk.exceptions import RetriableAPIError
from urllib3 import HTTPConnectionPool
from urllib3.exceptions import ReadTimeoutError

from tap_wootric import retries
from tap_wootric.retries import FAULTS, LONGEST_WAIT, is_unauthorized, reason, waits


class Clock:
    """Time that passes only by waiting."""

    def __init__(self) -> None:
        self.now = 0.0
        self.limited = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(retries, "time", clock)
    return clock


def failing(clock: Clock, budget: float, error: Exception | None = None) -> Iterator[float]:
    """The waits of a request that never succeeds."""
    generator = waits(budget, lambda: clock.limited)
    next(generator)
    while True:
        try:
            wait = generator.send(error or requests.Timeout())
        except StopIteration:
            return
        clock.now += wait
        yield wait


def refused() -> RetriableAPIError:
    """A 401 with a token that was thought valid."""
    reply = requests.Response()
    reply.status_code = 401
    return RetriableAPIError("HTTP 401", reply)


def test_waits_grow_up_to_half_a_minute(clock: Clock) -> None:
    """A short fault is over soon, a long one is not hammered."""
    found = list(failing(clock, 900))

    ceilings = [min(0.5 * 2**i, LONGEST_WAIT) for i in range(len(found))]
    assert all(top / 2 <= wait <= top for wait, top in zip(found, ceilings, strict=True))
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("budget", [0, 1, 60, 300])
def test_a_request_is_given_up_when_its_budget_is_spent(clock: Clock, budget: int) -> None:
    """Within the stated time and one wait, and not before."""
    list(failing(clock, budget))

    assert budget <= clock.now <= budget + LONGEST_WAIT


def test_waiting_for_the_rate_limit_does_not_count(clock: Clock) -> None:
    """A minute's wait for the limit between two faults leaves the budget whole."""
    waited = 0.0
    for wait in failing(clock, 100):
        waited += wait
        clock.now += 60
        clock.limited += 60

    assert waited >= 100


def test_waits_before_the_first_fault_do_not_prolong_the_budget(clock: Clock) -> None:
    """Only what is waited while the request fails is left out of the account."""
    clock.limited = 1_000

    list(failing(clock, 5))

    assert 5 <= clock.now <= 5 + LONGEST_WAIT


def test_a_refused_token_is_tried_again_at_once_and_for_free(clock: Clock) -> None:
    """A new token is all that it needs, even where no retry is wanted."""
    generator = waits(0, lambda: 0.0)
    next(generator)

    assert generator.send(refused()) == 0
    assert generator.send(refused()) == 0
    with pytest.raises(StopIteration):
        generator.send(requests.Timeout())


def test_a_request_is_repeated_until_it_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """As often as it takes, with the answer as result."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    answers: list[Exception | str] = [requests.Timeout(), requests.ConnectionError(), "here"]

    def request() -> str:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    send: Callable[[], str] = retries.retried(request, errors=tuple(FAULTS), budget=60)

    assert send() == "here"


def test_an_error_that_no_retry_helps_comes_at_once() -> None:
    """Only the errors that are named are tried again."""

    def request() -> None:
        raise KeyError

    with pytest.raises(KeyError):
        retries.retried(request, errors=tuple(FAULTS), budget=60)()


@pytest.mark.parametrize("kind", FAULTS)
def test_the_reason_names_no_url(kind: type[Exception]) -> None:
    """The texts of `requests` hold hosts, paths and queries."""
    text = reason(kind("GET https://api.wootric.com/v1/end_users?email=ada@example.com"))

    assert text
    assert "example" not in text
    assert "wootric" not in text


def test_the_most_special_reason_is_told() -> None:
    """TLS and proxy errors are connection errors too."""
    assert reason(requests.exceptions.SSLError()) == "a TLS error"
    assert reason(requests.exceptions.ProxyError()) == "a proxy error"
    assert reason(requests.exceptions.ConnectTimeout()) == "no answer in time"


def test_a_body_that_does_not_come_in_time_is_told_as_such() -> None:
    """`requests` takes it for a lost connection."""
    late = ReadTimeoutError(HTTPConnectionPool("localhost"), "/", "late")

    assert reason(requests.ConnectionError(late)) == "no answer in time"
    assert reason(requests.ConnectionError("x")) != "no answer in time"


@pytest.mark.parametrize(("status", "expected"), [(401, True), (403, False), (500, False)])
def test_only_a_401_is_about_the_token(status: int, expected: bool) -> None:
    """Everything else is about the request or the server."""
    error = SimpleNamespace(response=SimpleNamespace(status_code=status))

    assert is_unauthorized(error) is expected
    assert is_unauthorized(Exception()) is False
