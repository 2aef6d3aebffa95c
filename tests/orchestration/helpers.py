"""The commands for many accounts, and a list for them."""

import json
import sys
from pathlib import Path
from typing import Any

from commands import ROOT, Done, run
from connector_sandbox import Sandbox

FOLDER = ROOT / "orchestration"
sys.path.insert(0, str(FOLDER))


def entry(name: str, sandbox: Sandbox, **settings: str) -> dict[str, Any]:
    """An account of the list, with a Birdie key of its own."""
    return {
        "name": name,
        "secrets": {
            "TAP_WOOTRIC_CLIENT_ID": "SANDBOX_CLIENT_ID",
            "TAP_WOOTRIC_CLIENT_SECRET": "SANDBOX_CLIENT_SECRET",
            "TARGET_BIRDIE_API_KEY": f"{name.upper()}_KEY",
        },
        "settings": {
            "TAP_WOOTRIC_API_URL": sandbox.wootric_url,
            "TARGET_BIRDIE_API_URL": sandbox.birdie_url,
        }
        | settings,
    }


def secrets(database: str, *names: str) -> dict[str, str]:
    """The variables of a worker: the database, and the secrets of these accounts."""
    return {
        "WOOTRIC_DATABASE_URL": database,
        "SANDBOX_CLIENT_ID": Sandbox.client_id,
        "SANDBOX_CLIENT_SECRET": Sandbox.client_secret,
    } | {f"{name.upper()}_KEY": Sandbox.api_key for name in names}


def write(path: Path, *accounts: Any, slots: int = 5) -> Path:
    """Write a list; JSON is YAML as well."""
    path.write_text(json.dumps({"slots": slots, "accounts": accounts}))
    return path


def orchestration(*arguments: object, **options: Any) -> Done:
    """Run one command."""
    return run(sys.executable, FOLDER, *arguments, **options)


def deploy(source: Path, dags: Path, changes: dict[str, str]) -> None:
    """Copy a DAG, with the paths of this machine and without retries."""
    code = source.read_text()
    for old, new in (changes | {"retries=2": "retries=0"}).items():
        assert old in code
        code = code.replace(old, new)
    (dags / source.name).write_text(code)
