"""Decide whether and when a failed request is sent again, for list and token requests.

The methods are named after the retry hooks of the SDK's `RESTStream`, and use the same library.
"""

import logging
import random
import socket
import ssl
import time
from collections.abc import Callable, Generator, Iterator
from functools import partial
from typing import Any, TypeVar

import backoff
from requests.exceptions import ConnectTimeout, ProxyError
from singer_sdk.exceptions import RetriableAPIError
from urllib3.exceptions import HTTPError, NewConnectionError

from tap_wootric.api.transport import Transport
from tap_wootric.errors import ConnectionFailedError, RetriesExhaustedError, SignInFailedError

FIRST_WAIT = 0.5
LONGEST_WAIT = 30.0
"""Waits between two tries, in seconds. Each is up to twice as long as the one before."""

CONNECTION_BUDGET = 60
"""Seconds after which an unreachable host ends the run if it has never replied."""

TRANSIENT_ERRORS = (RetriableAPIError, OSError, HTTPError)
"""Errors of `requests` are OSErrors. While a body is read, `urllib3` raises its own HTTPError."""

CONNECTION_ERRORS = (ssl.SSLError, ProxyError, ConnectTimeout, NewConnectionError)
"""The request did not reach the API."""

CAUSES: dict[type[BaseException], str] = {
    ssl.SSLCertVerificationError: "untrusted certificate; if your network has its own certificate "
    "authority, set REQUESTS_CA_BUNDLE to the file of its certificate",
    ssl.SSLError: "TLS",
    ProxyError: "proxy; check HTTPS_PROXY and HTTP_PROXY",
    socket.gaierror: "host name not found",
    ConnectionRefusedError: "connection refused",
    TimeoutError: "no complete reply in time",
}
"""Texts for exceptions, whose own texts contain URLs. The first match counts."""

SIGN_IN = "oauth/token"

LOGGER = logging.getLogger("tap-wootric")

ResultT = TypeVar("ResultT")


class Retries:
    """Repeat requests until they succeed or a time budget is spent."""

    def __init__(self, transport: Transport, budget: int) -> None:
        """Take the budget in seconds; waits for the rate limit do not count."""
        self.count = 0
        """Number of requests sent again."""
        self._transport = transport
        self._budget = budget

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
        began, wait = self._clock(), FIRST_WAIT
        error: Exception = yield 0.0
        while (left := self._budget_for(error) - (self._clock() - began)) > 0:
            error = yield min(wait * random.uniform(0.5, 1), left)  # noqa: S311 - no secret
            wait = min(wait * 2, LONGEST_WAIT)

    def backoff_handler(self, resource: str, details: Any) -> None:
        """Log a retry; `details` are those of `backoff`."""
        self.count += 1
        error = details["exception"]
        if self._is_unreachable(error) and details["tries"] == 1:
            text, budget = "%s Retrying for up to %d s.", self._budget_for(error)
            LOGGER.warning(text, self._final_error(resource, error), budget)
        else:
            text = "Request for '%s' failed (%s). Retrying in %.1f s (retry %d)."
            LOGGER.info(text, resource, cause(error), details["wait"], details["tries"])

    def _final_error(self, resource: str, error: Exception) -> Exception:
        if self._is_unreachable(error):
            host, hint = self._transport.host, self._transport.hint
            return ConnectionFailedError(host=host, cause=cause(error), hint=hint)
        # Without a token, no stream can be read.
        kind = SignInFailedError if resource == SIGN_IN else RetriesExhaustedError
        return kind(resource=resource, seconds=self._budget, cause=cause(error))

    def _budget_for(self, error: Exception) -> int:
        return min(self._budget, CONNECTION_BUDGET) if self._is_unreachable(error) else self._budget

    def _is_unreachable(self, error: Exception) -> bool:
        links = () if self._transport.has_replied else _chain(error)
        return any(isinstance(link, CONNECTION_ERRORS) for link in links)

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
