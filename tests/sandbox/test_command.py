"""The command `sandbox`."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest
import requests
from connector_sandbox import cli
from connector_sandbox.meltano import STATE_ID, next_step

from .helpers import FOLDER

COMMAND = [sys.executable, "-m", "connector_sandbox.cli", "--port", "0"]
ARGUMENTS = (
    "--responses 7 --rate-limit 100/60 --birdie-rate-limit 50 --latency 0.01 "
    "--set updated_filter=false --set time_format=unix --fault 500=0.0 --open"
)
OPTIONS = {"rate_limit": [100, 60.0], "birdie_rate_limit": 50, "latency": 0.01}
OPTIONS |= {"updated_filter": False, "time_format": "unix"}
FAILURES = [(*case, 2) for case in tomllib.loads((FOLDER / "failures.toml").read_text()).items()]
FAILURES += [
    ("--port {taken}", "Port {taken} is in use. Use another one: sandbox --port ", 1),
    ("--port {taken} --project .", 'Use another one: make sandbox ARGS="--port ', 1),
    ("--port 0 --ready-file {folder}/a/b", "Cannot write {folder}/a/b (No such file or", 1),
]


def test_it_runs_until_a_signal(tmp_path: Path):
    """Configured by its arguments; its output contains commands that work; no file remains."""
    ready, opened, browser = (tmp_path / name for name in ("ready.json", "opened", "browser"))
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}.part\nmv {opened}.part {opened}\n')
    browser.chmod(0o755)
    command = [*COMMAND, "--ready-file", str(ready), *ARGUMENTS.split()]
    env = os.environ | {"BROWSER": f"{browser} %s"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as process:
        while not opened.exists() and process.poll() is None:
            time.sleep(0.05)
        addresses, url = json.loads(ready.read_text()), opened.read_text().strip()
        paths = ("options", "faults", "state")
        replies = [requests.get(f"{url}/_control/{path}", timeout=5).json() for path in paths]
        printed = os.read(process.stdout.fileno(), 65_536).decode()  # type: ignore[union-attr]
        paste = ["bash", "-euo", "pipefail", "-c", printed[printed.index("TOKEN=") :]]
        pasted = subprocess.run(paste, capture_output=True, text=True, check=True)
        process.send_signal(signal.SIGTERM)

    assert (process.returncode, ready.exists(), addresses["url"]) == (0, False, url)
    assert replies[0] | OPTIONS == replies[0]
    assert [(rule["name"], rule["share"]) for rule in replies[1]["on"]] == [("500", 0.0)]
    assert (replies[2]["wootric"]["responses"], str(addresses["url"]) in printed) == (7, True)
    assert pasted.stdout.startswith('[{"id":')
    assert '{"1": {"feedback_id": "1"' in pasted.stdout


@pytest.mark.parametrize(("arguments", "message", "code"), FAILURES)
def test_a_failure_is_one_line(
    tmp_path: Path, capsys: Any, monkeypatch: Any, arguments: str, message: str, code: int
):
    """With the cause; a port in use suggests a free one."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        words = {"taken": taken.getsockname()[1], "folder": tmp_path}
        try:
            status: Any = cli.main(arguments.format(**words).split())
        except SystemExit as error:
            status = error.code

    assert status == code
    assert message.format(**words) in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("states", [None, [], ["prod:x"], [STATE_ID]])
def test_the_next_command_depends_on_the_state_of_meltano(tmp_path: Path, states: Any):
    """The data is new at each start, so an old state would skip records."""
    (tmp_path / ".meltano").mkdir()
    with sqlite3.connect(tmp_path / ".meltano/meltano.db") as database:
        if states is not None:
            database.execute("CREATE TABLE state (state_id TEXT)")
            database.executemany("INSERT INTO state VALUES (?)", [(state,) for state in states])
    database.close()
    old = states == [STATE_ID]
    command = "make sandbox RESET=1" if old else "A=1 .venv/bin/meltano run tap-wootric target-bird"

    assert next_step(tmp_path, {"A": "1"}).splitlines()[-1].startswith(f"  {command}")
