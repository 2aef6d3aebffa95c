"""Birdie rejects a record in one run and accepts it in the next, as the page in docs/ shows."""

import json
import re
from pathlib import Path

from commands import ROOT, shell
from connector_sandbox import Sandbox

PAGE = (ROOT / "docs/rejected-records.md").read_text()


def steady(text: str) -> str:
    """Text without the figures of its run."""
    return re.sub(r"\d+/s|\d{4}-[^\"]*Z", "", text)


def test_the_page_on_rejected_records_is_right(sandbox: Sandbox, tmp_path: Path):
    """Every command, in order, with the output that is shown."""
    texts = re.findall(r"^```\w*\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    monday, run, log, show, shown, tuesday, again, done = texts
    config = {"api_key": sandbox.api_key, "api_url": sandbox.birdie_url}
    message = json.loads(shown)["message"]
    sandbox.faults.on("422", times=1, record_id="2", message=message)
    (tmp_path / "birdie.json").write_text(json.dumps(config))
    (tmp_path / "monday.singer").write_text(monday)
    (tmp_path / "tuesday.singer").write_text(tuesday)

    first = shell(run, tmp_path, {})
    assert (first.returncode, message in first.stderr) == (1, False)
    assert (tmp_path / "state.json").read_text() == '{"bookmark":"2026-01-05"}\n'
    assert [line for line in steady(log).splitlines() if line not in steady(first.stderr)] == []
    assert sorted(sandbox.birdie.records()) == ["1", "3"]
    assert steady(shell(show, tmp_path, {}).stdout) == steady(shown)

    second = shell(again, tmp_path, {})
    assert (second.returncode, done.strip() in second.stderr) == (0, True)
    assert ("RECORD" in tuesday, len(sandbox.requests)) == (False, 4)
    assert sandbox.birdie.records()["2"]["text"] == "Zu langsam"
    assert shell(show, tmp_path, {}).stdout == ""
