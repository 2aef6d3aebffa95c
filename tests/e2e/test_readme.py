"""The commands of both README files and of the page on DuckDB, pasted into a shell."""

import json
import shutil
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest
from commands import BIN, block, everything, settings, shell, succeeded, tool
from connector_sandbox import Sandbox

from .conftest import Meltano

TARGET = "target-birdie/README.md"
DUCKDB = "docs/duckdb.md"
QUERY = 'duckdb.sql(open("docs/examples/nps_per_month.sql").read())'
DUMP = f"import json; print(json.dumps({QUERY}.fetchall(), default=str))"
ANSWER = {
    "uuid": "a1",
    "answer": {"value": 4},
    "answered_at": 1706695200,
    "survey": {"name": "Support"},
    "customer": {"labels": {"plan": "pro"}},
}


@pytest.fixture
def folder(sandbox: Sandbox, tmp_path: Path) -> Path:
    """A folder with a configuration of the tap."""
    config = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
    config["api_url"] = sandbox.wootric_url
    (tmp_path / "wootric.json").write_text(json.dumps(config))
    return tmp_path


def with_key(script: str, sandbox: Sandbox) -> str:
    """The script with the key and the address of the sandbox."""
    key = f'"{sandbox.api_key}", "max_requests_per_second": 0, "api_url": "{sandbox.birdie_url}"'
    return script.replace('"..."', key)


def test_the_pipe_delivers_everything_once(sandbox: Sandbox, folder: Path):
    """All its files are in the folder that git ignores."""
    (folder / "output").mkdir()
    (folder / ".venv").mkdir()
    (folder / ".venv/bin").symlink_to(BIN)
    shutil.copy(folder / "wootric.json", folder / "sample_config.json")
    script = with_key(block("README.md", "--state"), sandbox)
    succeeded(shell(script, folder, {}))
    files = set(folder.iterdir())
    succeeded(shell(script, folder, {}))

    assert set(folder.iterdir()) == files
    assert len(sandbox.birdie.history) == everything(sandbox)


@pytest.mark.long
def test_the_check_works(meltano: Meltano):
    """The last line of the output is the result."""
    for line in block("README.md", "--check").splitlines():
        assert succeeded(meltano(*line.split()[1:])).splitlines()[-1] == "OK"


@pytest.mark.long
def test_the_target_delivers_checks_and_shows_rejected_records(sandbox: Sandbox, folder: Path):
    _, pipe = with_key(block(TARGET, "pip install"), sandbox).split("\n", 1)
    sandbox.faults.on("400", times=1, path="/birdie/ingestion/feedbacks")

    first = shell(pipe, folder, {})
    check = succeeded(shell(block(TARGET, "--check"), folder, {}))
    rejects = succeeded(shell(block(TARGET, "--rejects"), folder, {}))

    assert first.returncode == 1
    assert check.endswith("\nOK\n")
    assert [json.loads(line)["reason"] for line in rejects.splitlines()] == ["400"]
    assert len(sandbox.birdie.history) == everything(sandbox) - 1


def test_the_target_maps_another_survey_tool(sandbox: Sandbox, folder: Path):
    (folder / "birdie.json").write_text(block(TARGET, '"answers"'))
    schema = {"type": "SCHEMA", "stream": "answers", "schema": {"properties": {}}}
    record = {"type": "RECORD", "stream": "answers", "record": ANSWER}
    (folder / "in").write_text(
        f"{json.dumps(schema | {'key_properties': []})}\n{json.dumps(record)}"
    )

    script = "target-birdie --config=ENV --config birdie.json < in"
    succeeded(shell(script, folder, settings(sandbox)))

    stored = sandbox.birdie.records()["a1"]
    assert stored["kind"] == {"name": "csat", "fields": {"rating": 4, "survey_title": "Support"}}
    assert stored["posted_at"] == "2024-01-31T10:00:00Z"
    assert stored["additional_fields"] == {"plan": "pro"}


def nps_per_month(sandbox: Sandbox) -> list[tuple[str, int, int]]:
    """Month, number of responses and NPS; a half is rounded away from 0, as in SQL."""
    scores = defaultdict(list)
    for row in sandbox.store.responses():
        if row.get("survey_id") in {10, 11, 13} and not row.get("excluded_from_calculations"):
            scores[f"{row['created_at']:%Y-%m}-01"].append(row["score"])
    nps = []
    for month, given in scores.items():
        points = sum((score >= 9) - (score <= 6) for score in given)
        exact = Decimal(100 * points) / len(given)
        nps.append((month, len(given), int(exact.quantize(Decimal(1), ROUND_HALF_UP))))
    return sorted(nps)


@pytest.mark.long
def test_duckdb_computes_the_nps_from_new_and_changed_records(sandbox: Sandbox, folder: Path):
    """The files of target-jsonl contain several versions of a record."""
    target = tool("loaders", "target-jsonl", "target-jsonl")
    python = tool("loaders", "duckdb", "python")
    variables = {"PATH": f"{BIN}:{target.parent}:/usr/bin:/bin", "TZ": "Asia/Tokyo"}
    _, load = block(DUCKDB, "uv tool").split("\n", 1)
    query = block(DUCKDB, "uvx").replace("uvx --with duckdb python", str(python))

    for score in (0, 10):
        changed = next(row for row in sandbox.store.responses() if row.get("survey_id") == 10)
        sandbox.options.utc_offset_seconds_clock += 2  # the query orders versions by second
        sandbox.store.score(changed["id"], score)
        sandbox.add_responses(3)
        succeeded(shell(load, folder, variables))
    table = succeeded(shell(query, folder, variables))
    rows = succeeded(shell(query.replace(f"print({QUERY})", DUMP), folder, variables))

    assert "nps" in table
    assert sorted(map(tuple, json.loads(rows))) == nps_per_month(sandbox)
