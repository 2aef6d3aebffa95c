"""The OAuth 2 token endpoint."""

from __future__ import annotations

import secrets
import time
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from connector_sandbox.messages import Reply, json_reply

if TYPE_CHECKING:
    from connector_sandbox.credentials import Credentials
    from connector_sandbox.messages import Request
    from connector_sandbox.options import Options


class Tokens:
    """Issues, checks and revokes access tokens."""

    def __init__(self, options: Options, credentials: Credentials) -> None:
        self._options = options
        self._credentials = credentials
        self._lock = Lock()
        self._valid_until: dict[str, float] = {}
        self._refresh: set[str] = set()
        self.issued = 0

    def answer(self, request: Request, body: bytes) -> Reply:
        """`POST /oauth/token`; of the query nothing but `account_token` is read."""
        form = dict(parse_qsl(body.decode(errors="replace")))
        grants = {
            "client_credentials": self._client_credentials,
            "password": self._password,
            "refresh_token": self._refresh_token,
        }
        grant = grants.get(form.get("grant_type", ""))
        if grant is None:
            return _refused(400, "unsupported_grant_type", "The grant type is not supported.")
        return grant(form, request.query.get("account_token"))

    def valid(self, authorization: str) -> bool:
        """Whether an `Authorization` header carries a token that lives."""
        kind, _, token = authorization.partition(" ")
        with self._lock:
            until = self._valid_until.get(token, 0.0)
        return kind.lower() == "bearer" and time.time() < until

    def revoke_all(self) -> None:
        """Every access token ends now, before its time; refresh tokens stay."""
        with self._lock:
            self._valid_until.clear()

    def _client_credentials(self, form: dict[str, str], _account: str | None) -> Reply:
        known = (self._credentials.client_id, self._credentials.client_secret)
        if (form.get("client_id"), form.get("client_secret")) != known:
            return _refused(401, "invalid_client", "Client authentication failed.")
        return self._issue(with_refresh=False)

    def _password(self, form: dict[str, str], account: str | None) -> Reply:
        known = (self._credentials.username, self._credentials.password)
        if (form.get("username"), form.get("password")) != known:
            return _refused(401, "invalid_grant", "The login is not valid.")
        if account != self._credentials.account_token and (
            account is not None or self._options.several_accounts
        ):
            return _refused(401, "invalid_grant", "The account token is missing or wrong.")
        return self._issue(with_refresh=True)

    def _refresh_token(self, form: dict[str, str], _account: str | None) -> Reply:
        with self._lock:
            known = form.get("refresh_token", "") in self._refresh
            self._refresh.discard(form.get("refresh_token", ""))
        if not known:
            return _refused(401, "invalid_grant", "The refresh token is not valid.")
        return self._issue(with_refresh=True)

    def _issue(self, *, with_refresh: bool) -> Reply:
        lifetime = self._options.token_lifetime
        token = secrets.token_hex(32)
        reply: dict[str, object] = {
            "access_token": token,
            "token_type": "bearer",
            "expires_in": int(lifetime) if lifetime >= 1 else lifetime,
            "scope": "public",
        }
        with self._lock:
            self.issued += 1
            self._valid_until[token] = time.time() + lifetime
            if with_refresh:
                reply["refresh_token"] = secrets.token_hex(32)
                self._refresh.add(str(reply["refresh_token"]))
        return json_reply(200, reply)


def _refused(status: int, error: str, description: str) -> Reply:
    return json_reply(status, {"error": error, "error_description": description})
