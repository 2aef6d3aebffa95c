"""One run of one account, and the overview of all."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import block, environment, everything, shell
from connector_sandbox import Sandbox
from postgres import Postgres

from .helpers import FOLDER, entry, orchestration, secrets, write


@pytest.mark.long
def test_a_stopped_run_resumes_and_the_overview_shows_each_account(
    make_sandbox: Callable[..., Sandbox], postgres: Postgres, tmp_path: Path
):
    """Nothing is sent twice. Only a run that succeeds counts as a success."""
    sandbox = make_sandbox(responses=60)
    slow = entry("acme", sandbox, TARGET_BIRDIE_MAX_REQUESTS_PER_SECOND="20.5")
    listed = write(tmp_path / "accounts.yaml", slow, entry("late", sandbox))
    variables = secrets(postgres.empty_database(), "acme")
    env = environment(variables)
    sandbox.faults.on("400", times=1, api="birdie")

    before = orchestration("overview", listed, env=env)
    command = [sys.executable, FOLDER, "run", listed, "acme"]
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) as process:
        while not sandbox.birdie.history and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate()
    partly = len(sandbox.birdie.history)
    stopped = json.loads(orchestration("overview", "--json", listed, env=env).stdout)
    sandbox.faults.on("400", share=1, record_id="1001", api="birdie")
    done = orchestration("run", listed, "acme", env=env)
    acme, late = json.loads(orchestration("overview", "--json", listed, env=env).stdout)
    check = shell(block("docs/production.md", "overview --max-age"), tmp_path, variables)

    assert (before.returncode, before.stdout.count("never")) == (0, 4)
    assert process.returncode != 0
    assert 0 < partly < everything(sandbox)
    assert done.returncode == 0, done.stderr
    assert len(sandbox.birdie.history) == everything(sandbox) - 1
    assert not any(
        secret in log + done.stderr for secret in (sandbox.api_key, sandbox.client_secret)
    )
    assert stopped[0]["last_success"] is None
    assert (acme["records"], acme["rejected"]) == (everything(sandbox) - 1, 1)
    assert late.items() >= {"account": "late", "last_success": None, "records": 0}.items()
    assert [line.split()[0] for line in check.stdout.splitlines()] == ["account", "acme", "late"]
    assert (check.returncode, check.stderr) == (1, "No success for 48 hours: late\n")


@pytest.mark.parametrize(
    ("command", "url", "message"),
    [
        ("run", "", "Account 'globex' is not in the list."),
        ("overview", "", "Set WOOTRIC_DATABASE_URL"),
        ("overview", "sqlite:///local.db", "Set WOOTRIC_DATABASE_URL"),
        ("overview", "postgresql://user:secret@/x?host=/no", "The database failed"),
    ],
)
def test_a_mistake_is_one_clear_line(
    sandbox: Sandbox, command: str, url: str, message: str, tmp_path: Path
):
    listed = write(tmp_path / "list", entry("acme", sandbox))
    done = orchestration(command, listed, "globex", env=environment(secrets(url)))

    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith(f"Error: {message}")
    assert "secret" not in done.stderr
