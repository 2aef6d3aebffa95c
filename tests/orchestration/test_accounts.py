"""The list of accounts is checked before anything runs."""

import json
from pathlib import Path
from typing import Any

import pytest
from commands import block, shell

from .helpers import orchestration, write

from accounts import AccountsError, read  # isort: skip - in the folder that helpers.py adds

SECRETS = {
    "TAP_WOOTRIC_CLIENT_ID": "ACME_ID",
    "TAP_WOOTRIC_CLIENT_SECRET": "ACME_SECRET",
    "TARGET_BIRDIE_API_KEY": "ACME_KEY",
}
ACME = {"name": "acme", "secrets": SECRETS}
OTHER = {"name": "other", "secrets": SECRETS | {"TARGET_BIRDIE_API_KEY": "OTHER_KEY"}}
WRONG_SECRET = "secrets.TARGET_BIRDIE_API_KEY of account 'acme' must be the name of"
MISTAKES = [
    ({"name": "Acme"}, "name of account 'Acme' must be at most 40 lower-case letters"),
    ({"start_date": "31.1.2024"}, "start_date of account 'acme' must be a date"),
    ({"survey_kinds": {"nps": 3}}, "survey_kinds.nps of account 'acme' must be a list"),
    ({"survey_kinds": {"npx": [3]}}, "survey_kinds of account 'acme': 'npx' does not match"),
    ({"regoin": "eu"}, "account 'acme': Additional properties are not allowed ('regoin'"),
    ({"settings": {"TAP_WOOTRIC_PAGES": "1"}}, "account 'acme': TAP_WOOTRIC_PAGES is no"),
    ({"secrets": {"TARGET_BIRDIE_API_KEY": "K"}}, "secrets of account 'acme' must be"),
    ({"secrets": SECRETS | {"TARGET_BIRDIE_API_KEY": "sk-live-123"}}, WRONG_SECRET),
]


def test_the_example_is_checked_as_shown(tmp_path: Path):
    done = shell(block("docs/production.md", "orchestration check"), tmp_path, {})

    assert done.stdout == '["acme", "globex"]\n'


def test_all_mistakes_are_reported_at_once(tmp_path: Path):
    accounts = (ACME | {"region": "mars"}, ACME, ACME, "text")
    path = write(tmp_path / "accounts.yaml", *accounts, slots=96)

    done = orchestration("check", path)

    assert done.returncode == 1
    assert sorted(done.stderr.splitlines()) == [
        f"Error: {path}: 2 accounts have the name 'acme'",
        f"Error: {path}: 2 accounts share ACME_KEY: set different TARGET_BIRDIE_ID_PREFIX",
        f"Error: {path}: account 4 must be a mapping with 'name' and 'secrets'",
        f"Error: {path}: region of account 'acme' must be us, eu or au",
        f"Error: {path}: slots must be a whole number from 1 to 95",
    ]


@pytest.mark.parametrize(("change", "message"), MISTAKES)
def test_a_mistake_is_shown_with_its_place_and_no_secret(
    change: dict[str, Any], message: str, tmp_path: Path
):
    with pytest.raises(AccountsError) as caught:
        read(write(tmp_path / "list", ACME | change))

    assert str(caught.value).startswith(f"{tmp_path}/list: {message}")
    assert "\n" not in str(caught.value)
    assert "sk-live-123" not in str(caught.value)


@pytest.mark.parametrize("text", ["a: [", "", "accounts: []"])
def test_a_file_without_accounts_is_an_error(text: str, tmp_path: Path):
    (tmp_path / "list").write_text(text)

    with pytest.raises(AccountsError):
        read(tmp_path / "list")


def test_a_run_gets_the_settings_and_secrets_of_its_account_only(tmp_path: Path):
    given = {"ACME_ID": "1", "ACME_SECRET": "2", "ACME_KEY": "3", "OTHER_KEY": "4", "HOME": "/"}
    acme = ACME | {"region": "eu", "start_date": "2024-01-31", "survey_kinds": {"csat": [12]}}
    accounts = read(write(tmp_path / "list", acme, OTHER, slots=6))

    found = accounts.environment(accounts.find("0"), given)

    assert json.loads(found.pop("TARGET_BIRDIE_SURVEY_KINDS")) == {"csat": ["12"]}
    assert found == {
        "HOME": "/",
        "MELTANO_ENVIRONMENT": "prod",
        "TAP_WOOTRIC_CLIENT_ID": "1",
        "TAP_WOOTRIC_CLIENT_SECRET": "2",
        "TAP_WOOTRIC_REGION": "eu",
        "TAP_WOOTRIC_START_DATE": "2024-01-31",
        "TARGET_BIRDIE_ACCOUNT": "acme",
        "TARGET_BIRDIE_API_KEY": "3",
        "TARGET_BIRDIE_MAX_REQUESTS_PER_SECOND": "15.833",
        "TARGET_BIRDIE_ON_REJECT": "continue",
    }
    with pytest.raises(AccountsError, match=r"^Account 'acme': set ACME_SECRET, ACME_KEY\.$"):
        accounts.environment(accounts.find("acme"), {"ACME_ID": "1"})
