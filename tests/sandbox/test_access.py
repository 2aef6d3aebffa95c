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


def test_basic_client_authentication_works(wootric: SignedIn):
    """The client may authenticate by HTTP Basic (live)."""
    url, form = f"{wootric.sandbox.wootric_url}/oauth/token", {"grant_type": "client_credentials"}
    pairs = [(Sandbox.client_id, secret) for secret in (Sandbox.client_secret, "wrong")]

    assert [requests.post(url, form, auth=pair, timeout=5).status_code for pair in pairs] == [
        200,
        401,
    ]


def test_a_login_with_several_accounts_needs_an_account_token(wootric: SignedIn):
    """It is a parameter of the token URL (doc)."""
    wootric.sandbox.options.several_accounts = True
    replies = [wootric.token(LOGIN, q) for q in ({}, {"account_token": Sandbox.account_token})]

    assert [reply.status_code for reply in replies] == [401, 200]


def test_data_needs_a_valid_token(wootric: SignedIn):
    """A token is wrong or missing, expires (doc), or is revoked earlier (infer)."""
    wootric.sandbox.options.token_lifetime = 0.2
    wootric.sign_in()
    expires = wootric.session.headers["Authorization"]
    time.sleep(0.25)
    wootric.sandbox.options.token_lifetime = 7200
    wootric.sign_in()
    wootric.sandbox.tokens.revoke_all()
    revoked = wootric.session.headers["Authorization"]
    for authorization in ("", "Bearer wrong", "Basic abc", expires, revoked):
        wootric.session.headers["Authorization"] = authorization
        assert wootric.get("responses").status_code == 401


def test_every_reply_announces_the_limit(wootric: SignedIn):
    """Limit, remaining requests and reset (doc): whole seconds of the server's clock (infer)."""
    wootric.sandbox.options.rate_limit = (100, 3600)
    wootric.sandbox.options.utc_offset_seconds_clock = -7200.0
    replies = [wootric.get("responses").headers for _ in range(2)]
    shown = [[headers[name] for name in HEADERS] for headers in replies]

    assert [row[:2] for row in shown] == [["100", "99"], ["100", "98"]]
    assert 0 < int(shown[1][2]) - (time.time() - 7200) <= 3600


def test_beyond_the_limit_is_429_until_the_reset(wootric: SignedIn):
    """Without `Retry-After` (doc). The limit belongs to the account; tokens do not count (doc)."""
    wootric.sandbox.options.rate_limit = (5, 2)
    time.sleep(1.01 - time.time() % 1)
    wootric.sign_in()
    replies = [wootric.get(path) for path in PATHS]
    refused = replies[-1]
    time.sleep(max(0.0, int(refused.headers[HEADERS[2]]) - time.time()) + 0.01)

    assert [reply.status_code for reply in replies] == [*[200] * 5, 429]
    assert (refused.headers[HEADERS[1]], "Retry-After" in refused.headers) == ("0", False)
    assert wootric.get("segments").status_code == 200


def test_headers_about_the_limit_may_be_missing(wootric: SignedIn):
    """Without a limit (doc), and on a 429: then the client waits a minute (infer)."""
    options: Any = wootric.sandbox.options
    replies = [wootric.get("segments")]
    options.rate_limit, options.rate_limit_headers = (1, 36_000), False
    replies += [wootric.get("segments") for _ in range(2)]

    assert [reply.status_code for reply in replies] == [200, 200, 429]
    assert not any(set(HEADERS) & set(reply.headers) for reply in replies)
