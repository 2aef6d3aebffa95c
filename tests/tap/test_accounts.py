"""Accounts: where Wootric lives, and every way to sign in there."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
import responses

from tap_wootric.tap import TapWootric

from .helpers import Account, assert_complete

HOSTS = tomllib.loads(Path(__file__).with_name("settings.toml").read_text())["hosts"]
APP = {"client_id": "an-id", "client_secret": "a-secret"}


@pytest.mark.parametrize(
    ("base", "settings"), [(host, x) for host, cases in HOSTS.items() for x in cases]
)
def test_region_or_else_the_account_token_selects_the_host_of_every_request(
    base: str, settings: dict[str, str]
) -> None:
    tap = TapWootric(config={**APP, **settings})
    with responses.RequestsMock() as wootric:
        token = wootric.post(f"{base}/oauth/token", json={"access_token": "t"})
        wootric.get(f"{base}/v1/segments", json=[{"name": "plan"}])
        listed = wootric.get(f"{base}/v1/responses", json=[])

        records = list(tap.streams["segments"].get_records(None))
        list(tap.streams["responses"].get_records(None))

    assert [record["name"] for record in records] == ["plan"]
    assert (token.call_count, listed.call_count) == (1, 1)


@pytest.mark.parametrize(
    ("settings", "is_warned"),
    [
        ({"region": "us", "account_token": "NPS-EU1"}, True),
        ({"region": "EU", "account_token": "NPS-EU1"}, False),
        ({"region": "us", "account_token": "NPS-EU1", "api_url": "https://a.example"}, False),
    ],
)
def test_a_region_that_differs_from_the_account_token_is_a_warning(
    caplog: pytest.LogCaptureFixture, settings: dict[str, str], is_warned: bool
) -> None:
    TapWootric(config={**APP, **settings})

    assert ("belongs to 'eu'" in caplog.text) == is_warned
    assert "NPS-EU1" not in caplog.text


def test_a_login_and_the_account_token_choose_one_of_several_accounts(account: Account) -> None:
    """Instead of an API client, token after token."""
    sandbox = account.sandbox
    sandbox.options.several_accounts = True
    sandbox.options.token_lifetime = 0.2
    sandbox.options.latency = 0.03
    login: dict[str, Any] = {"client_id": None, "client_secret": None, "grant_type": "password"}
    login |= {"username": sandbox.username, "password": sandbox.password, "page_size": 25}

    without = account.sync(**login)
    output = account.sync(**login, account_token=sandbox.account_token)

    assert "'account_token'" in without.error
    assert_complete(account, output.records())
    assert len(account.lists("token")) > 3
