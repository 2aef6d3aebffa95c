"""Sign in to Wootric: one token for all requests of the process, renewed before it expires."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping
from typing import Any

import msgspec
import requests
from singer_sdk.authenticators import OAuthAuthenticator
from singer_sdk.exceptions import RetriableAPIError
from typing_extensions import override

from tap_wootric.api.retries import Retries
from tap_wootric.api.transport import Reply, Transport
from tap_wootric.config import CLIENT_CREDENTIALS, PASSWORD, base_url
from tap_wootric.errors import (
    AccountNotFoundError,
    RedirectError,
    SignInRejectedError,
    TokenEndpointNotFoundError,
)

LIFETIME = 7200
"""Lifetime of a token in seconds (documented), used if the reply names none."""

RENEWAL_MARGIN = 180
"""Seconds before its end at which a token is renewed, or half of a shorter lifetime.

A request gets its token before it waits for the rate limit, for up to two minutes.
"""

LONGEST_LIFETIME = 10 * 365 * 86_400

HEADER_TEXT = re.compile(r"[\x21-\x7e]+")
"""Tokens that fit into a header."""


class WootricAuthenticator(OAuthAuthenticator):
    """Add a bearer token to requests. Safe to share between threads."""

    def __init__(self, config: Mapping[str, Any], transport: Transport, retries: Retries) -> None:
        super().__init__(
            auth_endpoint=f"{base_url(config)}/oauth/token",
            client_id=config.get("client_id"),
            client_secret=config.get("client_secret"),
            default_expiration=LIFETIME,
        )
        self._settings = config
        self._transport = transport
        self._retries = retries
        self._lock = threading.Lock()
        self._renew_at = 0.0  # monotonic, since the local clock may be set during a sync

    @property
    @override
    def oauth_request_body(self) -> dict[str, Any]:
        """Form fields of the token request. In the URL, proxies would log them (documented)."""
        is_password = self._settings.get("grant_type") == PASSWORD
        names = ("username", "password") if is_password else ("client_id", "client_secret")
        grant = PASSWORD if is_password else CLIENT_CREDENTIALS
        return {"grant_type": grant, **{name: self._settings.get(name) for name in names}}

    @override
    def is_token_valid(self) -> bool:
        return self.access_token is not None and time.monotonic() < self._renew_at

    @override
    def authenticate_request(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        with self._lock:
            return super().authenticate_request(request)

    def reject(self, authorization: str | None) -> None:
        """Discard the token of this `Authorization` header, unless it was replaced already."""
        with self._lock:
            if authorization == f"Bearer {self.access_token}":
                self.access_token = None

    @override
    def update_access_token(self) -> None:
        """Sign in. Refresh tokens are not used: the credentials do the same.

        Raises:
            CredentialsError: Wootric rejects the credentials or the account token.
            ServerError: The token endpoint is not there, or fails for the retry budget.
        """
        sent = time.monotonic()
        answer = self._retries.call("oauth/token", self._request_token)
        self.access_token = answer["access_token"]
        try:
            lifetime = float(answer["expires_in"])
        except (KeyError, TypeError, ValueError):
            lifetime = LIFETIME
        lifetime = lifetime if 0 < lifetime < LONGEST_LIFETIME else LIFETIME
        self._renew_at = sent + lifetime - min(RENEWAL_MARGIN, lifetime / 2)

    def _request_token(self) -> dict[str, Any]:
        token = self._settings.get("account_token")
        params = {"account_token": token} if token else None
        reply = self._transport.send(
            self._transport.prepare(
                "POST", self.auth_endpoint, params=params, data=self.oauth_request_payload
            )
        )
        is_rejected = reply.status in {400, 401, 403}
        if is_rejected or reply.status in {404, 405} or 300 <= reply.status < 400:  # noqa: PLR2004
            self._raise_rejection(reply.status)
        return _token_answer(reply)

    def _raise_rejection(self, status: int) -> None:
        """Raise the error for a status that no retry changes."""
        url = self.auth_endpoint
        if status in {404, 405}:
            # Wootric returns 404 for an unknown account token (seen in its mobile SDKs).
            if self._settings.get("account_token"):
                raise AccountNotFoundError(status=status, url=url)
            raise TokenEndpointNotFoundError(status=status, url=url)
        if status < requests.codes.bad_request:
            raise RedirectError(status=status, resource="oauth/token")
        names = "'client_id' and 'client_secret'"
        if self._settings.get("grant_type") == PASSWORD:
            names = "'username', 'password' and 'account_token'"
        raise SignInRejectedError(status=status, url=url, names=names)


def _token_answer(reply: Reply) -> dict[str, Any]:
    """Return the fields of a token reply; a proxy may send something else."""
    try:
        answer = msgspec.json.decode(reply.body, type=dict[str, Any])
    except msgspec.MsgspecError:
        answer = {}
    token = answer.get("access_token")
    is_token = isinstance(token, str) and HEADER_TEXT.fullmatch(token)
    if reply.status != requests.codes.ok or not is_token:
        raise RetriableAPIError(f"HTTP {reply.status} without a token")
    return answer
