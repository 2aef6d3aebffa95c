"""Accounts: where Wootric lives, and every way to sign in there."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import responses

from tap_wootric.tap import TapWootric

from .helpers import Account, assert_complete

APP = {"client_id": "an-id", "client_secret": "a-secret"}


def login(account: Account, **more: Any) -> dict[str, Any]:
    """The settings of a person's login, and none of an API client."""
    sandbox = account.sandbox
    return {
        "client_id": None,
        "client_secret": None,
        "grant_type": "password",
        "username": sandbox.username,
        "password": sandbox.password,
        **more,
    }


def test_client_credentials_are_the_default(account: Account) -> None:
    """In the body of the token request, which has no query."""
    base = "https://api.wootric.com"
    with responses.RequestsMock() as wootric:
        wootric.post(f"{base}/oauth/token", json={"access_token": "t"})
        wootric.get(f"{base}/v1/segments", json=[])
        list(TapWootric(config=APP).streams["segments"].get_records(None))
        token, listed = (call.request for call in wootric.calls)

    assert dict(parse_qsl(token.body)) == {"grant_type": "client_credentials", **APP}
    assert "?" not in token.url
    assert listed.headers["Authorization"] == "Bearer t"


def test_a_login_can_be_used(account: Account) -> None:
    """With user name and password instead of an API client."""
    output = account.sync(**login(account))

    assert output.code == 0
    assert_complete(account, output.records())


def test_the_account_token_chooses_one_of_several_accounts(account: Account) -> None:
    """It goes to the token endpoint alone."""
    account.sandbox.options.several_accounts = True

    without = account.sync(**login(account))
    with_it = account.sync(**login(account, account_token=account.sandbox.account_token))

    assert without.code == 1
    assert "'account_token'" in without.error
    assert with_it.code == 0
    assert_complete(account, with_it.records())
    assert all(r.query.keys().isdisjoint({"account_token"}) for r in account.lists())


def test_a_grant_is_used_all_through(account: Account) -> None:
    """Expiry after expiry."""
    account.sandbox.options.token_lifetime = 0.2
    account.sandbox.options.latency = 0.03

    output = account.sync(page_size=25, max_concurrency=1, **login(account))

    assert_complete(account, output.records())
    assert len(account.tokens) > 2
    assert {request.status for request in account.tokens} == {200}
