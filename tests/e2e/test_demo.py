"""The demo checks what it prints, and leaves no file and no process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import demo
import demo_docs
import pytest
from connector_sandbox import Sandbox

from .commands import ROOT, run, succeeded

DEMO = ROOT / "scripts/demo.py"


def running(folder: Path) -> list[str]:
    """Return the commands of processes that contain the path of the folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            found.append((entry / "cmdline").read_bytes().decode(errors="replace"))
        except OSError:
            continue
    return [command for command in found if str(folder) in command]


@pytest.mark.long
def test_demo_shows_two_complete_runs_as_in_the_documents(plugins: Path, tmp_path: Path):
    env = os.environ | {"TMPDIR": str(tmp_path)}
    output = succeeded(run(sys.executable, DEMO, "--records", env=env))

    summary, _, _ = output.partition(demo_docs.RECORDS)
    assert "received 300 responses: 300 new, 0 changed." in summary
    assert "received 7 responses: 5 new, 2 changed." in summary
    assert "Checked all 305 responses: 0 missing, 0 duplicates, 0 differences." in summary
    assert summary.count("\n") <= 12
    for name in demo_docs.BLOCKS:
        document = (ROOT / name).read_text()
        assert demo_docs.written(name, document, output) == document, "run make docs"
    deadline = time.monotonic() + 20
    while list(tmp_path.iterdir()) and time.monotonic() < deadline:  # processes that end later
        time.sleep(0.1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="the test needs /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_demo_and_all_its_processes(
    plugins: Path, tmp_path: Path, number: signal.Signals
):
    process = subprocess.Popen(
        [sys.executable, str(DEMO)], env=os.environ | {"TMPDIR": str(tmp_path)}, text=True
    )
    deadline = time.monotonic() + 60
    while not running(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert running(tmp_path)
    process.send_signal(number)

    assert process.wait(30) == 128 + number
    assert running(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_documents_change_only_if_more_than_times_has_changed():
    document = "$ make demo\n1. run .... 12 s\n   5 new\n```\n"

    assert demo_docs.written("README.md", document, "1. run .. 9 s\n   5 new\n") == document
    changed = demo_docs.written("README.md", document, "1. run .. 9 s\n   6 new\n")
    assert changed == "$ make demo\n1. run .. 9 s\n   6 new\n```\n"


def both_apis(responses: list[Any], feedbacks: dict[str, Any], users: dict[str, Any]) -> Any:
    """A sandbox with these records, and an end user with the id 9."""
    store = SimpleNamespace(responses=lambda: responses, end_users=lambda: [{"id": 9}])
    records = {"feedbacks": feedbacks, "users": users}
    birdie = SimpleNamespace(records=lambda kind="feedbacks": records[kind])
    return SimpleNamespace(store=store, birdie=birdie)


def test_demo_reports_each_kind_of_difference():
    feedback = {"kind": {"fields": {"rating": 7}}, "text": "ok", "additional_fields": {}}
    response = {"id": 1, "score": 7, "text": "ok", "tags": None}
    feedbacks = {"1": feedback, "3": feedback}
    changed = response | {"score": 8, "text": "better", "tags": ["late"]}

    assert not list(demo.differences(both_apis([response], {"1": feedback}, {"9": {}})))
    assert list(demo.differences(both_apis([changed, response | {"id": 2}], feedbacks, {}))) == [
        "response 2 is missing",
        "feedback 3 is extra",
        "rating of response 1 differs",
        "text of response 1 differs",
        "tags of response 1 differs",
        "end user 9 is missing or extra",
    ]


@pytest.mark.parametrize(
    ("found", "problem"),
    [({"1": 1}, "2"), ({"1": 1, "2": 1, "3": 1}, "3"), ({"1": 2, "2": 1}, "more than once")],
)
def test_demo_fails_if_birdie_receives_fewer_more_or_repeated_records(
    found: dict[str, int], problem: str
):
    with pytest.raises(demo.DemoError, match=problem):
        demo.expect("a run", {"1", "2"}, Counter(found))


def test_demo_ignores_the_settings_of_the_user(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TAP_WOOTRIC_CLIENT_SECRET", "mine")
    monkeypatch.setenv("TARGET_BIRDIE_API_KEY", "mine")
    monkeypatch.setenv("MELTANO_ENVIRONMENT", "prod")

    variables = demo.environment(sandbox)
    assert "mine" not in variables.values()
    assert variables["MELTANO_ENVIRONMENT"] == "sandbox"
