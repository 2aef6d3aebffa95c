"""Run the commands of the documents in a temporary folder, against the sandbox."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from connector_sandbox import Sandbox

from .documents import ROOT, Block, blocks

BIN = Path(sys.executable).parent
EXAMPLES = ROOT / "docs/examples"
OURS = ("TAP_WOOTRIC_", "TARGET_BIRDIE_", "MELTANO_", "AIRFLOW_")

Done = subprocess.CompletedProcess[str]


def settings(sandbox: Sandbox) -> dict[str, str]:
    """The variables of a job: the sandbox's addresses and credentials."""
    return {
        "TAP_WOOTRIC_CLIENT_ID": sandbox.client_id,
        "TAP_WOOTRIC_CLIENT_SECRET": sandbox.client_secret,
        "TAP_WOOTRIC_API_URL": sandbox.wootric_url,
        "TARGET_BIRDIE_API_KEY": sandbox.api_key,
        "TARGET_BIRDIE_API_URL": sandbox.birdie_url,
        "TARGET_BIRDIE_MAX_REQUESTS_PER_SECOND": "0",
    }


def environment(sandbox: Sandbox, **more: str) -> dict[str, str]:
    """The environment of a job, with nothing of the person who runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return {**kept, "PATH": f"{BIN}:{os.environ['PATH']}", **settings(sandbox), **more}


def shell(script: str, folder: Path, env: dict[str, str], timeout: float = 60) -> Done:
    """Run a script in a folder, where the project's `docs` are."""
    if not (folder / "docs").exists():
        (folder / "docs").symlink_to(ROOT / "docs")
    return subprocess.run(
        ["bash", "-u", "-c", script],
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
    )


def block(document: str, word: str) -> Block:
    """The one block of a document in which a word occurs."""
    (found,) = (
        block
        for block in blocks("sh", "ini", "crontab", "json", "yaml")
        if block.path == ROOT / document and word in block.text
    )
    return found


def everything(sandbox: Sandbox) -> int:
    """How many records the sandbox holds that Birdie takes."""
    return len(sandbox.store.responses()) + len(sandbox.store.end_users())
