"""The DAGs for one and for many accounts, in Airflow."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from commands import EXAMPLES, ROOT, environment, everything, run, settings, tool
from connector_sandbox import side_by_side
from postgres import Postgres
from webhook import listening

from .helpers import FOLDER, deploy, entry, secrets, write

SCRIPT = """
import contextlib, json, os, sys
from airflow.cli.cli_parser import get_parser
for line in sys.stdin:
    words, variables = json.loads(line)
    os.environ.update(variables)
    options = get_parser().parse_args(words.split())
    with contextlib.suppress(SystemExit):  # a run that fails
        options.func(options)
"""
"""Airflow takes ten seconds to start, so one process executes all commands."""
NAMES = ("broken", "acme")


@pytest.mark.long
def test_dags_sync_one_or_many_accounts_and_alert_on_each_failure(
    postgres: Postgres, tmp_path: Path
):
    """A failed account affects no other and recovers; a missing success is a failure as well."""
    dags = tmp_path / "dags"
    dags.mkdir()
    (dags / "sync.sh").symlink_to(EXAMPLES / "sync.sh")
    folder = {"/var/lib/wootric": f"{tmp_path}/data"}
    deploy(EXAMPLES / "wootric_to_birdie.py", dags, folder)
    paths = {"/opt/wootric/bin/python": sys.executable, "/opt/wootric": str(ROOT)}
    deploy(FOLDER / "wootric_accounts.py", dags, paths | {"/etc/wootric": str(tmp_path)})
    airflow = {"AIRFLOW_HOME": f"{tmp_path}/home", "AIRFLOW__CORE__DAGS_FOLDER": str(dags)}
    airflow |= {"AIRFLOW__CORE__LOAD_EXAMPLES": "False"}

    with side_by_side(3, responses=20) as (one, *many), listening() as webhook:
        write(tmp_path / "accounts.yaml", *map(entry, NAMES, many), slots=1)
        variables = settings(one) | secrets(postgres.empty_database(), *NAMES) | airflow
        wrong = {"TAP_WOOTRIC_CLIENT_SECRET": "wrong", "BROKEN_KEY": "wrong"}
        lines = [
            ("db migrate", {}),
            ("dags test wootric_to_birdie", wrong),
            ("dags test wootric_to_birdie_is_recent", {}),
            ("dags test wootric_accounts", {}),
            ("dags test wootric_to_birdie", variables),
            ("dags test wootric_to_birdie_is_recent", {}),
            ("dags test wootric_accounts", {}),
        ]
        done = run(
            *(tool("docs", "apache-airflow", "python"), "-c", SCRIPT),
            env=environment(variables | {"ALERT_URL": webhook.url}),
            input="\n".join(map(json.dumps, lines)),
        )

    assert [text.split(":")[0] for text in webhook.texts] == [
        "wootric_to_birdie.sync failed",
        "wootric_to_birdie_is_recent.check failed",
        "wootric_accounts.sync broken failed",
    ], done.stderr[-3000:]
    for sandbox in (one, *many):
        sent = [put.path for put in sandbox.birdie.history]
        assert len(set(sent)) == len(sent) == everything(sandbox)
