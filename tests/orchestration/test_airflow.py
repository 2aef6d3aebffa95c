"""Many accounts in Airflow, with its real scheduler."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from connector_sandbox import Sandbox, side_by_side
from docs.shell import everything
from environments import ROOT
from postgres import Postgres
from webhook import Webhook

from .airflow import running
from .commands import FOLDER, entry, environment, write

DAG = "wootric_accounts"
NAMES = ["acme", "broken", "globex"]
SUCCESS = {"check": "success"} | dict.fromkeys(NAMES, "success")
SLOTS = 2


def deploy(folder: Path) -> Path:
    """Write the DAG for this machine: by hand only, and without retries."""
    dags = folder / "dags"
    dags.mkdir()
    code = (FOLDER / f"{DAG}.py").read_text()
    for old, new in {
        "/opt/wootric/bin/python": sys.executable,
        "/opt/wootric": str(ROOT),
        "/etc/wootric": str(folder),
        'schedule="17 5 * * *"': "schedule=None",
        "retries=2": "retries=0",
    }.items():
        assert old in code
        code = code.replace(old, new)
    (dags / f"{DAG}.py").write_text(code)
    return dags


def reads(sandbox: Sandbox) -> int:
    """How many requests Wootric has received."""
    return sum(request.api == "wootric" for request in sandbox.requests)


@pytest.mark.soak
def test_one_failing_account_affects_no_other_and_recovers(
    postgres: Postgres, webhook: Webhook, tmp_path: Path
):
    """Each run has a new folder. Between the runs the order of the list changes."""
    dags, listed = deploy(tmp_path), tmp_path / "accounts.yaml"
    with side_by_side(3) as sandboxes:
        broken = sandboxes[1]
        quick = {"TAP_WOOTRIC_RETRY_BUDGET_SECONDS": "1"}
        entries = [entry(*pair, **quick) for pair in zip(NAMES, sandboxes, strict=True)]
        env = environment(entries, postgres.empty_database()) | {"ALERT_URL": webhook.url}
        with running(dags, tmp_path / "home", env) as airflow:
            airflow.create_pool("birdie", SLOTS)
            write(listed, entries, SLOTS)
            broken.faults.on("500", share=1, after=4, api="wootric", path="/v1/")
            first = airflow.run(DAG)
            partly, reads_of_all = len(broken.birdie.history), reads(sandboxes[0])
            broken.faults.off()
            write(listed, entries[::-1], SLOTS)
            for sandbox in sandboxes:
                sandbox.add_responses(5)
            second = airflow.run(DAG)

        assert first == SUCCESS | {"broken": "failed"}
        assert second == SUCCESS
        assert [text.split(":")[0] for text in webhook.texts] == [f"{DAG}.sync broken failed"]
        assert 0 < partly < everything(broken)
        assert reads(sandboxes[0]) < 2 * reads_of_all, "the state is lost"
        for sandbox in sandboxes:
            sent = [put.path for put in sandbox.birdie.history]
            assert len(set(sent)) == len(sent) == everything(sandbox)
