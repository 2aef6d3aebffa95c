"""One Ctrl-C under `meltano run`, which sends SIGINT and then SIGTERM to the tap."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from connector_sandbox import Sandbox
from tap.helpers import Account, Output

from .commands import BIN, succeeded
from .conftest import environment, project

STREAMS = ("end_users", "responses")

LOADER = """
import json, signal, sys
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda *_: signal.alarm(3))
with open("received", "a") as received:
    for line in sys.stdin:
        received.write(line)
        received.flush()
        if line.startswith('{"type":"STATE"'):
            print(json.dumps(json.loads(line)["value"]), flush=True)
"""
"""It reads on for three seconds after a signal, and so records what the tap writes then."""


def add_loader(folder: Path) -> None:
    """Add `target-lines` to the Meltano project."""
    script = folder / "loader.py"
    script.write_text(f"#!{sys.executable}\n{LOADER}")
    script.chmod(0o755)
    definition = yaml.safe_load((folder / "meltano.yml").read_text())
    loader = {"name": "target-lines", "namespace": "lines", "executable": str(script)}
    definition["plugins"]["loaders"].append(loader)
    (folder / "meltano.yml").write_text(yaml.safe_dump(definition))


@pytest.mark.long
@pytest.mark.usefixtures("plugins")
def test_ctrl_c_truncates_no_line_and_keeps_the_final_state(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.options.latency = 0.3
    command = [str(BIN / "meltano"), "run", "tap-wootric", "target-lines"]
    log = tmp_path / "log"
    with project() as folder, log.open("w") as out:
        add_loader(folder)
        options: dict[str, Any] = {"cwd": folder, "env": environment(sandbox), "text": True}
        run = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True, **options)
        while len(sandbox.requests) < 9 and run.poll() is None:
            time.sleep(0.05)
        os.killpg(run.pid, signal.SIGINT)
        run.wait(60)
        received = (folder / "received").read_text()
        succeeded(subprocess.run(command, capture_output=True, check=False, **options))
        again = (folder / "received").read_text().removeprefix(received)

    assert run.returncode != 0
    assert "Traceback" not in log.read_text()
    assert received.endswith("\n")
    first, second = (Output(0, text.splitlines(), "") for text in (received, again))
    assert [m["type"] for m in first.messages if m["type"] != "SCHEMA"][-1] == "STATE"
    rest = Account(sandbox, tmp_path).sync(STREAMS, state=first.state)
    for stream in STREAMS:
        source = {row["id"] for row in sandbox.store.records(stream)}
        assert sorted(first.ids(stream) + rest.ids(stream)) == sorted(source)
        assert set(first.ids(stream) + second.ids(stream)) == source
    assert len(first.ids("responses")) < 300
