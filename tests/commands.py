"""Running the commands of this project, and of the tools that only the tests use."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from connector_sandbox import Sandbox

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
EXAMPLES = ROOT / "docs/examples"
OURS = ("TAP_", "TARGET_", "MELTANO_", "AIRFLOW_")

Done = subprocess.CompletedProcess[str]


def tool(group: str, package: str, name: str) -> Path:
    """A command of a package that `make` installs for a folder of tests; or skip the test."""
    path = ROOT / ".cache" / group / package / "bin" / name
    if not path.exists():
        pytest.skip(f"{package} is not installed: use make test")
    return path


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


def environment(variables: dict[str, str]) -> dict[str, str]:
    """The environment of a job, without the settings of the person who runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return kept | {"PATH": f"{BIN}:{kept['PATH']}", "NO_PROXY": "127.0.0.1"} | variables


def run(*command: object, **options: Any) -> Done:
    """Run a command to its end."""
    options = {"capture_output": True, "text": True, "timeout": 300} | options
    return subprocess.run([str(part) for part in command], check=False, **options)


def shell(script: str, folder: Path, variables: dict[str, str]) -> Done:
    """Run a script of the documents in a folder, where `docs` and `orchestration` are."""
    for name in ("docs", "orchestration"):
        if not (folder / name).exists():
            (folder / name).symlink_to(ROOT / name)
    script = f"set -eu -o pipefail\n{script}"
    return run("bash", "-c", script, cwd=folder, env=environment(variables), input="")


def succeeded(done: Done) -> str:
    """The output of a command that must have succeeded."""
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def block(document: str, word: str) -> str:
    """The one fenced block of a document in which a text occurs."""
    page = (ROOT / document).read_text()
    texts = re.findall(r"^```\w*\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (found,) = (text for text in texts if word in text)
    return found


def everything(sandbox: Sandbox) -> int:
    """How many records the sandbox holds that Birdie takes."""
    return len(sandbox.store.responses()) + len(sandbox.store.end_users())
