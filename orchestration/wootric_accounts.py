"""Airflow DAG: a daily sync of every account in a list, several at a time.

Copy this file to the folder of DAGs. Workers need the commands that COMMAND starts, the list, and
in their environment the secrets that it names, and WOOTRIC_DATABASE_URL.
The pool `birdie` needs as many slots as the list says. ALERT_URL is a webhook that accepts
{"text": ...}, for example one of Slack.
"""

from __future__ import annotations

import json
import os
import urllib.request
from datetime import datetime, timedelta
from typing import Any

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import dag

COMMAND = "/opt/wootric/bin/python /opt/wootric/orchestration"
LIST = "/etc/wootric/accounts.yaml"


def alert(context: dict[str, Any]) -> None:
    """Send a message; Airflow calls this after the last retry of a task."""
    task = context["task_instance"]
    name = f"{task.dag_id}.{task.task_id} {task.rendered_map_index or ''}".strip()
    request = urllib.request.Request(  # noqa: S310 - the URL is a setting
        os.environ["ALERT_URL"],
        data=json.dumps({"text": f"{name} failed: {task.log_url}"}).encode(),
        headers={"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=30).close()  # noqa: S310


@dag(
    schedule="17 5 * * *",
    start_date=datetime(2026, 1, 1),  # noqa: DTZ001 - Airflow reads it as UTC
    catchup=False,  # one run syncs everything since the last success
    max_active_runs=1,
    default_args={"append_env": True, "on_failure_callback": alert},
)
def wootric_accounts() -> None:
    """Check the list, then run each account as a task of its own."""
    check = BashOperator(
        task_id="check",
        bash_command=f"exec {COMMAND} check {LIST}",
        output_processor=json.loads,
    )
    BashOperator.partial(
        task_id="sync",
        bash_command=f'exec {COMMAND} run {LIST} "$ACCOUNT"',
        map_index_template="{{ task.env['ACCOUNT'] }}",
        pool="birdie",
        do_xcom_push=False,
        retries=2,
        retry_delay=timedelta(minutes=10),
        execution_timeout=timedelta(hours=12),
    ).expand(env=check.output.map(lambda name: {"ACCOUNT": name}))


wootric_accounts()
