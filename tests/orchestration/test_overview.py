"""The overview shows each account of the list, from the delivery store."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from connector_sandbox import Sandbox
from docs.shell import block, shell
from postgres import Postgres
from target.test_store import a_reject
from target_birdie.delivery.records import Row
from target_birdie.delivery.store import Store

from .commands import FOLDER, entry, environment, run, write

sys.path.insert(0, str(FOLDER))

from overview import note_success

NEWEST = "2026-01-01T00:00:00Z"


@pytest.fixture
def variables(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of the commands, with an empty database."""
    found = environment([], postgres.empty_database())
    monkeypatch.setenv("WOOTRIC_DATABASE_URL", found["WOOTRIC_DATABASE_URL"])
    return found


@pytest.fixture
def listed(sandbox: Sandbox, tmp_path: Path) -> Path:
    return write(tmp_path / "accounts.yaml", [entry("acme", sandbox), entry("late", sandbox)])


def deliver(variables: dict[str, str], name: str) -> None:
    """Fill the store: two records at Birdie, one rejected."""
    store = Store(variables["WOOTRIC_DATABASE_URL"], name)
    for record_id in ("2", "3"):
        store.put(Row("feedback", record_id, "responses", b"fingerprint"))
    store.put(a_reject("1"))
    store.complete("responses", NEWEST, {}, NEWEST)
    store.commit()
    store.close()


def test_accounts_are_shown_with_what_the_store_knows(variables: dict[str, str], listed: Path):
    deliver(variables, "acme")
    note_success("acme")

    table = run("overview", listed, **variables).stdout.splitlines()
    acme, late = json.loads(run("overview", "--json", listed, **variables).stdout)

    age = (datetime.now(UTC) - datetime.fromisoformat(NEWEST)) / timedelta(days=1)
    assert [line.split("  ")[0] for line in table] == ["account", "acme", "late"]
    assert table[1].split() == f"acme 0.0 days ago 2 1 {age:.1f} days ago".split()
    assert datetime.now(UTC) - datetime.fromisoformat(acme.pop("last_success")) < timedelta(hours=1)
    assert acme == {"account": "acme", "records": 2, "rejected": 1, "newest_response": NEWEST}
    assert late["last_success"] is None


def test_an_account_without_a_recent_success_fails_the_check(
    variables: dict[str, str], listed: Path
):
    """Records alone are no success: the tap may have failed. The command is that of the page."""
    (listed.parent / "orchestration").symlink_to(FOLDER)
    deliver(variables, "acme")
    deliver(variables, "late")
    note_success("acme")

    command = block("docs/production.md", "orchestration overview").text
    done = shell(command, listed.parent, variables)

    assert done.returncode == 1
    assert done.stderr == "No success for 48 hours: late\n"


def test_accounts_are_listed_before_the_first_run(variables: dict[str, str], listed: Path):
    done = run("overview", listed, **variables)

    assert done.returncode == 0
    assert done.stdout.count("never") == 4


@pytest.mark.parametrize("url", ["", "sqlite:///local.db", "postgresql://user:secret@/x?host=/no"])
def test_a_database_that_cannot_be_used_is_one_clear_line(url: str, listed: Path):
    done = run("overview", listed, **environment([], url))

    assert done.returncode == 1
    assert done.stderr.startswith(("Error: Set WOOTRIC_DATABASE_URL", "Error: The database failed"))
    assert "secret" not in done.stderr
    assert done.stderr.count("\n") == 1
