"""The OAuth 2 token endpoint of the Wootric API."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
import requests

if TYPE_CHECKING:
    from connector_sandbox import Sandbox
    from requests import Response

    from tests.conftest import SignedIn


@pytest.fixture
def client_form(sandbox: Sandbox) -> dict[str, str]:
    """The form of the client credentials grant."""
    return {
        "grant_type": "client_credentials",
        "client_id": sandbox.client_id,
        "client_secret": sandbox.client_secret,
    }


@pytest.fixture
def login_form(sandbox: Sandbox) -> dict[str, str]:
    """The form of the password grant."""
    return {
        "grant_type": "password",
        "username": sandbox.username,
        "password": sandbox.password,
    }


def outcome(reply: Response) -> tuple[int, str | None]:
    """Status and the name of the error."""
    return reply.status_code, reply.json().get("error")


def test_client_credentials_give_a_token_of_two_hours(
    wootric: SignedIn, client_form: dict[str, str]
) -> None:
    """access_token, token_type Bearer, expires_in 7200, scope (words), created_at (doc)."""
    reply = wootric.token(client_form).json()

    assert reply.pop("access_token")
    assert 0 <= time.time() - reply.pop("created_at") < 5
    assert "read" in reply.pop("scope").split()
    assert reply == {"token_type": "Bearer", "expires_in": 7200}


@pytest.mark.parametrize(("secret", "status"), [("sandbox-client-secret", 200), ("wrong", 401)])
def test_basic_client_authentication_works(wootric: SignedIn, secret: str, status: int) -> None:
    """HTTP Basic client authentication works too (live26)."""
    url = f"{wootric.sandbox.wootric_url}/oauth/token"
    login = (wootric.sandbox.client_id, secret)
    form = {"grant_type": "client_credentials"}

    assert requests.post(url, form, auth=login, timeout=5).status_code == status


def test_the_password_grant_adds_a_refresh_token(
    wootric: SignedIn, login_form: dict[str, str]
) -> None:
    """User name and password give the same and a refresh_token (doc)."""
    reply = wootric.token(login_form).json()

    assert set(reply) == {
        "access_token",
        "token_type",
        "expires_in",
        "scope",
        "created_at",
        "refresh_token",
    }


def test_a_refresh_token_gives_a_new_pair_once(
    wootric: SignedIn, login_form: dict[str, str]
) -> None:
    """The same and a new refresh_token (doc); the old one is used up (infer)."""
    old = wootric.token(login_form).json()["refresh_token"]
    first = wootric.token({"grant_type": "refresh_token", "refresh_token": old})
    second = wootric.token({"grant_type": "refresh_token", "refresh_token": old})

    assert first.json()["refresh_token"] != old
    assert outcome(second) == (401, "invalid_grant")


def test_credentials_in_the_url_are_not_read(
    wootric: SignedIn, client_form: dict[str, str]
) -> None:
    """Form fields go into the body, never into the URL (doc)."""
    reply = wootric.token({}, client_form)

    assert reply.status_code == 400


def test_a_login_with_several_accounts_needs_its_account_token(
    wootric: SignedIn, login_form: dict[str, str]
) -> None:
    """Such a login adds ?account_token=NPS-... to the token URL (doc)."""
    wootric.sandbox.options.several_accounts = True
    refused = wootric.token(login_form)
    right = wootric.token(login_form, {"account_token": wootric.sandbox.account_token})

    assert (refused.status_code, right.status_code) == (401, 200)


def test_a_wrong_account_token_is_404(wootric: SignedIn, client_form: dict[str, str]) -> None:
    """404 with error and status (sdk)."""
    reply = wootric.token(client_form, {"account_token": "NPS-wrong"})

    assert (reply.status_code, reply.json()) == (404, {"error": "Not found", "status": 404})


@pytest.mark.parametrize("field", ["client_id", "client_secret"])
def test_wrong_client_credentials_are_401(
    wootric: SignedIn, client_form: dict[str, str], field: str
) -> None:
    """Wrong credentials: 401 with error and error_description (infer)."""
    reply = wootric.token(client_form | {field: "wrong"})

    assert outcome(reply) == (401, "invalid_client")
    assert reply.json()["error_description"]


@pytest.mark.parametrize("field", ["username", "password"])
def test_a_wrong_login_is_401(wootric: SignedIn, login_form: dict[str, str], field: str) -> None:
    """Wrong credentials: 401 with error and error_description (infer)."""
    assert outcome(wootric.token(login_form | {field: "wrong"})) == (401, "invalid_grant")


@pytest.mark.parametrize("form", [{}, {"grant_type": "magic"}])
def test_an_unknown_grant_is_400(wootric: SignedIn, form: dict[str, str]) -> None:
    """An unknown grant: 400 (infer)."""
    assert outcome(wootric.token(form)) == (400, "unsupported_grant_type")


@pytest.mark.parametrize("authorization", ["", "Bearer wrong", "Basic abc"])
def test_data_needs_a_bearer_token(wootric: SignedIn, authorization: str) -> None:
    """Requests carry Authorization: Bearer (doc); a wrong token is 401 (doc)."""
    wootric.session.headers["Authorization"] = authorization

    assert wootric.get("responses").status_code == 401


def test_a_token_ends_with_its_lifetime(wootric: SignedIn) -> None:
    """A token lives for expires_in seconds (doc), here for less than one."""
    wootric.sandbox.options.token_lifetime = 0.6
    wootric.sign_in()
    fresh = wootric.get("responses").status_code
    time.sleep(0.65)

    assert (fresh, wootric.get("responses").status_code) == (200, 401)


def test_a_server_can_revoke_a_token_sooner(wootric: SignedIn) -> None:
    """A server can revoke a token before its time (infer); a new one works."""
    wootric.sandbox.tokens.revoke_all()
    revoked = wootric.get("responses").status_code
    wootric.sign_in()

    assert (revoked, wootric.get("responses").status_code) == (401, 200)
