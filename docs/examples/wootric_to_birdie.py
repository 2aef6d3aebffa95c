"""Airflow DAGs: a daily sync, and an hourly check of the time since the last success.

The workers need tap-wootric and target-birdie on their PATH, their settings as environment
variables, sync.sh in the folder of this file, and FOLDER on a disk that all workers share.
ALERT_URL is a webhook that accepts {"text": ...}, for example one of Slack.
"""

# ruff: noqa: INP001 - Airflow reads files, not packages

from __future__ import annotations

import json
import os
import urllib.request
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import dag

HERE = Path(__file__).parent
FOLDER = "/var/lib/wootric"
TWO_INTERVALS = "2880"  # minutes


def alert(context: dict[str, Any]) -> None:
    """Send a message; Airflow calls this after the last retry of a task."""
    task = context["task_instance"]
    text = f"{task.dag_id}.{task.task_id} failed: {task.log_url}"
    request = urllib.request.Request(  # noqa: S310 - the URL is a setting
        os.environ["ALERT_URL"],
        data=json.dumps({"text": text}).encode(),
        headers={"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=30).close()  # noqa: S310


COMMON: dict[str, Any] = {
    "start_date": datetime(2026, 1, 1),  # noqa: DTZ001 - Airflow reads it as UTC
    "catchup": False,  # one run syncs everything since the last success
    "max_active_runs": 1,  # two runs must not share a state
}


@dag(schedule="17 5 * * *", **COMMON)
def wootric_to_birdie() -> None:
    """Sync new and changed records."""
    BashOperator(
        task_id="sync",
        bash_command=f"mkdir -p {FOLDER} && exec {HERE}/sync.sh {FOLDER} ",
        append_env=True,
        retries=2,
        retry_delay=timedelta(minutes=10),
        execution_timeout=timedelta(hours=12),
        on_failure_callback=alert,
    )


@dag(schedule="@hourly", **COMMON)
def wootric_to_birdie_is_recent() -> None:
    """Fail if no sync has succeeded for two intervals of the schedule."""
    BashOperator(
        task_id="check",
        bash_command=f"find {FOLDER}/last_success -mmin -{TWO_INTERVALS} | grep .",
        on_failure_callback=alert,
    )


wootric_to_birdie()
wootric_to_birdie_is_recent()
