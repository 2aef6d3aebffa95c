"""Birdie rejects a record in one run and accepts it in the next, as the page in docs/ shows."""

from __future__ import annotations

import json
import re
from pathlib import Path

from connector_sandbox import Sandbox
from docs.shell import Done, environment, shell

from .commands import ROOT

PAGE = (ROOT / "docs/rejected-records.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
MONDAY, TUESDAY = PAGE.index("## Monday"), PAGE.index("## Tuesday")


def shape(line: str) -> str:
    """A line without the figures of its run."""
    return re.sub(r"\d+/s|\d{4}-[^\"]*Z", "", line)


def test_the_page_on_rejected_records_is_right(sandbox: Sandbox, tmp_path: Path):
    """Every command, in order, with the output that is shown."""
    kinds = [kind for kind, _ in BLOCKS]
    texts = [text for _, text in BLOCKS]
    assert kinds == ["json", "sh", "", "sh", "json", "json", "sh", ""]
    monday, run, log, show, shown, tuesday, again, done = texts
    config = {
        "api_key": sandbox.api_key,
        "api_url": sandbox.birdie_url,
        "store_url": "sqlite:///birdie.db",
    }

    def execute(command: str, **changes: object) -> Done:
        (tmp_path / "birdie.json").write_text(json.dumps(config | changes))
        return shell(command, tmp_path, environment(sandbox))

    (tmp_path / "monday.singer").write_text(monday)
    (tmp_path / "tuesday.singer").write_text(tuesday)
    first = execute(run)
    assert (first.returncode, first.stdout) == (1, "")
    assert (tmp_path / "state.json").read_text() == '{"bookmark":"2026-01-05"}\n'
    for line in log.splitlines():
        assert shape(line) in shape(first.stderr)
    assert list(sandbox.birdie.records()) == ["1", "3"]

    assert shape(execute(show).stdout) == shape(shown)

    dated = {"date_properties": ["created_at"]}
    second = execute(again, **dated)
    assert (second.returncode, done.strip() in second.stderr) == (0, True)
    assert sandbox.birdie.records()["2"]["posted_at"] == "2026-01-05T08:01:00Z"
    assert execute(show, **dated).stdout == ""


def test_a_record_that_birdie_rejects_in_run_1_and_accepts_in_run_2(
    sandbox: Sandbox, tmp_path: Path
):
    """With the real tap in front: nothing is read twice, nothing is missing at Birdie."""
    (tmp_path / "birdie.db").unlink(missing_ok=True)
    pipe = (
        "touch state.json; set -o pipefail; tap-wootric --config=ENV --state state.json |"
        "target-birdie --config=ENV > states; code=$?; tail -1 states > state.json; exit $code"
    )
    sandbox.faults.on("422", times=3, api="birdie", path="/feedbacks/")
    first = shell(pipe, tmp_path, environment(sandbox))
    second = shell(pipe, tmp_path, environment(sandbox))

    assert (first.returncode, second.returncode) == (1, 0), first.stderr + second.stderr
    assert "3 rejected (422: 3)" in first.stderr
    assert "records: 3 accepted on retry, " in second.stderr
    assert sandbox.birdie.records().keys() == {str(row["id"]) for row in sandbox.store.responses()}
