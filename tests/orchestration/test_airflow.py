"""The DAG for one account, in Airflow."""

import json
from pathlib import Path

import pytest
from commands import EXAMPLES, environment, everything, run, settings, tool
from connector_sandbox import Sandbox
from webhook import listening

from .helpers import deploy

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


@pytest.mark.long
def test_a_dag_syncs_and_alerts_on_each_failure(sandbox: Sandbox, tmp_path: Path):
    """A missing success is a failure as well."""
    dags = tmp_path / "dags"
    dags.mkdir()
    (dags / "sync.sh").symlink_to(EXAMPLES / "sync.sh")
    folder = {"/var/lib/wootric": f"{tmp_path}/data"}
    deploy(EXAMPLES / "wootric_to_birdie.py", dags, folder)
    airflow = {"AIRFLOW_HOME": f"{tmp_path}/home", "AIRFLOW__CORE__DAGS_FOLDER": str(dags)}
    airflow |= {"AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    right = settings(sandbox)

    with listening() as webhook:
        lines = [
            ("db migrate", {}),
            ("dags test wootric_to_birdie", {"TAP_WOOTRIC_CLIENT_SECRET": "wrong"}),
            ("dags test wootric_to_birdie_is_recent", {}),
            ("dags test wootric_to_birdie", right),
            ("dags test wootric_to_birdie_is_recent", {}),
        ]
        done = run(
            *(tool("docs", "apache-airflow", "python"), "-c", SCRIPT),
            env=environment(right | airflow | {"ALERT_URL": webhook.url}),
            input="\n".join(map(json.dumps, lines)),
        )

    assert [text.split(":")[0] for text in webhook.texts] == [
        "wootric_to_birdie.sync failed",
        "wootric_to_birdie_is_recent.check failed",
    ], done.stderr[-3000:]
    sent = [put.path for put in sandbox.birdie.history]
    assert len(set(sent)) == len(sent) == everything(sandbox)
