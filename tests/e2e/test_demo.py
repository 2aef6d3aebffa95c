"""The demo proves what it says, and cleans up behind itself."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import demo
import pytest
import readme_demo
import requests
from connector_sandbox import Sandbox

from .commands import ROOT, run, succeeded

DEMO = ROOT / "scripts/demo.py"


def running(folder: Path) -> list[str]:
    """Commands of processes that name the folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            found.append((entry / "cmdline").read_bytes().decode(errors="replace"))
        except OSError:
            continue
    return [command for command in found if str(folder) in command]


@pytest.mark.long
def test_demo_shows_two_complete_runs(plugins: Path, tmp_path: Path):
    """It exits with 0, tells what the README shows, and leaves nothing in the temporary folder."""
    shown = succeeded(run(sys.executable, DEMO, env=os.environ | {"TMPDIR": str(tmp_path)}))

    assert "Birdie got 300 responses: 300 new, 0 changed." in shown
    assert "Birdie got 7 responses: 5 new, 2 changed." in shown
    assert "Wootric holds 305 responses, Birdie 305" in shown
    assert readme_demo.steady(shown) in readme_demo.steady((ROOT / "README.md").read_text())
    deadline = time.monotonic() + 20
    while list(tmp_path.iterdir()) and time.monotonic() < deadline:  # others end a little later
        time.sleep(0.1)
    assert list(tmp_path.iterdir()) == []


def test_the_readme_changes_only_with_what_the_demo_does():
    """`make docs` leaves no difference of durations, times and batch ids; any other it writes."""
    readme = (ROOT / "README.md").read_text()
    *_, shown = readme.partition(readme_demo.START)
    shown, *_ = shown.partition(readme_demo.END)
    later = re.sub(r"\(\d+ s\)", "(4 s)", shown)
    later = re.sub(r"\d\d:\d\d:\d\d", "12:34:56", later)
    later = re.sub(r"\d{8}T\d{6}Z-[0-9a-f]{6}", "20270102T030405Z-0a1b2c", later)

    assert later != shown
    assert readme_demo.with_output(readme, later) == readme
    changed = later.replace("5 new, 2 changed", "5 new, 3 changed")
    assert changed in readme_demo.with_output(readme, changed)


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are looked up in /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_demo_leaves_no_process(plugins: Path, tmp_path: Path, number: signal.Signals):
    """Ctrl-C or SIGTERM ends Meltano, tap and target with it."""
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


def put(sandbox: Sandbox, kind: str, record_id: int, body: dict[str, Any]) -> None:
    """Store a record at Birdie."""
    key = {"Authorization": f"ApiKey {sandbox.api_key}"}
    url = f"{sandbox.birdie_url}/{kind}/{record_id}"
    assert requests.put(url, json=body, headers=key, timeout=10).status_code == 201


def put_response(sandbox: Sandbox, response: dict[str, Any]) -> None:
    """Store a response at Birdie as the target would."""
    text = demo.text_to_send(response)
    body = {
        "feedback_id": str(response["id"]),
        "posted_at": "2024-01-31T12:00:00Z",
        "kind": {"name": "nps", "fields": {"rating": response["score"]}},
        "additional_fields": {"tags": response.get("tags") or []},
    }
    put(sandbox, "feedbacks", response["id"], body | ({"text": text} if text else {}))


@pytest.fixture
def complete(make_sandbox: Callable[..., Sandbox]) -> Sandbox:
    """A sandbox whose Birdie holds all of Wootric's responses and people."""
    sandbox = make_sandbox(seed=1, responses=5)
    for response in sandbox.store.responses():
        put_response(sandbox, response)
    for person in sandbox.store.end_users():
        put(sandbox, "users", person["id"], {"user_id": str(person["id"])})
    return sandbox


def test_demo_finds_nothing_where_all_is_well(complete: Sandbox):
    """The comparison itself raises no false alarm."""
    assert list(demo.differences(complete)) == []


def test_demo_names_what_is_missing_too_many_or_other(complete: Sandbox):
    """Each way in which a delivery can be wrong is named by id."""
    store = complete.store
    deleted, commented, tagged, scored, _ = (row["id"] for row in store.responses())
    store.delete("responses", deleted)
    store.comment(commented, "said later")
    store.tag(tagged, "late")
    store.score(scored, (store.get(scored)["score"] + 1) % 11)
    added, person = store.add_response()["id"], store.add_end_user()["id"]

    assert list(demo.differences(complete)) == [
        f"response {added} is missing",
        f"feedback {deleted} is too many",
        f"text of response {commented} differs",
        f"tags of response {tagged} differs",
        f"rating of response {scored} differs",
        f"end user {person} is missing or too many",
    ]


@pytest.mark.parametrize(
    ("found", "complaint"),
    [({"1": 1}, "2"), ({"1": 1, "2": 1, "3": 1}, "3"), ({"1": 2, "2": 1}, "more than once")],
)
def test_demo_fails_on_what_was_sent_without_cause(found: dict[str, int], complaint: str):
    """Sent too little, too much or twice: the ids are named."""
    with pytest.raises(demo.DemoError, match=complaint):
        demo.expect("a run", {"1", "2"}, Counter(found))


def test_demo_sees_nothing_of_the_settings_of_the_person(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    """Variables of a production set-up do not reach the demo's runs."""
    monkeypatch.setenv("TAP_WOOTRIC_CLIENT_SECRET", "mine")
    monkeypatch.setenv("TARGET_BIRDIE_API_KEY", "mine")
    monkeypatch.setenv("MELTANO_ENVIRONMENT", "prod")

    variables = demo.environment(sandbox)
    assert "mine" not in variables.values()
    assert variables["MELTANO_ENVIRONMENT"] == "sandbox"
