"""`docs/sandbox.md` says what the code does: its tables are compared, its commands run."""

from __future__ import annotations

import ast
import inspect
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from connector_sandbox import Sandbox, cli, options
from connector_sandbox.control import HELP
from connector_sandbox.credentials import Credentials
from connector_sandbox.faults import FAULTS

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "sandbox.md").read_text()
ADDRESS = f"http://127.0.0.1:{cli.DEFAULT_PORT}"


def table(heading: str) -> list[list[str]]:
    """The rows of the first table below a heading, without those of its head."""
    below = DOCUMENT.split(f"## {heading}\n", 1)[1]
    lines = re.search(r"(^\|.*\n)+", below, re.MULTILINE)
    assert lines is not None
    return [re.split(r" ?\| ?", line)[1:-1] for line in lines[0].splitlines()[2:]]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)


def test_every_option_is_listed_with_its_default_and_meaning() -> None:
    """As the docstrings have it, in JSON's words."""
    (source,) = ast.parse(inspect.getsource(options.Options)).body
    assert isinstance(source, ast.ClassDef)
    words = {"None": "null", "True": "true", "False": "false"}
    expected = []
    for field, text in zip(source.body, source.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            assert isinstance(text, ast.Expr)
            default = json.dumps(getattr(options.Options(), field.target.id))
            meaning = re.sub("None|True|False", lambda m: words[m[0]], ast.literal_eval(text.value))
            expected.append([f"`{field.target.id}`", f"`{default}`", meaning])

    assert expected == table("Options")


def test_every_fault_is_listed_with_what_it_does() -> None:
    """As the docstrings have it; the names of statuses depend on the version of Python."""
    expected = [
        [f"`{name}`", re.sub(r"^(\d{3}) [\w ]+;", r"Status \1;", inspect.getdoc(fault) or "")]
        for name, fault in FAULTS.items()
    ]

    assert expected == table("Faults")


def test_every_control_route_is_listed() -> None:
    """As the control address itself lists them."""
    assert [[f"`{route}`", meaning] for route, meaning in HELP.items()] == table("Control")


def test_addresses_and_credentials_are_the_true_ones() -> None:
    """One can copy them from the document."""
    sandbox = Sandbox(responses=0, port=cli.DEFAULT_PORT)
    rows = {name.strip("`"): value.strip("`") for name, value in table("Start")}

    assert rows == {
        "Page": f"{sandbox.url}/",
        "Wootric's `api_url": sandbox.wootric_url,
        "Birdie's `api_url": sandbox.birdie_url,
        **vars(Credentials()),
    }


def test_the_commands_that_start_it_are_understood() -> None:
    """Each is a target of the Makefile or takes arguments that exist."""
    (block,) = blocks("console")
    mentioned = set(re.findall(r"`(--[a-z-]+)", DOCUMENT))
    for line in block.splitlines():
        words = shlex.split(line.removeprefix("$ "))
        if words[0] == "make":
            assert f"\n{words[1]}:" in (ROOT / "Makefile").read_text()
        else:
            assert words[0] == ".venv/bin/sandbox"
            cli._parser().parse_args(words[1:])

    assert mentioned <= set(cli._parser()._option_string_actions)


def examples() -> set[tuple[str, str]]:
    """Method and path of every curl command that goes to the control address."""
    found = set()
    for command in re.split(r"^curl ", "".join(blocks("sh")), flags=re.MULTILINE):
        words = shlex.split(command)
        (url,) = (word for word in words if word.startswith(ADDRESS)) if words else ("",)
        method = (
            words[words.index("-X") + 1] if "-X" in words else "POST" if "-d" in words else "GET"
        )
        found.add((method, url.removeprefix(ADDRESS).partition("?")[0]))
    return found


@pytest.mark.parametrize("route", HELP)
def test_every_route_has_an_example(route: str) -> None:
    """With each of its methods, among the commands that the next test runs."""
    methods, _, path = route.rpartition(" /")
    pattern = re.compile("/" + re.sub(r"{\w+}", r"[^/]+", path.partition("[")[0]))
    for method in methods.split(" or "):
        assert [name for how, name in examples() if how == method and pattern.fullmatch(name)]


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl: the examples are calls of it")
@pytest.mark.parametrize("commands", blocks("sh"), ids=["read", "change", "faults", "options"])
def test_the_examples_work_as_they_are(sandbox: Sandbox, commands: str) -> None:
    """Every command succeeds and answers JSON."""
    count = len(re.findall("^curl ", commands, re.MULTILINE))
    script = "curl() { command curl --fail-with-body -w '\\n' \"$@\"; }\n" + commands.replace(
        ADDRESS, sandbox.url
    )
    done = subprocess.run(
        ["bash", "-eu", "-c", script], capture_output=True, text=True, check=False, timeout=30
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert len([json.loads(line) for line in done.stdout.splitlines()]) == count


def test_the_example_in_python_works(tmp_path: Path) -> None:
    """As a test would use it."""
    (example,) = blocks("python")
    script = tmp_path / "example.py"
    script.write_text(example)
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, check=True, timeout=20
    )

    assert re.fullmatch(r"http://\S+/wootric http://\S+/birdie/ingestion 0 0\n", done.stdout)
