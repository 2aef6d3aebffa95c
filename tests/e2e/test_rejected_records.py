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

    def execute(command: str, **changes: object) -> tuple[int, str, str]:
        (tmp_path / "birdie.json").write_text(json.dumps(config | changes))
        done = shell(command, tmp_path, {})
        return done.returncode, done.stdout, done.stderr

    (tmp_path / "monday.singer").write_text(monday)
    (tmp_path / "tuesday.singer").write_text(tuesday)
    code, _, printed = execute(run)
    assert code == 1
    assert (tmp_path / "state.json").read_text() == '{"bookmark":"2026-01-05"}\n'
    assert [line for line in steady(log).splitlines() if line not in steady(printed)] == []
    assert list(sandbox.birdie.records()) == ["1", "3"]
    assert steady(execute(show)[1]) == steady(shown)

    code, _, printed = execute(again, date_properties=["created_at"])
    assert (code, done.strip() in printed) == (0, True)
    assert sandbox.birdie.records()["2"]["posted_at"] == "2026-01-05T08:01:00Z"
    assert execute(show)[1] == ""
