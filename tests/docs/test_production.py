"""The commands of the page on production."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from connector_sandbox import Sandbox

from .documents import ROOT, tables
from .shell import BIN, EXAMPLES, Done, block, environment, everything, shell

PAGE = "docs/production.md"
PLACE = "/var/lib/wootric"


def typed(word: str, folder: Path) -> str:
    """A block of the page, with another folder for the state."""
    return block(PAGE, word).text.replace(PLACE, str(folder))


def sync(sandbox: Sandbox, folder: Path, **more: str) -> Done:
    """One run of the script."""
    return shell(f"exec {EXAMPLES}/sync.sh {folder}", folder, environment(sandbox, **more))


def state(folder: Path) -> str:
    """The state that a run has left."""
    return (folder / "state.json").read_text()


@pytest.mark.long
def test_one_run_keeps_its_state_and_the_next_sends_nothing(sandbox: Sandbox, tmp_path: Path):
    """As shown at the top of the page, twice."""
    script = "set -e\n" + typed("docs/examples/sync.sh /var/lib/wootric\n", tmp_path)

    first = shell(script, tmp_path, environment(sandbox))
    delivered = len(sandbox.birdie.history)
    second = shell(script, tmp_path, environment(sandbox))

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert everything(sandbox) == delivered == len(sandbox.birdie.history)
    assert "responses: 300 records (300 new, 0 changed) in " in first.stderr
    assert "end_users: 0 records (0 new, 0 changed) in " in second.stderr
    assert f": {delivered} sent (" in first.stderr
    assert {"state.json", "birdie.db"} <= {path.name for path in tmp_path.iterdir()}


@pytest.mark.long
def test_a_catalog_leaves_streams_out(sandbox: Sandbox, tmp_path: Path):
    """Deselected in the entry with the empty breadcrumb, they cost no request."""
    discover, run = typed("--discover", tmp_path).splitlines()
    env = environment(sandbox)
    assert shell(discover, tmp_path, env).returncode == 0
    catalog = json.loads((tmp_path / "catalog.json").read_text())
    for stream in catalog["streams"]:
        root = next(entry for entry in stream["metadata"] if not entry["breadcrumb"])
        root["metadata"]["selected"] = stream["tap_stream_id"] not in {"declines", "segments"}
    (tmp_path / "catalog.json").write_text(json.dumps(catalog))

    done = shell(run, tmp_path, {**env, "TAP_WOOTRIC_START_DATE": "2099-01-01"})

    paths = {request.path.rpartition("/")[2] for request in sandbox.requests}
    assert done.returncode == 0, done.stderr
    assert "responses" in paths
    assert not paths & {"declines", "segments"}


@pytest.mark.long
def test_a_run_stopped_by_sigterm_ends_with_an_exact_state(sandbox: Sandbox, tmp_path: Path):
    """Nothing that Birdie confirmed is sent again, and the exit code is 143."""
    sandbox.options.latency = 0.4
    process = subprocess.Popen(
        [EXAMPLES / "sync.sh", tmp_path],
        env=environment(sandbox),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not sandbox.birdie.history and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)

    assert process.wait(30) == 143
    sandbox.options.latency = 0
    before = len(sandbox.birdie.history)
    assert 0 < before < everything(sandbox)
    assert sync(sandbox, tmp_path).returncode == 0
    assert len(sandbox.birdie.history) == everything(sandbox)


@pytest.mark.long
def test_a_tap_that_fails_is_seen_and_its_state_stays(sandbox: Sandbox, tmp_path: Path):
    """With the target alone, the exit code would be 0."""
    sync(sandbox, tmp_path)
    known = json.loads(state(tmp_path))["bookmarks"]["responses"]

    done = sync(sandbox, tmp_path, TAP_WOOTRIC_CLIENT_SECRET="not-the-secret")

    assert done.returncode == 1
    assert "Wootric rejected the credentials" in done.stderr
    assert known == json.loads(state(tmp_path))["bookmarks"]["responses"]


@pytest.mark.long
def test_a_target_that_fails_is_seen_and_no_state_runs_ahead(sandbox: Sandbox, tmp_path: Path):
    """Birdie took nothing, so there is nothing that the next run may leave out."""
    done = sync(sandbox, tmp_path, TARGET_BIRDIE_API_KEY="not-the-key")

    assert done.returncode == 1
    assert "Error: Birdie rejected the key" in done.stderr
    assert '"responses"' not in state(tmp_path)


def test_exit_codes_are_those_of_the_table(sandbox: Sandbox, tmp_path: Path):
    """An option that does not exist is 2; the others have tests of their own above."""
    codes = {row["code"] for row in tables(ROOT / PAGE) if "code" in row}
    for name in ("tap-wootric", "target-birdie"):
        done = shell(f"{name} --no-such-option", tmp_path, environment(sandbox))
        assert done.returncode == 2
        assert "Traceback" not in done.stderr

    assert codes == {"0", "1", "2", "130", "143", "137"}


@pytest.mark.long
def test_rejected_records_are_shown_and_retried(sandbox: Sandbox, tmp_path: Path):
    """The run fails; the reasons are shown, and the next run delivers them."""
    sandbox.faults.on("422", times=3, api="birdie")
    failed = sync(sandbox, tmp_path)
    sandbox.faults.off()

    shown = shell(typed("--rejects", tmp_path), tmp_path, environment(sandbox))
    done = sync(sandbox, tmp_path)

    assert failed.returncode == 1
    assert "3 of " in failed.stderr
    assert len(shown.stdout.splitlines()) == 3
    assert done.returncode == 0, done.stderr
    assert "3 accepted on retry" in done.stderr
    assert len(sandbox.birdie.records()) == len(sandbox.store.responses())


@pytest.mark.long
@pytest.mark.skipif(not shutil.which("flock"), reason="flock is not installed")
def test_the_crontab_works_in_the_environment_of_cron(sandbox: Sandbox, tmp_path: Path):
    """That is /bin/sh, and no variables except those of the crontab and the file of settings."""
    path, line = typed("flock", tmp_path).replace("/opt/wootric/bin", str(BIN)).splitlines()
    found = re.fullmatch(r"(\S+ ){5}(?P<user>\w+) (?P<command>.*)", line)
    assert found
    values = environment(sandbox)
    lines = typed("TAP_WOOTRIC_CLIENT_ID=", tmp_path)
    lines = re.sub(r"(\w+)=\.\.\.", lambda match: f"{match[1]}={values[match[1]]}", lines)
    urls = [f"{name}={value}" for name, value in values.items() if name.endswith("_URL")]
    variables = tmp_path / "wootric.env"
    variables.write_text("\n".join([lines, *urls]))
    command = found["command"].replace("/etc/wootric.env", str(variables))
    command = command.replace("sync.sh", str(EXAMPLES / "sync.sh"))
    env = dict([path.split("=", 1)])

    done = subprocess.run(
        ["/bin/sh", "-c", command], env=env, capture_output=True, text=True, check=False, timeout=60
    )

    assert done.returncode == 0, done.stderr
    assert len(sandbox.birdie.history) == everything(sandbox)


@pytest.mark.long
def test_the_check_of_the_last_success_fails_only_when_it_is_too_old(tmp_path: Path):
    check = typed("-mmin", tmp_path)
    (tmp_path / "last_success").touch()
    assert shell(check, tmp_path, dict(os.environ)).returncode == 0

    three_days_ago = time.time() - 3 * 24 * 3600
    os.utime(tmp_path / "last_success", (three_days_ago, three_days_ago))
    assert shell(check, tmp_path, dict(os.environ)).returncode == 1
