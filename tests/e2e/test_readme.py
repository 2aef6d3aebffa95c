"""The commands and places that the documents at the top name."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from connector_sandbox import Sandbox

from .commands import BIN, ROOT, Run, run, succeeded

README = (ROOT / "README.md").read_text()


def block(language: str, word: str) -> str:
    """The first fenced block of a language in which a word occurs."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    return next(text for text in blocks if word in text)


@pytest.mark.usefixtures("clean_environment")
def test_plain_pipe_works_as_shown_and_again(sandbox: Sandbox, tap_config: Path, tmp_path: Path):
    """Pasted into a shell, twice: all, then nothing; files lie where git ignores them."""
    (tmp_path / "output").mkdir()
    shutil.copy(tap_config, tmp_path / "sample_config.json")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv/bin").symlink_to(BIN)
    address = json.dumps(sandbox.birdie_url)
    key = f'"{sandbox.api_key}", "max_requests_per_second": 0, "api_url": {address}'
    shell = "set -e -o pipefail\n" + block("sh", "--state").replace('"..."', key)

    before = set(tmp_path.iterdir())
    succeeded(run("bash", "-c", shell, cwd=tmp_path))
    first = len(sandbox.birdie.history)
    succeeded(run("bash", "-c", shell, cwd=tmp_path))

    responses = {str(row["id"]) for row in sandbox.store.responses()}
    assert responses == set(sandbox.birdie.records())
    assert len(sandbox.birdie.history) == first
    assert set(tmp_path.iterdir()) == before


@pytest.mark.long
def test_the_check_works_as_shown(meltano: Run):
    """The last line of the output is the result."""
    for line in block("sh", "--check").splitlines():
        assert succeeded(meltano(*line.split()[1:])).splitlines()[-1] == "OK"


def test_make_lists_its_targets(tmp_path: Path):
    """`make` lists all targets, and the README mentions no others."""
    listed = set(re.findall(r"^make (\w+) ", succeeded(run("make", cwd=ROOT)), re.MULTILINE))

    named = set(re.findall(r"`make (\w+)`|\$ make (\w+)", README))
    assert {"demo", "test", "quick", "lint", "format", "types", "bench", "docs", "build"} <= listed
    assert {first or second for first, second in named} <= listed


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_files_that_are_named_exist(name: str):
    """A file that is moved takes its mentions along."""
    text = (ROOT / name).read_text()
    paths = re.findall(r"`([\w.-]+/[\w./-]*)`|\]\((?!https:)([^)]+)\)", text)
    named = {first or second for first, second in paths} - {"output/"}

    not_made = {path for path in named if not path.startswith((".tools", ".venv"))}
    assert len(not_made) > 2
    assert [path for path in sorted(not_made) if not (ROOT / path).exists()] == []
