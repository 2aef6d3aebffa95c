"""Signing in to Wootric: one token for the whole process, renewed before it expires."""

from __future__ import annotations

import re
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

import requests
from singer_sdk.authenticators import OAuthAuthenticator

from tap_wootric.config import CLIENT_CREDENTIALS, PASSWORD, base_url
from tap_wootric.errors import CredentialsError, ServerError
from tap_wootric.retries import reason, retried
from tap_wootric.transport import PacedAdapter, new_session

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

LIFETIME = 7200
"""Seconds; documented, and assumed where a reply does not tell."""

RENEWAL_MARGIN = 60
"""Seconds before its end at which a token is renewed, or half the lifetime of a short one."""


LONGEST_LIFETIME = 10 * 365 * 86_400

TOKEN = re.compile(r"[\x21-\x7e]+")


class _TokenFaultError(Exception):
    """A token request failed in a way that may pass."""


class WootricAuthenticator(OAuthAuthenticator):
    """Adds a bearer token to requests; safe to share between streams and threads."""

    def __init__(self, config: Mapping[str, Any], adapter: PacedAdapter) -> None:
        """Take validated settings, and what all requests go through."""
        super().__init__(
            auth_endpoint=f"{base_url(config)}/oauth/token",
            client_id=config.get("client_id"),
            client_secret=config.get("client_secret"),
        )
        self._settings = config
        self._adapter = adapter
        self._session = new_session(adapter, self.auth_endpoint)
        self._lock = threading.Lock()
        self._renew_at = 0.0

    @property
    @override
    def oauth_request_body(self) -> dict[str, Any]:
        """Form fields of the token request; never in the URL, which is logged on the way."""
        if self.refresh_token:
            return {"grant_type": "refresh_token", "refresh_token": self.refresh_token}
        if self._settings.get("grant_type") == PASSWORD:
            return {
                "grant_type": PASSWORD,
                "username": self._settings["username"],
                "password": self._settings["password"],
            }
        return {
            "grant_type": CLIENT_CREDENTIALS,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        }

    @override
    def is_token_valid(self) -> bool:
        return self.access_token is not None and time.monotonic() < self._renew_at

    @override
    def authenticate_request(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        with self._lock:
            return super().authenticate_request(request)

    def reject(self, authorization: object) -> None:
        """A request with this `Authorization` header was refused: sign in again, once for all."""
        with self._lock:
            if authorization == f"Bearer {self.access_token}":
                self.access_token = None

    @override
    def update_access_token(self) -> None:
        budget = self._settings["retry_budget_seconds"]
        sent = time.monotonic()
        send = retried(
            self._send,
            errors=(_TokenFaultError, requests.RequestException),
            budget=budget,
            limited=lambda: self._adapter.waited,
            on_backoff=lambda details: self._adapter.tell_retry("Signing in", details),
        )
        try:
            answer = send()
        except (_TokenFaultError, requests.RequestException) as error:
            message = (
                f"Signing in at {self.auth_endpoint} failed for {budget} s, at last with "
                f"{reason(error)}. Check 'api_url' and 'region', or try again later."
            )
            raise ServerError(message) from None
        self.access_token = answer["access_token"]
        self.refresh_token = answer.get("refresh_token")
        lifetime = _seconds(answer.get("expires_in"))
        self._renew_at = sent + lifetime - min(RENEWAL_MARGIN, lifetime / 2)

    def _send(self) -> dict[str, Any]:
        token = self._settings.get("account_token")
        response = self._session.post(
            self.auth_endpoint,
            data=self.oauth_request_payload,
            params={"account_token": token} if token else None,
            timeout=self._settings["request_timeout"],
            allow_redirects=False,
            headers={"User-Agent": self._settings["user_agent"]},
        )
        if response.status_code in {400, 401, 403}:
            if not self.refresh_token:
                self._refuse(response.status_code)
            self.refresh_token = None  # outlived: sign in from the beginning
            return self._send()
        if response.status_code in {404, 405}:
            self._not_found(response.status_code)
        try:
            answer = response.json() if response.status_code == requests.codes.ok else None
        except ValueError:
            answer = None
        answer = answer if isinstance(answer, dict) else {}
        token = answer.get("access_token")
        if not isinstance(token, str) or not TOKEN.fullmatch(token):  # a header could not hold it
            raise _TokenFaultError(f"HTTP {response.status_code} without a token")
        return answer

    def _refuse(self, status: int) -> None:
        names = "'client_id' and 'client_secret'"
        if self._settings.get("grant_type") == PASSWORD:
            names = "'username', 'password' and 'account_token'"
        message = (
            f"Wootric rejected the credentials (HTTP {status} from {self.auth_endpoint}). "
            f"Check the settings {names}, and that 'region' is the region of the account."
        )
        raise CredentialsError(message)

    def _not_found(self, status: int) -> None:
        """Raise; Wootric returns 404 for an unknown account token (seen in its mobile SDKs)."""
        if self._settings.get("account_token"):
            raise CredentialsError(
                f"Account not found (HTTP {status} from {self.auth_endpoint}). "
                "Check 'account_token', and that 'region' is the region of the account."
            )
        raise ServerError(
            f"Token endpoint not found at {self.auth_endpoint} (HTTP {status}). "
            "Check 'region', and that 'api_url' has no path."
        )


def _seconds(lifetime: Any) -> float:
    """A lifetime as the reply tells it, or the documented one where it tells none."""
    try:
        seconds = float(lifetime)
    except (TypeError, ValueError, OverflowError):
        return LIFETIME
    return seconds if 0 < seconds < LONGEST_LIFETIME else LIFETIME
