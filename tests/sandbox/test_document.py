"""`docs/sandbox.md`: its tables match the code, and its commands work."""

from __future__ import annotations

import json
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
from connector_sandbox import Sandbox, cli
from connector_sandbox.credentials import Credentials
from connector_sandbox.page.control import HELP

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs/sandbox.md").read_text()
ADDRESS = f"http://127.0.0.1:{cli.DEFAULT_PORT}"


def blocks(language: str) -> list[str]:
    """Return the code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)


def test_the_tables_are_up_to_date() -> None:
    """`make docs` writes them."""
    assert runpy.run_path(str(ROOT / "scripts/sandbox_docs.py"))["written"](DOCUMENT) == DOCUMENT


def test_addresses_and_credentials_are_right() -> None:
    """Users copy them from the document."""
    sandbox = Sandbox(responses=0, port=cli.DEFAULT_PORT)
    values = [f"{sandbox.url}/", sandbox.wootric_url, sandbox.birdie_url]
    rows = re.findall(r"^\| (.*?) \| `(.*?)` \|$", DOCUMENT.split("## The page")[0], re.MULTILINE)

    assert [value for _, value in rows[:3]] == values
    assert dict(rows[3:]) == {f"`{name}`": value for name, value in asdict(Credentials()).items()}


def test_all_arguments_exist() -> None:
    """In commands and in the text."""
    parser = cli._parser()
    for line in "".join(blocks("console")).splitlines():
        if "bin/sandbox" in line:
            parser.parse_args(shlex.split(line)[2:])

    options = set(re.findall(r"`(--[a-z-]+)", DOCUMENT))
    assert options <= parser._option_string_actions.keys()


@pytest.mark.parametrize("route", HELP)
def test_every_route_has_an_example(route: str):
    """By its path; the other test runs the examples."""
    path = re.sub(r"{\w+}", r"[^/]+", route.rpartition(" ")[2].partition("[")[0])

    assert re.search(rf"{ADDRESS}{path}[ '?\n]", "".join(blocks("sh")))


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is missing")
@pytest.mark.parametrize("commands", blocks("sh"), ids=["read", "change", "faults", "options"])
def test_the_examples_work(sandbox: Sandbox, commands: str) -> None:
    """Every command succeeds and returns JSON."""
    check = "curl() { command curl --fail-with-body -w '\\n' \"$@\"; }\n"
    script = check + commands.replace(ADDRESS, sandbox.url)
    done = subprocess.run(
        ["bash", "-eu", "-c", script], capture_output=True, text=True, check=False, timeout=60
    )
    replies = [json.loads(line) for line in done.stdout.splitlines()]

    assert (done.returncode, done.stderr) == (0, "")
    assert len(replies) == len(re.findall("^curl ", commands, re.MULTILINE))


def test_the_python_example_works(tmp_path: Path) -> None:
    """As a script of its own."""
    script = tmp_path / "example.py"
    script.write_text(*blocks("python"))
    command = [sys.executable, script]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)

    assert re.fullmatch(r"http://\S+/wootric http://\S+/birdie/ingestion 0 0\n3\n", done.stdout)
