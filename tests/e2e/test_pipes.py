"""Tap and targets joined by a plain pipe, twice with state."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from connector_sandbox import Sandbox

from .commands import BIN, run, succeeded

pytestmark = pytest.mark.usefixtures("clean_environment")


def pipe(tap: list[str | Path], target: list[str | Path], state: Path) -> None:
    """`tap | target`, keeping the last state that the target wrote."""
    extra = ["--state", state] if state.exists() else []
    extract = subprocess.Popen(
        [str(part) for part in [*tap, *extra]],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with extract:
        states = succeeded(run(*target, stdin=extract.stdout)).splitlines()
    assert extract.returncode == 0
    state.write_text(states[-1])


def live_on(sandbox: Sandbox) -> set[str]:
    """Two new responses, a late comment and a late tag; returns the ids."""
    old = sorted(sandbox.store.responses(), key=lambda row: row["created_at"])
    sandbox.store.comment(old[0]["id"], "Late, but here it is")
    sandbox.store.tag(old[1]["id"], "late")
    return {str(row["id"]) for row in [*old[:2], *sandbox.add_responses(2)]}


def test_second_pipe_to_birdie_moves_only_what_is_new_or_changed(
    sandbox: Sandbox, tap_config: Path, tmp_path: Path
):
    """With the state of the first run, Birdie gets four responses: two new, two changed."""
    config = tmp_path / "target.json"
    settings = {"api_key": sandbox.api_key, "api_url": sandbox.birdie_url}
    config.write_text(json.dumps(settings | {"max_requests_per_second": 0}))
    tap: list[str | Path] = [BIN / "tap-wootric", "--config", tap_config]
    target: list[str | Path] = [BIN / "target-birdie", "--config", config]

    pipe(tap, target, tmp_path / "state.json")
    first = len(sandbox.birdie.history)
    moved = live_on(sandbox)
    pipe(tap, target, tmp_path / "state.json")

    second = [put.path for put in sandbox.birdie.history[first:]]
    responses = {str(row["id"]) for row in sandbox.store.responses()}
    assert sorted(f"/feedbacks/{name}" for name in moved) == sorted(second)
    assert responses == set(sandbox.birdie.records())


def rows(folder: Path) -> list[dict[str, Any]]:
    """The responses that target-jsonl wrote so far."""
    with (folder / "responses.jsonl").open() as lines:
        return [json.loads(line) for line in lines]


@pytest.mark.long
def test_second_pipe_to_json_lines_moves_only_what_is_new_or_changed(
    sandbox: Sandbox, tap_config: Path, tmp_path: Path, plugins: Path
):
    """A target that knows nothing of Birdie or Wootric gets the same four, appended."""
    config = tmp_path / "target.json"
    config.write_text(json.dumps({"destination_path": str(tmp_path), "do_timestamp_file": False}))
    tap: list[str | Path] = [BIN / "tap-wootric", "--config", tap_config]
    loader = plugins / "loaders/target-jsonl/venv/bin/target-jsonl"
    target: list[str | Path] = [loader, "--config", config]

    pipe(tap, target, tmp_path / "state.json")
    first = rows(tmp_path)
    moved = live_on(sandbox)
    pipe(tap, target, tmp_path / "state.json")

    second = rows(tmp_path)[len(first) :]
    assert sorted(moved) == sorted(str(row["id"]) for row in second)
    assert {row["id"] for row in sandbox.store.responses()} == {
        row["id"] for row in [*first, *second]
    }
