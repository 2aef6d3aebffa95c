"""Answer one request to the Wootric API, for every stream and for the account check.

The client decides what a reply means: data, a new token, a retry, or an error with its status.
"""

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec
from requests import codes
from singer_sdk.exceptions import RetriableAPIError

from tap_wootric.api.authenticator import WootricAuthenticator
from tap_wootric.api.retries import Retries
from tap_wootric.api.transport import Reply, Transport
from tap_wootric.config import base_url
from tap_wootric.errors import ForbiddenError, RejectedRequestError
from tap_wootric.shutdown import Shutdown

Json = dict[str, Any]
Kinds = type | tuple[type, ...]

MAX_TOKENS = 3
"""Number of tokens that one request may try: the server can revoke a token before its end."""

TRANSIENT_STATUSES = {408, 425}
"""Statuses below 500 that are worth a retry; the transport handles 429."""

FORBIDDEN_STATUSES = {401, 403, 423}


class WootricClient:
    """Access to the API, shared by all streams and threads of a tap."""

    def __init__(self, config: Mapping[str, Any], shutdown: Shutdown) -> None:
        """Take validated settings; `request_timeout` and `retry_budget_seconds` are required."""
        self.transport = Transport(config)
        self._base_url = base_url(config)
        self._shutdown = shutdown
        self.rate_limiter = self.transport.rate_limiter
        self.retries = Retries(self.transport, int(config["retry_budget_seconds"]))
        self._authenticator = WootricAuthenticator(config, self.transport, self.retries)

    def get(self, path: str, params: Json | None = None, *, expected: Kinds = (list, dict)) -> Any:
        """Send a GET request until it is answered. In the main thread, a signal ends the wait.

        Args:
            path: Path below the base URL, such as "/v1/responses".
            params: Query parameters; None values are omitted.
            expected: Python type of the JSON document; any other type is retried.

        Returns:
            The parsed JSON document.

        Raises:
            RejectedRequestError: The API rejects the request, and a retry would not help.
            RetriesExhaustedError: The request failed for `retry_budget_seconds`.
            ConnectionFailedError: The host has never replied and cannot be reached.
            RateLimitError: Other programs use up the rate limit.
            SignInRejectedError, TokenEndpointError: There is no token for these credentials.
            Interrupted: A termination signal arrived.
        """
        resource = path.rpartition("/")[2]

        def send() -> Any:
            for _ in range(MAX_TOKENS):
                request = self.transport.prepare("GET", self._base_url + path, params=params)
                reply = self.transport.send(self._authenticator.authenticate_request(request))
                if reply.status != codes.unauthorized:
                    break
                self._authenticator.reject(request.headers.get("Authorization"))
            return _validated(reply, resource, expected)

        with self._shutdown.interruptible():
            return self.retries.call(resource, send)

    @property
    def server_now(self) -> int:
        """UNIX second of the last `Date` header. Before the first one, of the local clock."""
        return self.transport.server_time or int(time.time())


def _validated(reply: Reply, resource: str, expected: Kinds) -> Any:
    """Return the data of a reply, or raise an error that says whether a retry is worthwhile."""
    status = reply.status
    if status == codes.ok:
        data = _decoded(reply.body)
        if not isinstance(data, expected):
            raise RetriableAPIError("HTTP 200 with JSON of an unexpected type")
        return data
    if status in FORBIDDEN_STATUSES:
        raise ForbiddenError(resource=resource, status=status)
    # Redirects are final too: following one could send the token to another host.
    is_final = codes.multiple_choices <= status < codes.server_error
    if is_final and status not in TRANSIENT_STATUSES:
        raise RejectedRequestError(resource=resource, status=status)
    raise RetriableAPIError(f"HTTP {status}")


def _decoded(body: bytes) -> Any:
    """Parse JSON; a lone surrogate, which UTF-8 cannot contain, becomes `?`.

    Raises:
        RetriableAPIError: The body is not JSON.
    """
    try:
        with suppress(msgspec.DecodeError):  # msgspec is faster, and strict
            return msgspec.json.decode(body)
        text = json.dumps(json.loads(body), ensure_ascii=False)
        return json.loads(text.encode(errors="replace"))
    except (ValueError, RecursionError):
        raise RetriableAPIError("HTTP 200 with a body that is not JSON") from None
