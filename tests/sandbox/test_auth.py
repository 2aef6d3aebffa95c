"""The OAuth 2 token endpoint of the Wootric API."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests
from connector_sandbox import Sandbox

from tests.conftest import SignedIn

CLIENT = {
    "grant_type": "client_credentials",
    "client_id": Sandbox.client_id,
    "client_secret": Sandbox.client_secret,
}
LOGIN = {"grant_type": "password", "username": Sandbox.username, "password": Sandbox.password}
KEYS = {"access_token", "token_type", "expires_in", "scope", "created_at"}
NOT_FOUND = {"error": "Not found", "status": 404}


@pytest.mark.parametrize(
    ("form", "keys"), [(CLIENT, KEYS), (LOGIN, KEYS | {"refresh_token"})], ids=["client", "login"]
)
def test_a_grant_returns_a_token_for_two_hours(
    wootric: SignedIn, form: dict[str, str], keys: set[str]
) -> None:
    """Only the password grant returns a refresh token (doc)."""
    reply = wootric.token(form).json()

    assert reply.keys() == keys
    assert (reply["token_type"], reply["expires_in"]) == ("Bearer", 7200)
    assert "read" in reply["scope"].split()
    assert abs(time.time() - reply["created_at"]) < 60


def test_a_refresh_token_works_once(wootric: SignedIn) -> None:
    """It returns a new pair (doc); it cannot be used again (infer)."""
    form = {"grant_type": "refresh_token"}
    form["refresh_token"] = wootric.token(LOGIN).json()["refresh_token"]
    first, second = wootric.token(form), wootric.token(form)

    assert first.json()["refresh_token"] != form["refresh_token"]
    assert (second.status_code, second.json()["error"]) == (401, "invalid_grant")


@pytest.mark.parametrize(
    ("form", "query", "status", "body"),
    [
        (CLIENT | {"client_id": "wrong"}, {}, 401, {"error": "invalid_client"}),
        (CLIENT | {"client_secret": "wrong"}, {}, 401, {"error": "invalid_client"}),
        (LOGIN | {"username": "wrong"}, {}, 401, {"error": "invalid_grant"}),
        (LOGIN | {"password": "wrong"}, {}, 401, {"error": "invalid_grant"}),
        ({"grant_type": "magic"}, {}, 400, {"error": "unsupported_grant_type"}),
        ({}, CLIENT, 400, {"error": "unsupported_grant_type"}),
        (CLIENT, {"account_token": "NPS-wrong"}, 404, NOT_FOUND),
        (LOGIN, {"account_token": "NPS-wrong"}, 404, NOT_FOUND),
    ],
)
def test_invalid_sign_ins_are_refused(
    wootric: SignedIn, form: dict[str, str], query: dict[str, str], status: int, body: Any
) -> None:
    """Credentials 401, grant 400 (infer); account token 404 (sdk); not in the URL (doc)."""
    reply = wootric.token(form, query)

    assert reply.status_code == status
    assert body.items() <= reply.json().items()


@pytest.mark.parametrize(
    ("secret", "status"), [(Sandbox.client_secret, 200), ("wrong", 401), (None, 401)]
)
def test_basic_client_authentication_works(
    wootric: SignedIn, secret: str | None, status: int
) -> None:
    """The client may authenticate by HTTP Basic (live)."""
    url, form = f"{wootric.sandbox.wootric_url}/oauth/token", {"grant_type": "client_credentials"}
    headers = {} if secret else {"Authorization": "Basic ?"}
    login = (Sandbox.client_id, secret) if secret else None

    assert requests.post(url, form, auth=login, headers=headers, timeout=5).status_code == status


def test_a_login_with_several_accounts_needs_an_account_token(wootric: SignedIn) -> None:
    """It is a parameter of the token URL (doc)."""
    wootric.sandbox.options.several_accounts = True
    replies = [wootric.token(LOGIN, q) for q in ({}, {"account_token": Sandbox.account_token})]

    assert [reply.status_code for reply in replies] == [401, 200]


@pytest.mark.parametrize("authorization", ["", "Bearer wrong", "Basic abc"])
def test_data_needs_a_bearer_token(wootric: SignedIn, authorization: str) -> None:
    """A wrong or missing token is 401 (doc)."""
    wootric.session.headers["Authorization"] = authorization

    assert wootric.get("responses").status_code == 401


def test_a_token_expires(wootric: SignedIn) -> None:
    """After `expires_in` seconds (doc)."""
    wootric.sandbox.options.token_lifetime = 0.5
    wootric.sign_in()
    time.sleep(0.55)

    assert wootric.get("responses").status_code == 401


def test_a_token_can_be_revoked(wootric: SignedIn) -> None:
    """A server can revoke it earlier (infer)."""
    wootric.sandbox.tokens.revoke_all()
    revoked = wootric.get("responses").status_code
    wootric.sign_in()

    assert (revoked, wootric.get("responses").status_code) == (401, 200)
