"""The command `sandbox`."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import pytest
import requests
from connector_sandbox import cli
from connector_sandbox.meltano import STATE_ID, next_step

COMMAND = [sys.executable, "-m", "connector_sandbox.cli"]
ARGUMENTS = (
    "--responses 7 --rate-limit 100/60 --birdie-rate-limit 50 --latency 0.01 "
    "--set updated_filter=false --set time_format=unix --fault 500=0.5 --fault reset --open"
)
OPTIONS = {"rate_limit": [100, 60.0], "birdie_rate_limit": 50, "latency": 0.01}
OPTIONS |= {"updated_filter": False, "time_format": "unix"}


@contextmanager
def running(folder: Path, *more: str, **variables: str) -> Iterator[tuple[Popen[str], Any]]:
    """Run a sandbox on a free port; yield the process and the content of its ready file."""
    ready = folder / "ready.json"
    command = [*COMMAND, "--port", "0", "--ready-file", str(ready), *more]
    with Popen(command, stdout=PIPE, stderr=PIPE, text=True, env=os.environ | variables) as process:
        try:
            wait_for(ready, process)
            yield process, json.loads(ready.read_text())
        finally:
            process.kill()


def wait_for(path: Path, process: Popen[str]) -> None:
    deadline = time.monotonic() + 30
    while not path.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)


def failed(*arguments: str) -> str:
    """Return the error message of a sandbox that cannot start."""
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    return done.stderr


def test_it_is_configured_by_arguments(tmp_path: Path):
    """Data, limits, options, faults; `--open` opens the page in the browser."""
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}.part\nmv {opened}.part {opened}\n')
    browser.chmod(0o755)
    with running(tmp_path, *ARGUMENTS.split(), BROWSER=f"{browser} %s") as (process, ready):
        url = f"{ready['url']}/_control"
        options, faults, state = (
            requests.get(f"{url}/{path}", timeout=5).json()
            for path in ("options", "faults", "state")
        )
        wait_for(opened, process)

    assert options | OPTIONS == options
    assert state["wootric"]["responses"] == 7
    assert [(x["name"], x["share"]) for x in faults["on"]] == [("500", 0.5), ("reset", 0.1)]
    assert opened.read_text().strip() == ready["url"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it(tmp_path: Path, number: signal.Signals):
    """Exit code 0; no file remains; its output has contained working commands for curl."""
    with running(tmp_path, "--responses", "20") as (process, ready):
        printed = os.read(process.stdout.fileno(), 65_536).decode()  # type: ignore[union-attr]
        commands = ["bash", "-euo", "pipefail", "-c", printed[printed.index("TOKEN=") :]]
        shell = subprocess.run(commands, capture_output=True, text=True, check=True)
        process.send_signal(number)
        _, errors = process.communicate(timeout=30)

    assert (process.returncode, errors, [*tmp_path.iterdir()]) == (0, "", [])
    assert all(str(value) in printed for value in ready.values())
    assert shell.stdout.startswith('[{"id":')
    assert '{"1": {"feedback_id": "1"' in shell.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--port 70000", "'70000' is not a port"),
        ("--responses -1", "'-1' is not a whole number"),
        ("--rate-limit fast", "'fast' does not have the form 100/60"),
        ("--until soon", "'soon' is not a time"),
        ("--set latencyy=1", "latencyy"),
        ("--set time_zone=Moon", "time_zone 'Moon' is not a zone"),
        ("--fault rest", "There is no fault 'rest'"),
        ("--fault 500=often", "'500=often' does not have the form"),
    ],
)
def test_an_invalid_argument_is_one_line(
    arguments: str, message: str, capsys: Any, monkeypatch: Any
):
    """Exit code 2."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    with pytest.raises(SystemExit, match="2"):
        cli.main(arguments.split())

    assert message in capsys.readouterr().err.splitlines()[-1]


def test_a_ready_file_that_cannot_be_written_is_one_line(tmp_path: Path):
    """Otherwise a script would wait forever."""
    path = tmp_path / "missing" / "ready.json"
    message = failed("--port", "0", "--ready-file", str(path))

    assert message == f"sandbox: Cannot write {path} (No such file or directory).\n"


@pytest.mark.parametrize(
    ("arguments", "command"),
    [((), r"sandbox --port (\d+)"), (("--project", "."), r'make sandbox ARGS="--port (\d+)"')],
)
def test_a_port_in_use_suggests_a_free_one(arguments: tuple[str, ...], command: str):
    """As the command that the user should run."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        message = failed("--port", str(port), *arguments)
    found = re.fullmatch(rf"sandbox: Port {port} is in use\. Use another one: {command}\n", message)

    assert found is not None
    assert int(found[1]) > port


def test_it_prints_the_command_to_run_next(tmp_path: Path):
    """With the addresses of this sandbox, unless it uses the default port."""
    with running(tmp_path, "--project", str(tmp_path)) as (process, ready):
        process.terminate()
        printed, _ = process.communicate(timeout=30)

    assert f"  TAP_WOOTRIC_API_URL={ready['wootric_url']} " in printed
    assert next_step(tmp_path, {}).splitlines()[-1].startswith("  .venv/bin/meltano run ")


@pytest.mark.parametrize("states", [None, [], ["prod:x"], [STATE_ID]])
def test_an_old_state_of_meltano_must_be_reset(tmp_path: Path, states: list[str] | None):
    """The data is new at each start, so an old state would skip records."""
    (tmp_path / ".meltano").mkdir()
    with sqlite3.connect(tmp_path / ".meltano/meltano.db") as database:
        if states is not None:
            database.execute("CREATE TABLE state (state_id TEXT)")
            database.executemany("INSERT INTO state VALUES (?)", [(state,) for state in states])
    database.close()

    assert ("make sandbox RESET=1" in next_step(tmp_path, {})) == (states == [STATE_ID])
