"""Sign in to Wootric: one token for all requests of the process, renewed before it expires."""

import threading
import time
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
import requests
from singer_sdk.authenticators import OAuthAuthenticator
from singer_sdk.exceptions import RetriableAPIError
from typing_extensions import override

from tap_wootric.api.retries import SIGN_IN, Retries
from tap_wootric.api.transport import Transport
from tap_wootric.config import GRANTS, base_url
from tap_wootric.errors import SignInRejectedError, TokenEndpointError

LIFETIME = 7200
"""Lifetime of a token in seconds (documented), used if the reply names none."""

RENEWAL_MARGIN = 180
"""Seconds before its end at which a token is renewed, or half of a shorter lifetime.

A request gets its token before it waits for the rate limit, for up to two minutes.
"""

REJECTED = {400, 401, 403}
NOT_FOUND = {301, 302, 307, 308, 404, 405}
"""Statuses of the token endpoint. Wootric returns 404 for an unknown account (mobile SDKs)."""


class Token(msgspec.Struct):
    """Reply of the token endpoint; other fields are ignored."""

    access_token: Annotated[str, msgspec.Meta(pattern=r"^[!-~]+$")]
    expires_in: float | None = None


class WootricAuthenticator(OAuthAuthenticator):
    """Add a bearer token to requests. Safe to share between threads."""

    def __init__(self, config: Mapping[str, Any], transport: Transport, retries: Retries) -> None:
        super().__init__(auth_endpoint=f"{base_url(config)}/{SIGN_IN}")
        self._settings = config
        self._transport = transport
        self._retries = retries
        self._lock = threading.Lock()
        self._renew_at = 0.0  # monotonic, since the local clock may be set during a sync

    @property
    @override
    def oauth_request_body(self) -> dict[str, Any]:
        """Form fields of the token request. In the URL, proxies would log them (documented)."""
        grant = self._settings["grant_type"]
        return {"grant_type": grant, **{name: self._settings.get(name) for name in GRANTS[grant]}}

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
            SignInRejectedError, TokenEndpointError: No retry would change the reply.
            SignInFailedError, ConnectionFailedError: The request failed for the retry budget.
        """
        sent = time.monotonic()
        token: Token = self._retries.call(SIGN_IN, self._request_token)
        lifetime = token.expires_in or LIFETIME
        self.access_token = token.access_token
        self._renew_at = sent + lifetime - min(RENEWAL_MARGIN, lifetime / 2)

    def _request_token(self) -> Token:
        url, form = self.auth_endpoint, self.oauth_request_body
        account = {"account_token": self._settings.get("account_token")}
        reply = self._transport.send(
            self._transport.prepare("POST", url, params=account, data=form)
        )
        if reply.status in REJECTED:
            names = ", ".join(f"'{name}'" for name in (*GRANTS[form["grant_type"]], *account))
            names = f"{names} and 'region'"
            raise SignInRejectedError(status=reply.status, url=url, names=names)
        if reply.status in NOT_FOUND:
            raise TokenEndpointError(status=reply.status, url=url)
        try:
            return msgspec.json.decode(reply.body, type=Token, strict=False)
        except msgspec.MsgspecError:  # a proxy may send something else
            raise RetriableAPIError(f"HTTP {reply.status} without a token") from None
