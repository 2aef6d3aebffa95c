"""The commands for many accounts, and a list for them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from connector_sandbox import Sandbox
from docs.shell import BIN, OURS
from environments import ROOT

FOLDER = ROOT / "orchestration"


def entry(name: str, sandbox: Sandbox, **settings: str) -> dict[str, Any]:
    """An account of the list."""
    addresses = {
        "TAP_WOOTRIC_API_URL": sandbox.wootric_url,
        "TARGET_BIRDIE_API_URL": sandbox.birdie_url,
    }
    return {
        "name": name,
        "secrets": {
            "TAP_WOOTRIC_CLIENT_ID": "SANDBOX_CLIENT_ID",
            "TAP_WOOTRIC_CLIENT_SECRET": "SANDBOX_CLIENT_SECRET",
            "TARGET_BIRDIE_API_KEY": f"{name.upper()}_BIRDIE_KEY",
        },
        "settings": addresses | settings,
    }


def write(path: Path, entries: list[dict[str, Any]], slots: int = 2) -> Path:
    """Write a list; JSON is YAML as well."""
    path.write_text(json.dumps({"slots": slots, "accounts": entries}))
    return path


def variables(entries: list[dict[str, Any]], database: str) -> dict[str, str]:
    """What a worker's environment adds: the secrets of all accounts, and the database."""
    values = Sandbox.client_id, Sandbox.client_secret, Sandbox.api_key
    secrets = {
        secret: value
        for account in entries
        for secret, value in zip(account["secrets"].values(), values, strict=True)
    }
    return secrets | {"WOOTRIC_DATABASE_URL": database, "NO_PROXY": "127.0.0.1"}


def environment(entries: list[dict[str, Any]], database: str) -> dict[str, str]:
    """The environment of a worker."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return kept | variables(entries, database) | {"PATH": f"{BIN}:{kept['PATH']}"}


def run(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run one command."""
    return subprocess.run(
        [sys.executable, FOLDER, *map(str, arguments)],
        env=variables or None,
        capture_output=True,
        text=True,
        check=False,
    )
