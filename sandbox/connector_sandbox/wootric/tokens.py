"""The OAuth 2 token endpoint."""

from __future__ import annotations

import base64
import secrets
import time
from threading import Lock
from urllib.parse import parse_qsl, unquote_plus

from connector_sandbox.credentials import Credentials
from connector_sandbox.options import Options
from connector_sandbox.web.messages import Reply, Request, json_reply

SCOPE = "delete_account admin respond export read survey invalidate_response"


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
        """Answer `POST /oauth/token`. In the query, only `account_token` is read."""
        form = _basic(request.headers) | dict(parse_qsl(body.decode(errors="replace")))
        account = request.query.get("account_token")
        if account not in {None, self._credentials.account_token}:
            return json_reply(404, {"error": "Not found", "status": 404})
        grants = {
            "client_credentials": self._client_credentials,
            "password": self._password,
            "refresh_token": self._refresh_token,
        }
        grant = grants.get(form.get("grant_type", ""))
        if grant is None:
            return _refused(400, "unsupported_grant_type", "The grant type is not supported.")
        return grant(form, account)

    def valid(self, authorization: str) -> bool:
        """Return whether an `Authorization` header contains a valid token."""
        kind, _, token = authorization.partition(" ")
        with self._lock:
            until = self._valid_until.get(token, 0.0)
        return kind.lower() == "bearer" and time.time() < until

    def revoke_all(self) -> None:
        """Revoke all access tokens, but no refresh token."""
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
        if account is None and self._options.several_accounts:
            return _refused(401, "invalid_grant", "The account token is missing.")
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
            "token_type": "Bearer",
            "expires_in": int(lifetime) if lifetime >= 1 else lifetime,
            "scope": SCOPE,
            "created_at": int(time.time()),
        }
        with self._lock:
            self.issued += 1
            self._valid_until[token] = time.time() + lifetime
            if with_refresh:
                reply["refresh_token"] = secrets.token_hex(32)
                self._refresh.add(str(reply["refresh_token"]))
        return json_reply(200, reply)


def _basic(headers: dict[str, str]) -> dict[str, str]:
    """Return client id and secret of HTTP Basic authentication, if the header has them."""
    kind, _, value = headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return {}
    try:
        client_id, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except ValueError:
        return {}
    return {"client_id": unquote_plus(client_id), "client_secret": unquote_plus(secret)}


def _refused(status: int, error: str, description: str) -> Reply:
    return json_reply(status, {"error": error, "error_description": description})
