"""`docs/sandbox.md`: its tables match the code, and its commands work."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from connector_sandbox import Sandbox, cli

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs/sandbox.md").read_text()
ADDRESS = f"http://127.0.0.1:{cli.DEFAULT_PORT}"


def blocks(language: str) -> list[str]:
    """Return the code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)


def test_the_tables_are_up_to_date():
    """`make docs` writes them; users copy addresses and credentials."""
    assert runpy.run_path(str(ROOT / "scripts/sandbox_docs.py"))["written"](DOCUMENT) == DOCUMENT


@pytest.mark.parametrize("commands", blocks("sh"), ids=["read", "change", "faults", "options"])
def test_the_examples_work(sandbox: Sandbox, commands: str):
    """Every command succeeds and returns JSON."""
    check = "curl() { command curl --fail-with-body -w '\\n' \"$@\"; }\n"
    script = ["bash", "-eu", "-c", check + commands.replace(ADDRESS, sandbox.url)]
    done = subprocess.run(script, capture_output=True, text=True, check=True, timeout=60)

    assert len(list(map(json.loads, done.stdout.splitlines()))) == len(commands.split("curl ")) - 1


def test_the_python_example_works():
    """As a script of its own."""
    command = [sys.executable, "-c", *blocks("python")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)

    assert re.fullmatch(r"http://\S+/wootric http://\S+/birdie/ingestion 0 0\n3\n", done.stdout)
