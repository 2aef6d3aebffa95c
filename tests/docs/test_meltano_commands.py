"""The Meltano commands of the page on production."""

from __future__ import annotations

import json
import re
from importlib.metadata import metadata
from pathlib import Path

import pytest
from connector_sandbox import Sandbox
from e2e.commands import Run, succeeded
from e2e.conftest import meltano, plugins  # noqa: F401

from .documents import ROOT
from .shell import block, everything

PAGE = "docs/production.md"


def commands(word: str) -> list[list[str]]:
    """The Meltano commands of a block, as lists of words."""
    lines = re.findall(r"^meltano (.*)$", block(PAGE, word).text, re.MULTILINE)
    return [[word.strip("'") for word in re.findall(r"'[^']*'|\S+", line)] for line in lines]


@pytest.mark.long
def test_the_schedule_runs_the_pipeline(meltano: Run, sandbox: Sandbox):  # noqa: F811
    (running,) = commands("schedule run")

    succeeded(meltano(*running))

    assert len(sandbox.birdie.history) == everything(sandbox)


@pytest.mark.long
def test_states_go_where_the_state_backend_says(meltano: Run, tmp_path: Path):  # noqa: F811
    """As shown for a bucket, with a folder in its place and this environment's name."""
    script = block(PAGE, "STATE_BACKEND_URI").text
    (variable,) = re.findall(r"^export (\w+)=s3://", script, re.MULTILINE)
    place = {variable: f"file://{tmp_path}/states"}
    run, listing, (*get, name) = commands("STATE_BACKEND_URI")

    succeeded(meltano(*run, **place))
    listed = succeeded(meltano(*listing, **place)).split()
    state = json.loads(succeeded(meltano(*get, name.replace("prod:", "sandbox:"), **place)))

    assert name.replace("prod:", "sandbox:") in listed
    assert "intervals" in state["singer_state"]["bookmarks"]["responses"]
    assert list((tmp_path / "states").rglob("state.json"))


@pytest.mark.long
def test_meltano_ends_with_1_whatever_the_plugins_code(meltano: Run):  # noqa: F811
    """So alerts on Meltano have one code to look at."""
    done = meltano("run", "wootric-to-birdie", TARGET_BIRDIE_API_KEY="not-the-key")

    assert done.returncode == 1
    assert "Error: Birdie rejected the key" in done.stderr


def test_the_extras_that_are_named_exist():
    """`meltano[s3]`, `gcs` and `azure` can be installed."""
    page = (ROOT / PAGE).read_text()

    assert "'meltano[s3]'" in page
    assert {"s3", "gcs", "azure"} <= set(metadata("meltano").get_all("Provides-Extra") or ())
