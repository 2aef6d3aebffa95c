"""Privacy: only records contain personal data, and nothing contains a secret."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import responses

from .helpers import INCREMENTAL, Account, Output, Process

ALL = (*INCREMENTAL, "segments", "nps_summary", "survey_templates", "email_stats")

MAIL = "ada@example.com"
LEAKY = f'{{"error": "no such account {MAIL}", "comment": "I hate it", "secret": "s3cr3t"}}'

FAULTS = ("429", "500", "503", "reset", "cut", "html", "object", "revoke")


def people(account: Account) -> set[str]:
    """Return all contact data and comments of the account."""
    rows = [row for stream in INCREMENTAL for row in account.truth(stream).values()]
    names = ("email", "phone_number", "ip_address", "text")
    found = {str(row[name]).strip() for row in rows for name in names if row.get(name)}
    return {text for text in found if len(text) > 5}


def secrets(account: Account) -> set[str]:
    """Return all credentials, and the tokens that were issued."""
    sandbox = account.sandbox
    sent = {request.headers.get("authorization", "") for request in sandbox.requests}
    tokens = {value.removeprefix("Bearer ") for value in sent if value}
    assert tokens
    return tokens | {sandbox.client_secret, sandbox.password, sandbox.account_token}


def said(output: Output) -> str:
    """Return the log and all messages except the records."""
    others = [m for m in output.messages if m["type"] != "RECORD"]
    return output.log + json.dumps(others, ensure_ascii=False)


GRANTS: dict[str, Any] = {
    "client_credentials": {},
    "password": {"grant_type": "password", "client_id": None, "client_secret": None},
}


@pytest.mark.parametrize(
    "grant", ["password", pytest.param("client_credentials", marks=pytest.mark.long)]
)
def test_no_log_line_error_or_state_holds_a_secret_or_personal_data(
    account: Account, tmp_path: Path, grant: str
) -> None:
    """At the level DEBUG, with every kind of fault and both grants."""
    sandbox = account.sandbox
    settings = dict(GRANTS[grant])
    if grant == "password":
        settings |= {name: getattr(sandbox, name) for name in ("username", "password")}
        settings |= {"account_token": sandbox.account_token}
    for number, name in enumerate(FAULTS):
        details = {"reset_in": 1} if name == "429" else {}
        sandbox.faults.on(name, times=1, after=2 * number, **details)
    options = account.options(INCREMENTAL, **settings)

    output = Process(options, tmp_path, LOGLEVEL="DEBUG", TAP_WOOTRIC_LOGLEVEL="DEBUG").finish()

    assert output.code == 0
    assert "DEBUG" in output.log
    words = secrets(account) | people(account) | {sandbox.username}
    assert len(words) > 300
    assert {word for word in words if word in said(output)} == set()


def test_no_url_holds_a_secret(account: Account) -> None:
    """Except the account token, which the API requires in the URL of the token request."""
    sandbox = account.sandbox
    names = ("username", "password", "account_token")
    account.sync(
        ALL,
        grant_type="password",
        **{name: getattr(sandbox, name) for name in names},
        start_date=(sandbox.store.now()).date().isoformat(),
    )

    for request in sandbox.requests:
        values = set(request.query.values())
        if request.path.endswith("/oauth/token"):
            assert request.query.keys() <= {"account_token"}
            values -= {sandbox.account_token}
        assert not values & secrets(account)


@pytest.mark.parametrize("status", [400, 401, 404, 503])
@pytest.mark.parametrize("is_token_request", [True, False])
def test_the_body_of_an_error_reply_is_not_logged(
    account: Account, status: int, is_token_request: bool
) -> None:
    """It can contain personal data."""
    url = account.sandbox.wootric_url
    with responses.RequestsMock(assert_all_requests_are_fired=False) as server:
        token = {"access_token": "t0k3n", "expires_in": 7200}
        server.post(f"{url}/oauth/token", json=token)
        if is_token_request:
            server.replace("POST", f"{url}/oauth/token", body=LEAKY, status=status)
        server.get(re.compile(f"{url}/v1/.*"), body=LEAKY, status=status)
        output = account.sync(retry_budget_seconds=0)

    assert output.code == 1
    assert str(status) in output.error
    assert len(output.error.splitlines()) == 1
    for word in (MAIL, "hate", "s3cr3t", "t0k3n", account.sandbox.client_secret):
        assert word not in said(output)


def test_an_unreadable_value_is_named_and_not_shown(account: Account) -> None:
    """The log contains the name of the field."""
    number = min(account.truth())
    account.sandbox.store.change(number, end_user=f"{MAIL} says: I hate it")

    output = account.sync()

    assert "end_user" in output.log
    assert MAIL not in said(output)
    assert "hate" not in said(output)
