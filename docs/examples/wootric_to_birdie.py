"""Airflow: a run each day, and a first load split over several workers.

The workers need tap-wootric and target-birdie on their PATH, their settings as environment
variables, sync.sh and join_states.py beside this file, and FOLDER on a disk that all of them see.
"""

# ruff: noqa: INP001 - Airflow reads files, not packages

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import dag

HERE = Path(__file__).parent
FOLDER = "/var/lib/wootric"

RANGES = [("", "2024-01-01"), ("2024-01-01", "2025-01-01"), ("2025-01-01", "")]
"""From and until of each worker: every end is the next one's beginning, the last has none."""

COMMON = {
    "start_date": datetime(2026, 1, 1),  # noqa: DTZ001 - Airflow takes it as UTC
    "catchup": False,  # a run takes whatever is new
    "max_active_runs": 1,  # there is one state
    "default_args": {"retries": 2, "retry_delay": timedelta(minutes=10)},
}


def sync(task_id: str, folder: str, **settings: str) -> BashOperator:
    """One run that keeps its state in a folder, with further settings as variables."""
    return BashOperator(
        task_id=task_id,
        bash_command=f"mkdir -p {folder} && exec {HERE}/sync.sh {folder} ",
        env={"TARGET_BIRDIE_DIGEST_PATH": "digests.db", **settings},
        append_env=True,
        execution_timeout=timedelta(hours=12),
    )


@dag(schedule="17 5 * * *", **COMMON)
def wootric_to_birdie() -> None:
    """What is new or changed since the last run."""
    sync("sync", FOLDER)


@dag(schedule=None, **COMMON)
def wootric_first_load() -> None:
    """Everything, once; the daily runs go on from the state that it leaves."""
    folders = [f"{FOLDER}/{number}" for number in range(len(RANGES))]
    loads = [
        sync(
            f"load_{number}",
            folder,
            TAP_WOOTRIC_START_DATE=since,
            TAP_WOOTRIC_END_DATE=until,
            TARGET_BIRDIE_MAX_REQUESTS_PER_SECOND=str(95 // len(RANGES)),
        )
        for number, (folder, (since, until)) in enumerate(zip(folders, RANGES, strict=True))
    ]
    states = " ".join(f"{folder}/state.json" for folder in folders)
    join = f"python3 {HERE}/join_states.py {states} > {FOLDER}/state.json"
    loads >> BashOperator(task_id="join_states", bash_command=join)


wootric_to_birdie()
wootric_first_load()
