"""One run of one account: Meltano in a new folder, with its state in a database."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import database
import sqlalchemy as sa
import yaml
from accounts import PLUGINS, PROJECT, Account, Accounts
from database import transaction
from overview import note_success

LOCK = 7_468_201
"""Any number that no other program uses for an advisory lock."""
BIN = Path(sys.executable).parent


def run(accounts: Accounts, account: Account) -> int:
    """Run Meltano for an account, note a success in the delivery store, and return the exit code.

    SIGTERM and SIGINT are passed on to Meltano, which ends tap and target with an exact state.

    Raises:
        AccountsError: A secret is not set, or the database failed.
    """
    environment = accounts.environment(account, os.environ)
    environment |= {
        "PATH": f"{BIN}:{environment.get('PATH', os.defpath)}",
        "MELTANO_DATABASE_URI": database.url(database.DRIVER),
        "TARGET_BIRDIE_STORE_URL": database.url(),
    }
    with TemporaryDirectory(prefix=f"wootric-{account.name}-") as folder:
        _write_project(Path(folder))
        _create_tables(folder, environment)
        process = subprocess.Popen(
            ["meltano", "run", "--state-id-suffix", account.name, "tap-wootric", "target-birdie"],
            cwd=folder,
            env=environment,
            start_new_session=True,  # a signal to the group must not reach the plugins twice
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: process.terminate())
        code = process.wait()
    if code == 0:
        note_success(account.name)
    return code


def _write_project(folder: Path) -> None:
    """Write `meltano.yml` without `pip_url`: Meltano then uses the commands on PATH."""
    for plugin in PLUGINS:
        plugin.pop("pip_url", None)
    (folder / "meltano.yml").write_text(yaml.safe_dump(PROJECT, sort_keys=False))


def _create_tables(folder: str, environment: dict[str, str]) -> None:
    """Let the first run of all create Meltano's tables: Meltano does not lock them itself."""
    with transaction() as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
        if not sa.inspect(connection).has_table("alembic_version"):
            command = ["meltano", "--log-level=warning", "state", "list"]
            subprocess.run(command, cwd=folder, env=environment, check=False)
