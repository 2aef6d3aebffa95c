"""How long, and how often, a failing request is tried again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Generator
from typing import Any, TypeVar

import backoff
import requests
from singer_sdk.exceptions import RetriableAPIError
from urllib3.exceptions import ReadTimeoutError

LONGEST_WAIT = 30.0
"""Seconds between two tries, at most."""

FuncT = TypeVar("FuncT", bound=Callable[..., Any])

FAULTS = {
    requests.Timeout: "no answer in time",
    requests.exceptions.SSLError: "a TLS error",
    requests.exceptions.ProxyError: "a proxy error",
    requests.ConnectionError: "a connection that could not be made or broke off",
    requests.exceptions.ChunkedEncodingError: "a body that was cut off",
    requests.exceptions.ContentDecodingError: "a body that can't be decoded",
    ConnectionResetError: "a connection that broke off",
}


def retried(
    func: FuncT,
    *,
    errors: tuple[type[Exception], ...],
    budget: float,
    limited: Callable[[], float] = lambda: 0.0,
    on_backoff: Callable[[Any], None] | None = None,
) -> FuncT:
    """Wrap `func` so that it is tried again on `errors`, with the waits below."""
    decorate = backoff.on_exception(
        lambda: waits(budget, limited), errors, jitter=None, on_backoff=on_backoff, logger=None
    )
    return decorate(func)


def waits(budget: float, limited: Callable[[], float]) -> Generator[float, object, None]:
    """Growing waits between tries of one request, until it has failed for `budget` seconds.

    A generator as `backoff` wants it: it is sent each exception, and ends when it gives up.

    Args:
        budget: Seconds.
        limited: Tells the seconds spent waiting for the rate limit so far; they do not count.
    """
    error = yield 0.0
    began = time.monotonic() - limited()
    wait = 0.5
    while is_unauthorized(error) or time.monotonic() - limited() - began < budget:
        if is_unauthorized(error):  # a new token is all that it needs
            error = yield 0.0
            continue
        error = yield wait * random.uniform(0.5, 1)  # noqa: S311 - no secret depends on it
        wait = min(wait * 2, LONGEST_WAIT)


def is_unauthorized(error: object) -> bool:
    """Whether the error is a 401 that may be tried again."""
    response = getattr(error, "response", None)
    return response is not None and bool(response.status_code == requests.codes.unauthorized)


def reason(error: BaseException) -> str:
    """What failed, without URL, body or credentials."""
    if isinstance(error, RetriableAPIError):
        return "the token was refused" if is_unauthorized(error) else str(error.args[0])
    if error.args and isinstance(error.args[0], ReadTimeoutError):  # while the body was read
        return FAULTS[requests.Timeout]
    return next((text for kind, text in FAULTS.items() if isinstance(error, kind)), str(error))
