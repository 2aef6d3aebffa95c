"""Decide whether and when a failed request is sent again, for list and token requests.

The methods are named after the retry hooks of the SDK's `RESTStream`, and use the same library.
"""

from __future__ import annotations

import logging
import random
import socket
import ssl
import time
from collections.abc import Callable, Generator, Iterator
from functools import partial
from typing import Any, TypeVar

import backoff
import requests
import urllib3
from singer_sdk.exceptions import RetriableAPIError

from tap_wootric.api.transport import Transport
from tap_wootric.errors import ConnectionFailedError, RetriesExhaustedError, TapError

FIRST_WAIT = 0.5
LONGEST_WAIT = 30.0
"""Waits between two tries, in seconds. Each is up to twice as long as the one before."""

CONNECTION_BUDGET = 60
"""Seconds after which an unreachable host ends the run if it has never replied."""

TRANSIENT_ERRORS: tuple[type[Exception], ...] = (
    RetriableAPIError,
    ConnectionResetError,
    requests.RequestException,
    urllib3.exceptions.HTTPError,  # raised while a body is read
)

CONNECTION_ERRORS = (
    requests.exceptions.SSLError,
    requests.exceptions.ProxyError,
    requests.exceptions.ConnectTimeout,
    urllib3.exceptions.NewConnectionError,
)
"""The request did not reach the API."""

CAUSES: dict[type[BaseException], str] = {
    ssl.SSLCertVerificationError: "untrusted certificate; if your network has its own certificate "
    "authority, set REQUESTS_CA_BUNDLE to the file of its certificate",
    requests.exceptions.SSLError: "TLS",
    urllib3.exceptions.SSLError: "TLS",
    requests.exceptions.ProxyError: "proxy; check HTTPS_PROXY and HTTP_PROXY",
    socket.gaierror: "host name not found",
    ConnectionRefusedError: "connection refused",
    requests.exceptions.ConnectTimeout: "connection timed out",
    requests.Timeout: "no complete reply in time",
    urllib3.exceptions.TimeoutError: "no complete reply in time",
    urllib3.exceptions.DecodeError: "invalid compression",
    urllib3.exceptions.NewConnectionError: "no connection",
}
"""Texts for exceptions, whose own texts contain URLs. The first match counts."""

ResultT = TypeVar("ResultT")


class UnauthorizedError(RetriableAPIError):
    """The API rejected a token (401); the next try signs in again."""


class Retries:
    """Repeat requests until they succeed or a time budget is spent."""

    def __init__(self, transport: Transport, *, budget: int, logger: logging.Logger) -> None:
        """Take the budget in seconds; waits for the rate limit do not count."""
        self.count = 0
        """Number of requests sent again."""
        self._transport = transport
        self._budget = budget
        self._logger = logger

    def call(self, resource: str, send: Callable[[], ResultT]) -> ResultT:
        """Call `send` until it returns. `resource` names the request in messages.

        Raises:
            ConnectionFailedError: The host has never replied and cannot be reached.
            RetriesExhaustedError: The request failed for the whole budget.
        """
        decorator = backoff.on_exception(
            self.backoff_wait_generator,
            TRANSIENT_ERRORS,
            jitter=None,
            on_backoff=partial(self.backoff_handler, resource),
            logger=None,
        )
        try:
            return decorator(send)()
        except TRANSIENT_ERRORS as error:
            raise self._final_error(resource, error) from None

    def backoff_wait_generator(self) -> Generator[float, Any, None]:
        """Yield the seconds to wait after each exception sent; return when the budget is spent."""
        began = self._clock()
        error: Exception = yield 0.0
        failing_since, wait = self._clock(), FIRST_WAIT
        while True:
            if isinstance(error, UnauthorizedError):  # the next try gets a new token
                error = yield 0.0
                continue
            # A single try of an unreachable host can take a minute, and counts.
            is_unreachable = self._is_unreachable(error)
            spent = self._clock() - (began if is_unreachable else failing_since)
            left = self._budget_for(error) - spent
            if left <= 0:
                return
            error = yield min(wait * random.uniform(0.5, 1), left)  # noqa: S311 - no secret
            wait = min(wait * 2, LONGEST_WAIT)

    def backoff_handler(self, resource: str, details: Any) -> None:
        """Log a retry; `details` are those of `backoff`."""
        self.count += 1
        error = details["exception"]
        if self._is_unreachable(error) and details["tries"] == 1:
            text = "Cannot connect to %s (%s). Retrying for up to %d s.%s"
            host, budget = self._transport.host, self._budget_for(error)
            self._logger.warning(text, host, cause(error), budget, self._hint())
        else:
            text = "Request for '%s' failed (%s). Retrying in %.1f s (retry %d)."
            self._logger.info(text, resource, cause(error), details["wait"], details["tries"])

    def _final_error(self, resource: str, error: Exception) -> TapError:
        seconds, reason = self._budget_for(error), cause(error)
        if self._is_unreachable(error):
            host, hint = self._transport.host, self._hint()
            return ConnectionFailedError(host=host, cause=reason, seconds=seconds, hint=hint)
        return RetriesExhaustedError(resource=resource, seconds=seconds, cause=reason)

    def _budget_for(self, error: Exception) -> int:
        return min(self._budget, CONNECTION_BUDGET) if self._is_unreachable(error) else self._budget

    def _is_unreachable(self, error: Exception) -> bool:
        if self._transport.has_replied:
            return False
        return any(isinstance(link, CONNECTION_ERRORS) for link in _chain(error))

    def _hint(self) -> str:
        if self._transport.is_loopback:
            return " Is the sandbox running? Start it with: make sandbox"
        return " Check 'region', 'api_url' and your network."

    def _clock(self) -> float:
        """Return monotonic seconds without waits for the rate limit."""
        return time.monotonic() - self._transport.rate_limiter.waited


def cause(error: Exception) -> str:
    """Describe an error without URL, body or credentials."""
    if isinstance(error, RetriableAPIError):
        return str(error.args[0])
    links = list(_chain(error))
    matches = (text for kind, text in CAUSES.items() if any(isinstance(x, kind) for x in links))
    return next(matches, "connection lost")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and what caused it."""
    link: Any = error
    while isinstance(link, BaseException):
        yield link
        # `requests` wraps its cause as an argument, and `backoff` replaces the context.
        is_wrapper = bool(link.args) and isinstance(link.args[0], BaseException)
        link = link.args[0] if is_wrapper else link.__cause__ or link.__context__
