"""A running Airflow: scheduler, DAG processor and API server, in a folder of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import requests
from environments import command

START_SECONDS, RUN_SECONDS = 300, 600


class Airflow:
    """A client of the REST API."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/api/v2"
        self._session = requests.Session()
        token = self._until(START_SECONDS, lambda: requests.get(f"{url}/auth/token", timeout=60))
        self._session.headers["Authorization"] = f"Bearer {token['access_token']}"

    def create_pool(self, name: str, slots: int) -> None:
        pool = {"name": name, "slots": slots}
        self._session.post(f"{self._url}/pools", json=pool, timeout=60).raise_for_status()

    def run(self, dag: str) -> dict[str, str]:
        """Run a DAG and return the states of its tasks, by index for those that are mapped."""
        runs = f"{self._url}/dags/{dag}/dagRuns"
        post = lambda: self._session.post(runs, json={"logical_date": None}, timeout=60)  # noqa: E731
        run = f"{runs}/{self._until(START_SECONDS, post)['dag_run_id']}"
        deadline = time.monotonic() + RUN_SECONDS
        while self._get(run)["state"] not in {"success", "failed"}:
            assert time.monotonic() < deadline, self._get(f"{run}/taskInstances")
            time.sleep(0.5)
        tasks = self._get(f"{run}/taskInstances")["task_instances"]
        return {task["rendered_map_index"] or task["task_id"]: task["state"] for task in tasks}

    def _get(self, url: str) -> Any:
        return self._session.get(url, timeout=60).json()

    def _until(self, seconds: float, request: Any) -> Any:
        """Repeat a request until it succeeds: parts of Airflow start at different times."""
        deadline = time.monotonic() + seconds
        while True:
            with suppress(requests.ConnectionError):
                if (reply := request()).ok:
                    return reply.json()
            assert time.monotonic() < deadline
            time.sleep(0.5)


@contextmanager
def running(dags: Path, home: Path, environment: dict[str, str]) -> Iterator[Airflow]:
    """Start `airflow standalone`, and stop it."""
    program = command("docs", "apache-airflow", "airflow")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    settings = {
        "CORE__DAGS_FOLDER": str(dags),
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "API__BASE_URL": url,
        "API__HOST": "127.0.0.1",
        "API__PORT": str(port),
        "API__WORKERS": "1",
    }
    env = environment | {f"AIRFLOW__{name}": value for name, value in settings.items()}
    env |= {"AIRFLOW_HOME": str(home), "PATH": f"{program.parent}:{env['PATH']}"}
    home.mkdir()
    with (
        (home / "log").open("wb") as log,
        subprocess.Popen(
            [program, "standalone"], env=env, stdout=log, stderr=log, start_new_session=True
        ) as process,
    ):
        try:
            yield Airflow(url)
        finally:
            os.killpg(process.pid, signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
