"""Answer one request to the Wootric API, for every stream and for the account check.

The client decides what a reply means: data, a new token, a retry, or an error with its status.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import msgspec
import requests
from singer_sdk.exceptions import RetriableAPIError

from tap_wootric.api.authenticator import WootricAuthenticator
from tap_wootric.api.rate_limit import RateLimiter
from tap_wootric.api.retries import Retries, UnauthorizedError
from tap_wootric.api.transport import Reply, Transport
from tap_wootric.config import base_url
from tap_wootric.errors import (
    ForbiddenError,
    LockedError,
    NotFoundError,
    RedirectError,
    RejectedRequestError,
    TokenRejectedError,
)
from tap_wootric.shutdown import Shutdown

MAX_REAUTHORIZATIONS = 2
"""Number of fresh tokens that a request may try before it fails."""

TRANSIENT_STATUSES = {408, 425}
"""Statuses below 500 that are worth a retry; the rate limiter handles 429."""

REJECTIONS: dict[int, type[RejectedRequestError]] = {
    403: ForbiddenError,
    404: NotFoundError,
    423: LockedError,
}


class JsonReply(NamedTuple):
    """Parsed reply with status 200."""

    data: Any
    headers: Mapping[str, str]
    size: int
    """Bytes of the decompressed body."""


class WootricClient:
    """Access to the API, shared by all streams and threads of a tap."""

    def __init__(
        self,
        config: Mapping[str, Any],
        *,
        logger: logging.Logger,
        user_agent: str,
        shutdown: Shutdown,
    ) -> None:
        """Take validated settings; `request_timeout` and `retry_budget_seconds` are required."""
        budget = int(config["retry_budget_seconds"])
        self._transport = Transport(config, logger=logger, user_agent=user_agent)
        self._retries = Retries(self._transport, budget=budget, logger=logger)
        self._authenticator = WootricAuthenticator(config, self._transport, self._retries)
        self._base_url = base_url(config)
        self._shutdown = shutdown

    def get(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        expected: type | tuple[type, ...] = (list, dict),
    ) -> Any:
        """Return the JSON at `path`, such as "/v1/responses". See `get_reply`."""
        return self.get_reply(path, params, expected=expected).data

    def get_reply(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        expected: type | tuple[type, ...] = (list, dict),
    ) -> JsonReply:
        """Send a GET request until it is answered. In the main thread, a signal ends the wait.

        Args:
            path: Path below the base URL.
            params: Query parameters; None values are omitted.
            expected: Python type of the JSON document; any other type is retried.

        Raises:
            RejectedRequestError: The API rejects the request; `status` is the reason.
            RetriesExhaustedError: The request failed for `retry_budget_seconds`.
            ConnectionFailedError: The host has never replied and cannot be reached.
            RateLimitError: Other programs use up the rate limit.
            CredentialsError: The API rejects the credentials.
            Interrupted: A termination signal arrived.
        """
        resource = path.rpartition("/")[2]
        rejections = 0

        def send() -> JsonReply:
            nonlocal rejections
            request = self._transport.prepare("GET", self._base_url + path, params=params)
            reply = self._transport.send(self._authenticator.authenticate_request(request))
            if reply.status != requests.codes.unauthorized:
                rejections = 0
                return _validated(reply, resource, expected)
            # The server can revoke a token before its end.
            self._authenticator.reject(request.headers.get("Authorization"))
            rejections += 1
            if rejections > MAX_REAUTHORIZATIONS:
                raise TokenRejectedError(resource=resource, status=reply.status)
            raise UnauthorizedError("HTTP 401")

        with self._shutdown.interruptible():
            return self._retries.call(resource, send)

    @property
    def server_now(self) -> int:
        """UNIX second of the last `Date` header. Before the first one, of the local clock."""
        known = self._transport.server_time
        return int(time.time()) if known is None else known

    @property
    def has_server_clock(self) -> bool:
        """Whether a reply had a `Date` header."""
        return self._transport.server_time is not None

    @property
    def rate_limit_announced(self) -> bool | None:
        """Whether a reply announced a rate limit. None before the first reply."""
        return self._transport.rate_limiter.announced

    @property
    def rate_limiter(self) -> RateLimiter:
        """Counts of requests and waits, for the progress log."""
        return self._transport.rate_limiter

    @property
    def retries(self) -> int:
        """Number of requests sent again."""
        return self._retries.count


def _validated(reply: Reply, resource: str, expected: type | tuple[type, ...]) -> JsonReply:
    """Return the data of a reply, or raise an error that says whether a retry is worthwhile."""
    status = reply.status
    if status == requests.codes.ok:
        data = _decoded(reply.body)
        if not isinstance(data, expected):
            raise RetriableAPIError("HTTP 200 with JSON of an unexpected type")
        return JsonReply(data, reply.headers, len(reply.body))
    if requests.codes.multiple_choices <= status < requests.codes.bad_request:
        raise RedirectError(resource=resource, status=status)
    is_rejected = requests.codes.bad_request <= status < requests.codes.server_error
    if is_rejected and status not in TRANSIENT_STATUSES:
        raise REJECTIONS.get(status, RejectedRequestError)(resource=resource, status=status)
    raise RetriableAPIError(f"HTTP {status}")


def _decoded(body: bytes) -> Any:
    """Parse JSON; a lone surrogate, which UTF-8 cannot contain, becomes `?`.

    Raises:
        RetriableAPIError: The body is not JSON.
    """
    try:
        with suppress(msgspec.DecodeError):
            return msgspec.json.decode(body)
        text = json.dumps(json.loads(body), ensure_ascii=False)
        return json.loads(text.encode(errors="replace"))
    except (ValueError, RecursionError):
        raise RetriableAPIError("HTTP 200 with a body that is not JSON") from None
