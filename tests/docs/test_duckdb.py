"""The page on DuckDB: its commands, and the NPS that its query computes."""

from __future__ import annotations

import json
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest
from connector_sandbox import Sandbox
from environments import command

from .shell import block, environment, shell

PAGE = "docs/duckdb.md"
NPS_SURVEYS = {10, 11, 13}
QUERY = 'duckdb.sql(open("docs/examples/nps_per_month.sql").read())'
SHOW, DUMP = f"print({QUERY})", f"import json; print(json.dumps({QUERY}.fetchall(), default=str))"


def nps_per_month(sandbox: Sandbox) -> dict[str, tuple[int, int]]:
    """Return number of responses and NPS by month; a half is rounded away from 0, as in SQL."""
    scores = defaultdict(list)
    for row in sandbox.store.responses():
        if row.get("survey_id") in NPS_SURVEYS and not row.get("excluded_from_calculations"):
            scores[f"{row['created_at']:%Y-%m}-01"].append(row["score"])
    nps = {}
    for month, given in scores.items():
        points = sum((score >= 9) - (score <= 6) for score in given)
        exact = Decimal(100 * points) / len(given)
        nps[month] = len(given), int(exact.quantize(Decimal(1), ROUND_HALF_UP))
    return nps


@pytest.mark.long
def test_commands_load_changes_and_the_query_computes_the_nps(sandbox: Sandbox, tmp_path: Path):
    target = command("loaders", "target-jsonl", "target-jsonl")
    python = command("loaders", "duckdb", "python")
    env = environment(sandbox)
    env |= {"PATH": f"{env['PATH']}:{target.parent}", "TZ": "Asia/Tokyo"}
    tap = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
    (tmp_path / "wootric.json").write_text(json.dumps(tap | {"api_url": sandbox.wootric_url}))
    install, load = block(PAGE, "uv tool").text.split("\n", 1)
    query = block(PAGE, "uvx").text.replace("uvx --with duckdb python", str(python))
    assert install == "uv tool install target-jsonl"
    assert SHOW in query

    for score in (0, 10):
        changed = next(row for row in sandbox.store.responses() if row.get("survey_id") == 10)
        sandbox.store.score(changed["id"], score)
        sandbox.add_responses(3)
        loaded = shell(f"set -e -o pipefail\n{load}", tmp_path, env)
        assert loaded.returncode == 0, loaded.stderr
    table, found = (shell(text, tmp_path, env) for text in (query, query.replace(SHOW, DUMP)))

    assert "nps" in table.stdout, table.stderr
    months = {month: (count, nps) for month, count, nps in json.loads(found.stdout)}
    assert months == nps_per_month(sandbox)
