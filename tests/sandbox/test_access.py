"""Authentication and rate limit of the Wootric API."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests
from connector_sandbox import Sandbox

from tests.conftest import SignedIn

Form = dict[str, str]

CLIENT = {"grant_type": "client_credentials", "client_id": Sandbox.client_id}
CLIENT |= {"client_secret": Sandbox.client_secret}
LOGIN = {"grant_type": "password", "username": Sandbox.username, "password": Sandbox.password}
KEYS = {"access_token", "token_type", "expires_in", "scope", "created_at"}
HEADERS = ("X-Rate-Limit-Limit", "X-Rate-Limit-Remaining", "X-Rate-Limit-Reset")
PATHS = ("responses", "declines", "end_users", "segments", "survey_templates", "../v2/email_stats")


@pytest.mark.parametrize(("form", "more"), [(CLIENT, set()), (LOGIN, {"refresh_token"})])
def test_a_grant_returns_a_token_for_two_hours(wootric: SignedIn, form: Form, more: set[str]):
    """Only the password grant returns a refresh token (doc)."""
    reply = wootric.token(form).json()

    assert reply.keys() == KEYS | more
    assert (reply["token_type"], reply["expires_in"]) == ("Bearer", 7200)
    assert "read" in reply["scope"].split()
    assert abs(time.time() - reply["created_at"]) < 60


def test_a_refresh_token_works_once(wootric: SignedIn):
    """It returns a new pair (doc); it cannot be used again (infer)."""
    form = {"grant_type": "refresh_token"}
    form["refresh_token"] = wootric.token(LOGIN).json()["refresh_token"]
    first, second = wootric.token(form), wootric.token(form)

    assert first.json()["refresh_token"] != form["refresh_token"]
    assert (second.status_code, second.json()["error"]) == (401, "invalid_grant")


@pytest.mark.parametrize(
    ("form", "query", "status", "error"),
    [
        *[(CLIENT | {name: "x"}, {}, 401, "invalid_client") for name in [*CLIENT][1:]],
        *[(LOGIN | {name: "x"}, {}, 401, "invalid_grant") for name in [*LOGIN][1:]],
        ({"grant_type": "magic"}, {}, 400, "unsupported_grant_type"),
        ({}, CLIENT, 400, "unsupported_grant_type"),
        *[(form, {"account_token": "NPS-x"}, 404, "Not found") for form in (CLIENT, LOGIN)],
    ],
)
def test_invalid_sign_ins_are_refused(
    wootric: SignedIn, form: Form, query: Form, status: int, error: str
):
    """Credentials 401, grant 400 (infer); account token 404 (sdk); not in the URL (doc)."""
    reply = wootric.token(form, query)

    assert (reply.status_code, reply.json()["error"]) == (status, error)
    assert reply.json().get("status", status) == status


@pytest.mark.parametrize(("secret", "status"), [(Sandbox.client_secret, 200), ("wrong", 401)])
def test_basic_client_authentication_works(wootric: SignedIn, secret: str, status: int):
    """The client may authenticate by HTTP Basic (live)."""
    url, form = f"{wootric.sandbox.wootric_url}/oauth/token", {"grant_type": "client_credentials"}
    reply = requests.post(url, form, auth=(Sandbox.client_id, secret), timeout=5)

    assert reply.status_code == status


def test_a_login_with_several_accounts_needs_an_account_token(wootric: SignedIn):
    """It is a parameter of the token URL (doc)."""
    wootric.sandbox.options.several_accounts = True
    replies = [wootric.token(LOGIN, q) for q in ({}, {"account_token": Sandbox.account_token})]

    assert [reply.status_code for reply in replies] == [401, 200]


def test_data_needs_a_bearer_token(wootric: SignedIn):
    """A wrong or missing token is 401 (doc)."""
    for authorization in ("", "Bearer wrong", "Basic abc"):
        wootric.session.headers["Authorization"] = authorization
        assert wootric.get("responses").status_code == 401


def test_a_token_expires(wootric: SignedIn):
    """After `expires_in` seconds (doc)."""
    wootric.sandbox.options.token_lifetime = 0.5
    wootric.sign_in()
    time.sleep(0.55)

    assert wootric.get("responses").status_code == 401


def test_a_token_can_be_revoked(wootric: SignedIn):
    """A server can revoke it earlier (infer)."""
    wootric.sandbox.tokens.revoke_all()
    revoked = wootric.get("responses").status_code
    wootric.sign_in()

    assert (revoked, wootric.get("responses").status_code) == (401, 200)


@pytest.mark.parametrize("skew", [0.0, -7200.0])
def test_every_reply_announces_the_limit(wootric: SignedIn, skew: float):
    """Limit, remaining requests and reset (doc): whole seconds of the server's clock (infer)."""
    wootric.sandbox.options.rate_limit = (100, 3600)
    wootric.sandbox.options.utc_offset_seconds_clock = skew
    first, second = (wootric.get("responses").headers for _ in range(2))

    assert [first[name] for name in HEADERS[:2]] == ["100", "99"]
    assert second[HEADERS[1]] == "98"
    assert 0 < int(second[HEADERS[2]]) - (time.time() + skew) <= 3600


def test_beyond_the_limit_is_429_until_the_reset(wootric: SignedIn):
    """Without `Retry-After` (doc)."""
    wootric.sandbox.options.rate_limit = (3, 1)
    time.sleep(1.01 - time.time() % 1)
    replies = [wootric.get("segments") for _ in range(5)]
    refused = replies[-1]
    time.sleep(max(0.0, int(refused.headers[HEADERS[2]]) - time.time()) + 0.01)

    assert [reply.status_code for reply in replies] == [*[200] * 3, 429, 429]
    assert (refused.headers[HEADERS[1]], "Retry-After" in refused.headers) == ("0", False)
    assert wootric.get("segments").status_code == 200


def test_all_data_shares_the_limit_but_tokens_do_not_count(wootric: SignedIn):
    """The limit belongs to the account; only some endpoints are limited (doc)."""
    wootric.sandbox.options.rate_limit = (5, 36_000)
    wootric.sign_in()

    assert [wootric.get(path).status_code for path in PATHS] == [*[200] * 5, 429]


def test_without_a_limit_there_are_no_headers(wootric: SignedIn):
    """Missing headers mean that there is no limit (doc)."""
    assert not set(HEADERS) & set(wootric.get("responses").headers)


def test_a_429_may_have_no_headers(wootric: SignedIn):
    """Then the client waits a minute (infer)."""
    options: Any = wootric.sandbox.options
    options.rate_limit, options.rate_limit_headers = (1, 36_000), False
    replies = [wootric.get("segments") for _ in range(2)]

    assert [reply.status_code for reply in replies] == [200, 429]
    assert not any(set(HEADERS) & set(reply.headers) for reply in replies)
