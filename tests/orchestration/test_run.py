"""One run of one account."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from connector_sandbox import Sandbox
from docs.shell import everything
from postgres import Postgres

from .commands import FOLDER, entry, environment, run, write


@pytest.mark.long
def test_a_run_that_is_stopped_is_resumed_without_sending_twice(
    sandbox: Sandbox, postgres: Postgres, tmp_path: Path
):
    entries = [entry("acme", sandbox, TARGET_BIRDIE_MAX_REQUESTS_PER_SECOND="40")]
    listed, env = write(tmp_path / "list", entries), environment(entries, postgres.empty_database())
    command = [sys.executable, FOLDER, "run", listed, "acme"]

    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) as process:
        while not sandbox.birdie.history and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate()
    partly = len(sandbox.birdie.history)
    done = run("run", listed, "acme", **env)

    assert process.returncode != 0
    assert 0 < partly < everything(sandbox)
    assert done.returncode == 0, done.stderr
    assert len(sandbox.birdie.history) == everything(sandbox)
    assert sandbox.api_key not in log + done.stderr
    assert sandbox.client_secret not in log + done.stderr


def test_an_account_that_is_not_in_the_list_is_one_clear_line(sandbox: Sandbox, tmp_path: Path):
    done = run("run", write(tmp_path / "list", [entry("acme", sandbox)]), "globex")

    assert done.returncode == 1
    assert done.stderr == "Error: Account 'globex' is not in the list.\n"
