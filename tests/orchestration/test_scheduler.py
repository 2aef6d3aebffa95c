"""Many accounts in a running Airflow: scheduler, DAG processor and API server."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import requests
from commands import ROOT, environment, everything, tool
from connector_sandbox import Sandbox, side_by_side
from postgres import Postgres
from webhook import listening

from .helpers import FOLDER, deploy, entry, secrets, write

DAG = "wootric_accounts"
NAMES = ("acme", "broken", "globex")
SUCCESS = {"check": "success"} | dict.fromkeys(NAMES, "success")
SECONDS = 600


def until(request: Callable[[], requests.Response], key: str = "", values: Any = ()) -> Any:
    """Repeat a request until it succeeds and a field has one of the values."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        with suppress(requests.ConnectionError):
            if (reply := request()).ok and (not key or reply.json()[key] in values):
                return reply.json()
        time.sleep(0.5)
    raise TimeoutError


class Airflow:
    """A client of the REST API."""

    def __init__(self, url: str, slots: int) -> None:
        token = until(lambda: requests.get(f"{url}/auth/token", timeout=60))
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {token['access_token']}"
        self.url = f"{url}/api/v2"
        self.session.post(f"{self.url}/pools", json={"name": "birdie", "slots": slots}, timeout=60)

    def run(self, dag: str) -> dict[str, str]:
        """Run a DAG and return the states of its tasks, by index for those that are mapped."""
        runs, new = f"{self.url}/dags/{dag}/dagRuns", {"logical_date": None}
        begun = until(lambda: self.session.post(runs, json=new, timeout=60))
        run = f"{runs}/{begun['dag_run_id']}"
        until(lambda: self.session.get(run, timeout=60), "state", {"success", "failed"})
        tasks = self.session.get(f"{run}/taskInstances", timeout=60).json()["task_instances"]
        return {task["rendered_map_index"] or task["task_id"]: task["state"] for task in tasks}


@contextmanager
def standalone(dags: Path, variables: dict[str, str], slots: int) -> Iterator[Airflow]:
    """Start `airflow standalone`, and stop it."""
    program = tool("docs", "apache-airflow", "airflow")
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
    env = environment(variables | {f"AIRFLOW__{name}": value for name, value in settings.items()})
    env |= {"AIRFLOW_HOME": f"{dags}-home", "PATH": f"{program.parent}:{env['PATH']}"}
    null = subprocess.DEVNULL
    process = subprocess.Popen(
        [program, "standalone"], env=env, stdout=null, stderr=null, start_new_session=True
    )
    try:
        yield Airflow(url, slots)
    finally:
        os.killpg(process.pid, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def reads(sandbox: Sandbox) -> int:
    return sum(request.api == "wootric" for request in sandbox.requests)


@pytest.mark.soak
def test_one_failing_account_affects_no_other_and_recovers(postgres: Postgres, tmp_path: Path):
    """Each run has a new folder. Between the runs the order of the list changes."""
    dags, listed = tmp_path / "dags", tmp_path / "accounts.yaml"
    dags.mkdir()
    paths = {"/opt/wootric/bin/python": sys.executable, "/opt/wootric": str(ROOT)}
    schedule = {'schedule="17 5 * * *"': "schedule=None", "/etc/wootric": str(tmp_path)}
    deploy(FOLDER / f"{DAG}.py", dags, paths | schedule)
    with side_by_side(3) as sandboxes, listening() as webhook:
        broken = sandboxes[1]
        quick = {"TAP_WOOTRIC_RETRY_BUDGET_SECONDS": "1"}
        entries = [entry(*pair, **quick) for pair in zip(NAMES, sandboxes, strict=True)]
        env = secrets(postgres.empty_database(), *NAMES) | {"ALERT_URL": webhook.url}
        with standalone(dags, env, slots=2) as airflow:
            write(listed, *entries, slots=2)
            broken.faults.on("500", share=1, after=4, api="wootric", path="/v1/")
            first = airflow.run(DAG)
            partly, reads_of_all = len(broken.birdie.history), reads(sandboxes[0])
            broken.faults.off()
            write(listed, *entries[::-1], slots=2)
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
