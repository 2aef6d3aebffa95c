"""The demo checks what it prints, and leaves no file and no process."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import demo
import demo_docs
import pytest
from commands import ROOT, run, succeeded
from connector_sandbox import Sandbox

from .conftest import Meltano

DEMO = ROOT / "scripts/demo.py"
SECRETS = {"TAP_WOOTRIC_CLIENT_SECRET": "mine", "TARGET_BIRDIE_API_KEY": "mine"}


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def processes(folder: Path) -> str:
    """The processes whose command contains the path of the folder."""
    return run("pgrep", "-f", folder).stdout


@pytest.mark.long
def test_the_demo_shows_two_complete_runs_as_in_the_documents(meltano: Meltano, tmp_path: Path):
    """It ignores the settings of the user."""
    env = os.environ | SECRETS | {"TMPDIR": str(tmp_path), "MELTANO_ENVIRONMENT": "prod"}
    output = succeeded(run(sys.executable, DEMO, "--records", env=env))

    summary, _, _ = output.partition(demo_docs.RECORDS)
    assert "Checked all 305 responses: 0 missing, 0 duplicates, 0 differences." in summary
    assert summary.count("\n") <= 12
    for name in demo_docs.BLOCKS:
        document = (ROOT / name).read_text()
        assert demo_docs.written(name, document, output) == document, "run make docs"
    until(lambda: not list(tmp_path.iterdir()))  # some processes end later


@pytest.mark.long
def test_a_signal_ends_the_demo_and_all_its_processes(meltano: Meltano, tmp_path: Path):
    env = os.environ | {"TMPDIR": str(tmp_path)}
    process = subprocess.Popen([sys.executable, str(DEMO)], env=env)
    until(lambda: processes(tmp_path))
    process.send_signal(signal.SIGTERM)

    assert process.wait(30) == 128 + signal.SIGTERM
    assert processes(tmp_path) == ""
    assert list(tmp_path.iterdir()) == []


def test_the_demo_reports_each_kind_of_difference(make_sandbox: Callable[..., Sandbox]):
    sandbox = make_sandbox(responses=0)
    for record_id, text in ((1, "better"), (2, None)):
        sandbox.store.add_response(id=record_id, score=8, text=text, tags=["late"])
    sandbox.store.add_end_user(id=9)
    feedback = {"kind": {"fields": {"rating": 7}}, "text": "ok", "additional_fields": {}}
    sandbox.birdie.records = lambda kind="feedbacks": (
        {"1": feedback, "3": feedback} if kind == "feedbacks" else {}
    )

    assert list(demo.differences(sandbox)) == [
        "response 2 is missing",
        "feedback 3 is extra",
        "rating of response 1 differs",
        "text of response 1 differs",
        "tags of response 1 differs",
        "end user 9 is missing or extra",
    ]


@pytest.mark.parametrize(
    ("found", "problem"), [("1", "2"), ("123", "3"), ("112", "more than once")]
)
def test_the_demo_fails_if_records_are_missing_unexpected_or_repeated(found: str, problem: str):
    with pytest.raises(demo.DemoError, match=problem):
        demo.expect("a run", {"1", "2"}, Counter(found))
