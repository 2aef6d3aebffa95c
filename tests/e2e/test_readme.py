"""The commands and places that the documents at the top name."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml
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


@pytest.mark.long
def test_settings_by_command_keep_secrets_out_of_the_project(meltano: Run):
    """Pasted into a shell: secrets end in .env, and in no file that is committed."""
    folder = meltano.folder  # type: ignore[attr-defined]
    (folder / ".venv").mkdir()
    (folder / ".venv/bin").symlink_to(BIN)
    for name in ("client-secret.txt", "api-key.txt"):
        (folder / name).write_text(f"from {name}\n")
    shell = "set -e\n" + block("sh", "config set")

    succeeded(run("bash", "-c", shell, cwd=folder))

    hidden, shown = (folder / ".env").read_text(), (folder / "meltano.yml").read_text()
    assert "TAP_WOOTRIC_CLIENT_SECRET='from client-secret.txt'" in hidden
    assert "TARGET_BIRDIE_API_KEY='from api-key.txt'" in hidden
    assert "client_id: your-client-id" in shown
    assert "from client-secret.txt" not in shown
    assert "from api-key.txt" not in shown


def test_meltano_block_agrees_with_the_project():
    """What is there to paste names the plugin as meltano.yml does."""
    pasted = yaml.safe_load(block("yaml", "extractors"))["plugins"]["extractors"][0]
    project = yaml.safe_load((ROOT / "meltano.yml").read_text())["plugins"]["extractors"][0]

    for name in ("name", "namespace", "executable", "select"):
        assert pasted[name] == project[name]
    assert set(pasted["capabilities"]) <= set(project["capabilities"])
    known = {setting["name"] for setting in project["settings"]}
    assert {setting["name"] for setting in pasted["settings"]} <= known


def test_make_lists_its_targets(tmp_path: Path):
    """`make` alone tells what there is, and the README names nothing else."""
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
