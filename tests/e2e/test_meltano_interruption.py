"""One Ctrl-C under `meltano run`, which sends SIGINT and then SIGTERM to the tap."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands import BIN, succeeded
from connector_sandbox import Sandbox
from tap.helpers import Account, Output

from .conftest import Meltano

STREAMS = ("end_users", "responses")

LOADER = f"""#!{sys.executable}
import json, signal, sys
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda *_: signal.alarm(3))
with open("received", "a") as received:
    for line in sys.stdin:
        received.write(line)
        received.flush()
        if line.startswith('{{"type":"STATE"'):
            print(json.dumps(json.loads(line)["value"]), flush=True)
"""
"""It reads on for three seconds after a signal, and so records what the tap writes then."""


@pytest.fixture
def sandbox(make_sandbox: Callable[..., Sandbox]) -> Sandbox:
    """An account with several pages."""
    return make_sandbox(seed=1, responses=300)


@pytest.mark.long
def test_ctrl_c_truncates_no_line_and_keeps_the_final_state(
    meltano: Meltano, sandbox: Sandbox, tmp_path: Path
):
    sandbox.options.latency = 0.3
    script = meltano.folder / "loader.py"
    script.write_text(LOADER)
    script.chmod(0o755)
    with meltano.plugins() as plugins:
        loader = {"name": "target-lines", "namespace": "lines", "executable": str(script)}
        plugins["loaders"].append(loader)
    command = ("run", "tap-wootric", "target-lines")

    with (tmp_path / "log").open("w") as out:
        options: dict[str, Any] = {"cwd": meltano.folder, "env": meltano.env, "stderr": out}
        run = subprocess.Popen([BIN / "meltano", *command], start_new_session=True, **options)
        while len(sandbox.requests) < 9 and run.poll() is None:
            time.sleep(0.05)
        os.killpg(run.pid, signal.SIGINT)
        run.wait(60)
    received = (meltano.folder / "received").read_text()
    succeeded(meltano(*command))
    again = (meltano.folder / "received").read_text().removeprefix(received)

    assert run.returncode != 0
    assert "Traceback" not in (tmp_path / "log").read_text()
    assert received.endswith("\n")
    first, second = (Output(0, text.splitlines(), "") for text in (received, again))
    assert [m["type"] for m in first.messages if m["type"] != "SCHEMA"][-1] == "STATE"
    rest = Account(sandbox, tmp_path).sync(STREAMS, state=first.state)
    for stream in STREAMS:
        source = {row["id"] for row in sandbox.store.records(stream)}
        assert sorted(first.ids(stream) + rest.ids(stream)) == sorted(source)
        assert set(first.ids(stream) + second.ids(stream)) == source
    assert len(first.ids("responses")) < 300
