"""The list of accounts is checked before anything runs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from docs.shell import block, shell
from environments import ROOT

from .commands import FOLDER, environment, run

sys.path.insert(0, str(FOLDER))

from accounts import AccountsError, read

SECRETS = {
    "TAP_WOOTRIC_CLIENT_ID": "ACME_ID",
    "TAP_WOOTRIC_CLIENT_SECRET": "ACME_SECRET",
    "TARGET_BIRDIE_API_KEY": "ACME_KEY",
}
ACME = {"name": "acme", "secrets": SECRETS}
OTHER = {"name": "other", "secrets": {**SECRETS, "TARGET_BIRDIE_API_KEY": "OTHER_KEY"}}


def listed(folder: Path, *accounts: Any, **more: Any) -> Path:
    path = folder / "accounts.yaml"
    path.write_text(yaml.safe_dump({"slots": 5, "accounts": [*accounts], **more}))
    return path


def mistakes(path: Path) -> list[str]:
    with pytest.raises(AccountsError) as caught:
        read(path)
    return [line.removeprefix(f"{path}: ") for line in str(caught.value).splitlines()]


def test_the_example_is_checked_as_shown():
    done = shell(block("docs/production.md", "orchestration check").text, ROOT, environment([], ""))

    assert done.stdout == '["acme", "globex"]\n'


def test_all_mistakes_are_reported_at_once(tmp_path: Path):
    path = listed(tmp_path, ACME | {"region": "mars"}, ACME, ACME, "text", slots=97)

    done = run("check", path)

    assert done.returncode == 1
    assert sorted(done.stderr.splitlines()) == [
        f"Error: {path}: 2 accounts have the name 'acme'",
        f"Error: {path}: 2 accounts share ACME_KEY: set different TARGET_BIRDIE_ID_PREFIX",
        f"Error: {path}: account 4 must be a mapping with 'name' and 'secrets'",
        f"Error: {path}: region of account 'acme' must be us, eu or au",
        f"Error: {path}: slots must be a whole number from 1 to 96",
    ]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"name": "Acme"}, "name of account 'Acme' must be at most 40 lower-case letters"),
        ({"start_date": "31.1.2024"}, "start_date of account 'acme' must be a date"),
        ({"survey_kinds": {"nps": 3}}, "survey_kinds.nps of account 'acme' must be a list"),
        ({"survey_kinds": {"npx": [3]}}, "survey_kinds of account 'acme': 'npx' does not match"),
        ({"regoin": "eu"}, "account 'acme': Additional properties are not allowed ('regoin'"),
        ({"settings": {"TAP_WOOTRIC_PAGES": "1"}}, "account 'acme': TAP_WOOTRIC_PAGES is no"),
        (
            {"secrets": {"TARGET_BIRDIE_API_KEY": "K"}},
            "secrets of account 'acme' must be",
        ),
    ],
)
def test_a_mistake_is_shown_with_its_place(change: dict[str, Any], place: str, tmp_path: Path):
    (line,) = mistakes(listed(tmp_path, ACME | change))

    assert line.startswith(place)


@pytest.mark.parametrize("name", ["TAP_WOOTRIC_KEY", "TARGET_BIRDIE_KEY", "sk-live-123"])
def test_a_secret_is_named_and_its_value_never_shown(name: str, tmp_path: Path):
    secrets = SECRETS | {"TARGET_BIRDIE_API_KEY": name}

    (line,) = mistakes(listed(tmp_path, ACME | {"secrets": secrets}))

    assert line.startswith("secrets.TARGET_BIRDIE_API_KEY of account 'acme' must be the name of")
    assert name not in line


@pytest.mark.parametrize("text", ["a: [", "", "accounts: []"])
def test_a_file_without_accounts_is_one_clear_line(text: str, tmp_path: Path):
    (tmp_path / "accounts.yaml").write_text(text)

    assert mistakes(tmp_path / "accounts.yaml")
    assert "Traceback" not in run("check", tmp_path / "accounts.yaml").stderr


def test_a_run_gets_the_settings_and_secrets_of_its_account_only(tmp_path: Path):
    given = {"ACME_ID": "1", "ACME_SECRET": "2", "ACME_KEY": "3", "OTHER_KEY": "4", "HOME": "/"}
    acme = ACME | {"region": "eu", "start_date": "2024-01-31", "survey_kinds": {"csat": [12]}}
    accounts = read(listed(tmp_path, acme, OTHER))

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
        "TARGET_BIRDIE_MAX_REQUESTS_PER_SECOND": "19",
        "TARGET_BIRDIE_ON_REJECT": "continue",
    }


def test_a_secret_that_is_not_set_is_named(tmp_path: Path):
    accounts = read(listed(tmp_path, ACME))

    with pytest.raises(AccountsError, match=r"^Account 'acme': set ACME_SECRET, ACME_KEY\.$"):
        accounts.environment(accounts.find("acme"), {"ACME_ID": "1"})
