"""Privacy: only records contain personal data, and nothing contains a secret."""

import json
from typing import Any

import pytest

from .helpers import INCREMENTAL, Account, Output

FAULTS = ("429", "500", "503", "reset", "cut", "html", "object", "revoke")
LOGIN = ("username", "password", "account_token")


def secrets(account: Account) -> set[str]:
    """Return all credentials, and the tokens that were issued."""
    sandbox = account.sandbox
    sent = {request.headers.get("authorization", "") for request in sandbox.requests}
    tokens = {value.removeprefix("Bearer ") for value in sent if value}
    assert tokens
    return tokens | {sandbox.client_secret, *(getattr(sandbox, name) for name in LOGIN)}


def without_records(output: Output) -> str:
    """Return the log and all other messages."""
    others = [m for m in output.messages if m["type"] != "RECORD"]
    return output.log + json.dumps(others, ensure_ascii=False)


@pytest.mark.parametrize(
    "grant", ["password", pytest.param("client_credentials", marks=pytest.mark.long)]
)
def test_no_log_line_url_or_state_holds_a_secret_or_personal_data(
    account: Account, monkeypatch: pytest.MonkeyPatch, grant: str
) -> None:
    """At the level DEBUG and with every kind of fault. The API requires the token in one URL."""
    sandbox = account.sandbox
    settings: dict[str, Any] = {"grant_type": grant}
    if grant == "password":
        settings |= {"client_id": None, "client_secret": None}
        settings |= {name: getattr(sandbox, name) for name in LOGIN}
    for number, name in enumerate(FAULTS):
        details = {"reset_in": 1} if name == "429" else {}
        sandbox.faults.on(name, times=1, after=2 * number, **details)
    for variable in ("LOGLEVEL", "TAP_WOOTRIC_LOGLEVEL"):
        monkeypatch.setenv(variable, "DEBUG")

    output = account.start(INCREMENTAL, **settings).finish()

    assert output.code == 0
    assert "DEBUG" in output.log
    words = secrets(account) | account.people()
    assert len(words) > 300
    assert {word for word in words if word in without_records(output)} == set()
    for request in sandbox.requests:
        is_sign_in = request.path.endswith("/oauth/token")
        allowed = {sandbox.account_token} if is_sign_in else set()
        assert set(request.query.values()) & secrets(account) <= allowed
