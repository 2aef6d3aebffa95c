"""Tokens: one for the process, renewed in time, once, and after an early end."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
import requests

from tap_wootric.auth import RENEWAL_MARGIN
from tap_wootric.tap import TapWootric

from .helpers import INCREMENTAL, Account, assert_complete


def test_one_token_serves_all_streams(account: Account) -> None:
    """And all requests of each."""
    account.sync((*INCREMENTAL, "segments"), page_size=25)

    assert len(account.tokens) == 1


def test_a_token_is_renewed_before_it_expires(make_account: Any) -> None:
    """Tokens of two seconds: no request is ever refused."""
    account = make_account(responses=1500)
    account.sandbox.options.token_lifetime = 2
    account.sandbox.options.latency = 0.06

    output = account.sync(page_size=30, max_concurrency=1)

    assert_complete(account, output.records())
    assert {request.status for request in account.lists()} == {200}
    duration = account.lists()[-1].finished - account.lists()[0].started
    assert duration > 2
    assert len(account.tokens) <= duration + 2


def test_a_long_lived_token_is_renewed_a_minute_early(account: Account) -> None:
    """Clocks differ, and requests take time."""
    account.sandbox.options.token_lifetime = 7200
    authenticator = TapWootric(config=account.config).authenticator
    authenticator.update_access_token()

    assert authenticator.is_token_valid()
    assert authenticator._renew_at - time.monotonic() == pytest.approx(7200 - RENEWAL_MARGIN, abs=2)


@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_token_that_is_revoked_early_is_replaced(make_account: Any, concurrency: int) -> None:
    """As often as that happens, with one sign-in each and no loss."""
    account = make_account(responses=1500)
    revoked = []

    def revoke(number: int, path: str) -> None:
        if number % 9 == 0:
            account.sandbox.tokens.revoke_all()
            revoked.append(path)

    account.sandbox.before_request(revoke)
    output = account.sync(page_size=50, max_concurrency=concurrency, retry_budget_seconds=0)

    assert output.code == 0
    assert len(revoked) >= 3
    assert_complete(account, output.records())
    assert len(account.tokens) <= 1 + len(revoked)


def test_many_threads_renew_a_token_once(account: Account) -> None:
    """One signs in, the others wait for it."""
    account.sandbox.options.latency = 0.05
    authenticator = TapWootric(config=account.config).authenticator
    requests_ = [requests.Request("GET", account.sandbox.url).prepare() for _ in range(8)]

    def sign_all() -> list[str]:
        threads = [
            threading.Thread(target=authenticator.authenticate_request, args=(request,))
            for request in requests_
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [request.headers["Authorization"] for request in requests_]

    first = sign_all()
    for request in requests_:
        authenticator.reject(request.headers["Authorization"])
    second = sign_all()

    assert len(set(first)) == len(set(second)) == 1
    assert first != second
    assert len(account.tokens) == 2


def test_a_late_refusal_of_an_old_token_leaves_the_new_one(account: Account) -> None:
    """A slow reply must not throw away what another thread has just got."""
    authenticator = TapWootric(config=account.config).authenticator
    authenticator.update_access_token()
    old = f"Bearer {authenticator.access_token}"
    authenticator.reject(old)
    authenticator.update_access_token()
    authenticator.reject(old)

    assert authenticator.is_token_valid()


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"client_id": "wrong"}, ("'client_id'", "'client_secret'", "'region'")),
        ({"client_secret": "wrong"}, ("'client_id'", "'client_secret'", "'region'")),
        (
            {"grant_type": "password", "username": "a", "password": "wrong"},
            ("'username'", "'password'", "'account_token'", "'region'"),
        ),
    ],
)
def test_wrong_credentials_end_at_once_and_say_so(
    account: Account, settings: dict[str, str], names: tuple[str, ...]
) -> None:
    """One request, one line, exit 1, the settings to check."""
    output = account.sync(**settings)

    assert output.code == 1
    assert "rejected the credentials (HTTP 401" in output.error
    assert all(name in output.error for name in names)
    assert "Traceback" not in output.log
    assert len(account.tokens) == 1
    assert output.records() == []
    assert account.lists() == []


def test_a_token_that_is_always_refused_ends_after_three_tries(account: Account) -> None:
    """It is the right that is missing, not the token."""
    account.sandbox.faults.on("revoke", share=1, path="/v1/responses")

    output = account.sync()

    assert output.code == 1
    assert "refuses 'responses' with a fresh token (HTTP 401)" in output.error
    assert "'client_id'" in output.error
    assert len(account.lists()) == 3
    assert len(account.tokens) <= 4


def test_an_answer_without_a_token_is_asked_for_again(account: Account) -> None:
    """A proxy's page with status 200 is no refusal of the credentials."""
    account.sandbox.faults.on("object", share=1, path="/oauth/token")

    output = account.sync(retry_budget_seconds=1)

    assert output.code == 1
    assert "HTTP 200 without a token" in output.error
    assert len(account.tokens) > 1


def test_an_address_without_a_sign_in_ends_at_once_and_says_so(account: Account) -> None:
    """Most likely the path of the lists was pasted with it; trying again would not help."""
    output = account.sync(api_url=f"{account.sandbox.wootric_url}/v1")

    assert output.code == 1
    assert "'api_url'" in output.error
    assert "HTTP 404" in output.error
    assert len(account.sandbox.requests) == 1
