"""Sign-in: one token for the process, renewed in time, and errors that name what to check."""

import time
from typing import Any

import pytest
import responses
from connector_sandbox import Sandbox
from responses.matchers import query_param_matcher, urlencoded_params_matcher

from tap_wootric.api.authenticator import LIFETIME, RENEWAL_MARGIN, WootricAuthenticator
from tap_wootric.errors import SignInFailedError, SignInRejectedError, TapError, TokenEndpointError

from .conftest import TOKEN, URL, connect, in_threads, requests_to

PASSWORD = {"grant_type": "password", "username": "ada", "password": "lovelace"}


def authenticator(*arguments: Any, **settings: Any) -> WootricAuthenticator:
    return connect(*arguments, **settings)._authenticator


def test_one_token_serves_all_threads(sandbox: Sandbox) -> None:
    sandbox.options.latency = 0.05
    client = connect(sandbox)

    in_threads(lambda: client.get("/v1/responses"))

    assert len(requests_to(sandbox, "/oauth/token")) == 1
    assert {r.headers["user-agent"] for r in sandbox.requests} == {"acme/1"}


def test_a_token_is_renewed_before_it_expires(sandbox: Sandbox) -> None:
    sandbox.options.token_lifetime = 0.4
    client = connect(sandbox, retry_budget_seconds=0)

    end = time.monotonic() + 0.6
    while time.monotonic() < end:
        client.get("/v1/segments")

    assert {request.status for request in sandbox.requests} == {200}
    assert 2 <= len(requests_to(sandbox, "/oauth/token")) <= 5


@pytest.mark.parametrize(
    ("expires_in", "renewed_after"),
    [(9000, 9000 - RENEWAL_MARGIN), (10, 5), ("10", 5), (None, LIFETIME - RENEWAL_MARGIN)],
)
def test_the_lifetime_is_that_of_the_reply_or_the_documented_one(
    expires_in: object, renewed_after: float
) -> None:
    with responses.RequestsMock() as server:
        server.post(f"{URL}/oauth/token", json={**TOKEN, "expires_in": expires_in})
        found = authenticator(URL)
        found.update_access_token()

    assert found.is_token_valid()
    assert found._renew_at - time.monotonic() == pytest.approx(renewed_after, abs=2)


def test_a_late_rejection_of_an_old_token_keeps_the_new_one(sandbox: Sandbox) -> None:
    found = authenticator(sandbox)
    found.update_access_token()
    old = f"Bearer {found.access_token}"
    found.reject(old)
    found.update_access_token()

    found.reject(old)

    assert found.is_token_valid()


@pytest.mark.parametrize(
    ("settings", "form"),
    [
        ({}, {"grant_type": "client_credentials", "client_id": "id", "client_secret": "s3cr3t"}),
        (PASSWORD, PASSWORD),
    ],
)
def test_credentials_are_sent_in_the_body_and_the_account_token_in_the_query(
    settings: dict[str, str], form: dict[str, str]
) -> None:
    account = query_param_matcher({"account_token": "NPS-t0k"})
    with responses.RequestsMock() as server:
        server.post(
            f"{URL}/oauth/token", json=TOKEN, match=[urlencoded_params_matcher(form), account]
        )
        authenticator(URL, **settings).update_access_token()


REJECTED = f"from {URL}/oauth/token). Check"
CLIENT = "'client_id', 'client_secret', 'account_token' and 'region'."
PERSON = "'username', 'password', 'account_token' and 'region'."
ENDPOINT = "Check 'account_token' and 'region', and that 'api_url' has no path."
NO_TOKEN = "HTTP 200 without a token"


@pytest.mark.parametrize(
    ("reply", "settings", "kind", "text"),
    [
        ({"status": 400}, {}, SignInRejectedError, f"(HTTP 400 {REJECTED} {CLIENT}"),
        ({"status": 401}, {}, SignInRejectedError, f"(HTTP 401 {REJECTED} {CLIENT}"),
        ({"status": 403}, PASSWORD, SignInRejectedError, f"(HTTP 403 {REJECTED} {PERSON}"),
        ({"status": 302}, {}, TokenEndpointError, ENDPOINT),
        ({"status": 404}, {}, TokenEndpointError, ENDPOINT),
        ({"status": 405}, {}, TokenEndpointError, ENDPOINT),
        ({"json": {}}, {}, SignInFailedError, NO_TOKEN),
        ({"json": []}, {}, SignInFailedError, NO_TOKEN),
        ({"json": {"access_token": 5}}, {}, SignInFailedError, NO_TOKEN),
        ({"json": {"access_token": "two\nlines"}}, {}, SignInFailedError, NO_TOKEN),
    ],
    ids=str,
)
def test_a_failed_sign_in_names_what_to_check(
    reply: dict[str, Any], settings: dict[str, str], kind: type[TapError], text: str
) -> None:
    with responses.RequestsMock() as server:
        server.post(f"{URL}/oauth/token", **reply)
        with pytest.raises(kind) as caught:
            connect(URL, retry_budget_seconds=0, **settings).get("/v1/responses")

        assert len(server.calls) == 1
    assert text in str(caught.value)
