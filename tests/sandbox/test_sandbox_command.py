"""The command `sandbox`."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import requests
from connector_sandbox import cli

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMMAND = [sys.executable, "-m", "connector_sandbox.cli"]


@pytest.fixture
def signals_kept() -> Iterator[None]:
    """What the command changes about the process is put back."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


@contextmanager
def running(
    folder: Path, *arguments: str
) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A sandbox on a free port as a process of its own, and what its ready file says."""
    ready = folder / "ready.json"
    process = subprocess.Popen(
        [*COMMAND, "--port", "0", "--ready-file", str(ready), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        deadline = time.monotonic() + 10
        while not ready.exists():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield process, json.loads(ready.read_text())
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_0_and_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    """Scripts start it and stop it."""
    with running(tmp_path) as (process, ready):
        process.send_signal(number)
        _, errors = process.communicate(timeout=5)

        assert (process.returncode, errors) == (0, "")
        assert list(tmp_path.iterdir()) == []
        with pytest.raises(requests.ConnectionError):
            requests.get(ready["url"], timeout=1)


def test_what_it_prints_can_be_pasted(tmp_path: Path) -> None:
    """Addresses, credentials and commands for curl, which work as they are."""
    with running(tmp_path, "--responses", "20") as (process, ready):
        printed = _read(process)
        commands = printed[printed.index("TOKEN=") :]
        shell = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands],
            capture_output=True,
            text=True,
            check=True,
            timeout=20,
        )

    assert all(str(value) in printed for name, value in ready.items() if name != "url")
    assert shell.stdout.startswith('[{"id":')
    assert '{"message": "stored"}' in shell.stdout
    assert '{"1": {"feedback_id": "1"' in shell.stdout


def _read(process: subprocess.Popen[str]) -> str:
    """What has been printed so far, while the process goes on."""
    assert process.stdout is not None
    return os.read(process.stdout.fileno(), 65_536).decode()


def test_it_is_configured_by_its_arguments(tmp_path: Path) -> None:
    """Data, limits, any option and faults."""
    arguments = "--responses 7 --rate-limit 100/60 --birdie-rate-limit 50 --latency 0.01"
    more = "--set updated_filter=false --set time_format=unix --fault 500=0.5 --fault reset"
    with running(tmp_path, *arguments.split(), *more.split()) as (_, ready):
        control = f"{ready['url']}/_control"
        options = requests.get(f"{control}/options", timeout=5).json()
        faults = requests.get(f"{control}/faults", timeout=5).json()["on"]
        state = requests.get(f"{control}/state", timeout=5).json()

    assert state["wootric"]["responses"] == 7
    assert (options["rate_limit"], options["birdie_rate_limit"]) == ([100, 60.0], 50)
    assert (options["latency"], options["updated_filter"]) == (0.01, False)
    assert options["time_format"] == "unix"
    assert [(rule["name"], rule["share"]) for rule in faults] == [("500", 0.5), ("reset", 0.1)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--port 70000", "'70000' is not a port"),
        ("--port http", "'http' is not a port"),
        ("--responses -1", "'-1' is not a whole number"),
        ("--rate-limit fast", "'fast' is not of the form 100/60"),
        ("--until soon", "'soon' is not a time"),
        ("--set latencyy=1", "latencyy"),
        ("--set ties=loose", "ties is one of"),
        ("--set time_zone=Moon", "time_zone 'Moon' is not a zone"),
        ("--fault rest", "no fault is called 'rest'"),
        ("--fault 500=often", "'500=often' is not of the form"),
    ],
)
@pytest.mark.usefixtures("signals_kept")
def test_a_wrong_argument_is_one_clear_line(
    arguments: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is wrong and what would be right; no trace."""
    with pytest.raises(SystemExit, match="2"):
        cli.main(arguments.split())

    assert message in capsys.readouterr().err.splitlines()[-1]


def test_a_ready_file_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    """A script would wait for it for ever."""
    path = tmp_path / "missing" / "ready.json"
    done = subprocess.run(
        [*COMMAND, "--port", "0", "--ready-file", str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )

    assert done.returncode == 1
    assert done.stderr == f"sandbox: cannot write {path}: No such file or directory\n"


def test_a_taken_port_is_one_clear_line() -> None:
    """The usual mistake: it runs already."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [*COMMAND, "--port", port], capture_output=True, text=True, check=False, timeout=20
        )

    assert done.returncode == 1
    assert done.stderr == f"sandbox: cannot listen on port {port}: Address already in use\n"
