"""Requests to the Wootric API: authorised, paced, retried, and read as pages."""

from __future__ import annotations

import abc
import json
import sys
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec
import requests
from singer_sdk.exceptions import RetriableAPIError
from singer_sdk.streams import RESTStream
from singer_sdk.streams.rest import PageContext

from tap_wootric.config import base_url
from tap_wootric.errors import CredentialsError, RefusedRequestError, ServerError
from tap_wootric.retries import FAULTS, reason, retried

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from backoff.types import Details
    from singer_sdk.helpers.types import RequestFunc

    from tap_wootric.auth import WootricAuthenticator
    from tap_wootric.tap import TapWootric

Json = dict[str, Any]

PASSING_ERRORS: tuple[type[Exception], ...] = (RetriableAPIError, *FAULTS)
"""What a later try may not meet again."""

MAX_REAUTHORIZATIONS = 2
"""How often in a row one request may be refused with a token that was valid."""


class WootricClient(RESTStream[Any], abc.ABC):
    """The HTTP side of a stream, whose pages are bare JSON arrays."""

    allow_redirects = False
    record_bytes = 1
    """Size of a record as it is sent, as far as met: the largest mean of a page."""

    _LOG_REQUEST_METRICS = False
    _tap: TapWootric

    @property
    @override
    def url_base(self) -> str:
        return f"{base_url(self.config)}/v1"

    @property
    @override
    def authenticator(self) -> WootricAuthenticator:
        return self._tap.authenticator

    @property
    @override
    def requests_session(self) -> requests.Session:
        return self._tap.session

    @property
    @override
    def timeout(self) -> int:
        return int(self.config["request_timeout"])

    @cached_property
    @override
    def user_agent(self) -> str:
        return str(self._tap.config["user_agent"])

    @override
    def get_batch_config(self, config: Any) -> None:
        """BATCH files would go around stream maps, and so around what hides personal data."""

    @cached_property
    def _send(self) -> Callable[..., requests.Response]:
        return self.request_decorator(self._request)

    def get(self, page: object) -> list[Json]:
        """Ask for one page from the main thread, where a termination signal breaks off the wait."""
        with self._tap.stop.interruptible():
            return self.fetch(page)

    def fetch(self, page: object) -> list[Json]:
        """Ask for one page until it is answered; any thread may.

        Args:
            page: What `get_url_params` turns into the query.

        Raises:
            ServerError: The API can't be brought to answer.
            CredentialsError: The API refuses a fresh token.
        """
        request = self.get_http_request(page=PageContext(None, page))
        prepared = self.build_prepared_request(
            method=request.method,
            url=request.url,
            params=request.encode_params(),
            headers=request.headers,
        )
        try:
            response = self._send(prepared, None)
        except PASSING_ERRORS as error:
            budget = self.config["retry_budget_seconds"]
            message = (
                f"Wootric has not answered '{self.name}' for {budget} s, at last with "
                f"{reason(error)}. What was read is safe: the next sync goes on from there."
            )
            raise ServerError(message) from None
        return list(self.parse_response(response))

    @override
    def validate_response(self, response: requests.Response) -> None:
        """Check the status, and that the body is what was asked for.

        Raises:
            RetriableAPIError: The fault may pass.
            TapError: It will not.
        """
        status = response.status_code
        if status == requests.codes.unauthorized:
            self._reauthorize(response)
        response.request.refusals = 0  # type: ignore[attr-defined]
        if status >= requests.codes.server_error or status in {408, 429}:
            raise RetriableAPIError(self.response_error_message(response), response)
        if status != requests.codes.ok:
            raise RefusedRequestError(self._refusal(response), status)
        response.page = self._parsed(response)  # type: ignore[attr-defined]

    def _reauthorize(self, response: requests.Response) -> None:
        """A token can be revoked early: the request signs in again."""
        request = response.request
        self.authenticator.reject(request.headers.get("Authorization"))
        refusals = getattr(request, "refusals", 0) + 1
        if refusals > MAX_REAUTHORIZATIONS:
            message = (
                f"Wootric refuses '{self.name}' with a fresh token (HTTP 401). Check that the API "
                "client of 'client_id' may read it."
            )
            raise CredentialsError(message)
        request.refusals = refusals  # type: ignore[attr-defined]
        raise RetriableAPIError(self.response_error_message(response), response)

    def _refusal(self, response: requests.Response) -> str:
        status = response.status_code
        if response.is_redirect:
            return (
                f"Wootric redirects '{self.name}' elsewhere (HTTP {status}); credentials are not "
                "sent on. Check 'api_url' and 'region'."
            )
        return f"Wootric refuses '{self.name}' with HTTP {status}. Check 'api_url' and 'region'."

    def _parsed(self, response: requests.Response) -> Any:
        """The body as JSON; parsed here, so that a cut or foreign one is asked for again."""
        try:
            page = _decoded(response.content)
        except (ValueError, RecursionError, msgspec.MsgspecError):
            message = f"HTTP {response.status_code} with a body that is not JSON"
            raise RetriableAPIError(message, response) from None
        if not self.is_expected(page):
            message = f"HTTP {response.status_code} with JSON of another form than documented"
            raise RetriableAPIError(message, response)
        if isinstance(page, list) and page:
            self.record_bytes = max(self.record_bytes, len(response.content) // len(page))
        return page

    def is_expected(self, page: object) -> bool:
        """Whether a body has the documented form: an array of objects."""
        return isinstance(page, list) and all(isinstance(item, dict) for item in page)

    @override
    def parse_response(self, response: requests.Response) -> Iterable[Json]:
        yield from response.page  # type: ignore[attr-defined]

    @override
    def response_error_message(self, response: requests.Response) -> str:
        """Name the status alone: bodies may hold personal data."""
        return f"HTTP {response.status_code}"

    @override
    def request_decorator(self, func: RequestFunc) -> RequestFunc:
        """Retry as the SDK does, with waits that suit a rate limit of minutes and a time budget."""
        adapter = self._tap.adapter
        return retried(
            func,
            errors=PASSING_ERRORS,
            budget=self.config["retry_budget_seconds"],
            limited=lambda: adapter.waited,
            on_backoff=self.backoff_handler,
        )

    @override
    def backoff_handler(self, details: Details) -> None:
        self._tap.adapter.tell_retry(self.name, details)


def _decoded(body: bytes) -> Any:
    """Read JSON; half of a surrogate pair, which JSON can hold and UTF-8 can't, becomes `?`."""
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        read = json.loads(body, parse_int=_number, parse_float=_number, parse_constant=str)
        text = json.dumps(read, ensure_ascii=False)
        return msgspec.json.decode(text.encode(errors="replace"))


def _number(text: str) -> Any:
    """A number, or where it is too large for one its digits as text, so that nothing is lost."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
