"""The commands of the page on production, with another folder and the sandbox."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from commands import BIN, EXAMPLES, Done, block, environment, everything, run, settings, shell
from connector_sandbox import Sandbox

PAGE = "docs/production.md"
pytestmark = pytest.mark.long


def typed(word: str, folder: Path) -> str:
    """A block of the page, with another folder for the state."""
    return block(PAGE, word).replace("/var/lib/wootric", str(folder))


def sync(sandbox: Sandbox, folder: Path, **more: str) -> Done:
    """One run of the script."""
    script = typed("docs/examples/sync.sh /var/lib/wootric\n", folder)
    return shell(script, folder, settings(sandbox) | more)


def test_each_run_continues_from_the_state_and_shows_its_counts(sandbox: Sandbox, tmp_path: Path):
    """The second run loads two streams only, as its catalog says."""
    discover, with_catalog = typed("--discover", tmp_path).splitlines()
    first = sync(sandbox, tmp_path)
    sent, before = len(sandbox.birdie.history), len(sandbox.requests)
    shell(discover, tmp_path, {})
    catalog = json.loads((tmp_path / "catalog.json").read_text())
    for stream in catalog["streams"]:
        root = next(entry for entry in stream["metadata"] if not entry["breadcrumb"])
        root["metadata"]["selected"] = stream["tap_stream_id"] in {"responses", "end_users"}
    (tmp_path / "catalog.json").write_text(json.dumps(catalog))
    second = shell(with_catalog, tmp_path, settings(sandbox))

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert everything(sandbox) == sent == len(sandbox.birdie.history)
    assert "responses: 60 records (60 new, 0 changed) in " in first.stderr
    assert "end_users: 0 records (0 new, 0 changed) in " in second.stderr
    assert f": {sent} sent (" in first.stderr
    assert {"state.json", "birdie.db"} <= {path.name for path in tmp_path.iterdir()}
    paths = {request.path.rpartition("/")[2] for request in sandbox.requests[before:]}
    assert paths == {"token", "responses", "end_users"}


def test_a_run_stopped_by_sigterm_ends_with_143_and_an_exact_state(
    sandbox: Sandbox, tmp_path: Path
):
    """Nothing that Birdie confirmed is sent again."""
    sandbox.options.latency = 0.4
    command = [EXAMPLES / "sync.sh", tmp_path]
    null, env = subprocess.DEVNULL, environment(settings(sandbox))
    process = subprocess.Popen(command, env=env, stdin=null, stderr=null)
    while not sandbox.birdie.history and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)

    assert process.wait(30) == 143
    sandbox.options.latency = 0
    assert 0 < len(sandbox.birdie.history) < everything(sandbox)
    assert sync(sandbox, tmp_path).returncode == 0
    assert len(sandbox.birdie.history) == everything(sandbox)


@pytest.mark.parametrize(
    ("variable", "message"),
    [
        ("TAP_WOOTRIC_CLIENT_SECRET", "Wootric rejected the credentials"),
        ("TARGET_BIRDIE_API_KEY", "Error: Birdie rejected the key"),
    ],
)
def test_a_failure_of_the_tap_or_the_target_is_1_and_keeps_the_bookmark(
    sandbox: Sandbox, tmp_path: Path, variable: str, message: str
):
    sync(sandbox, tmp_path)
    known = json.loads((tmp_path / "state.json").read_text())["bookmarks"]["responses"]
    added = sandbox.add_responses(1)[0]["id"]

    done = sync(sandbox, tmp_path, **{variable: "wrong"})

    assert (done.returncode, message in done.stderr) == (1, True)
    assert known == json.loads((tmp_path / "state.json").read_text())["bookmarks"]["responses"]
    assert sync(sandbox, tmp_path).returncode == 0
    assert str(added) in sandbox.birdie.records()


def test_rejected_records_are_shown_and_retried(sandbox: Sandbox, tmp_path: Path):
    """The run fails; the reasons are shown, and the next run delivers them."""
    sandbox.faults.on("422", times=3, api="birdie")
    failed = sync(sandbox, tmp_path)
    shown = shell(typed("--rejects", tmp_path), tmp_path, settings(sandbox))
    done = sync(sandbox, tmp_path)

    assert (failed.returncode, "3 of " in failed.stderr) == (1, True)
    assert len(shown.stdout.splitlines()) == 3
    assert done.returncode == 0, done.stderr
    assert "3 accepted on retry" in done.stderr
    assert len(sandbox.birdie.history) == everything(sandbox)


@pytest.mark.skipif(not shutil.which("flock"), reason="flock is not installed")
def test_the_crontab_works_in_the_environment_of_cron(sandbox: Sandbox, tmp_path: Path):
    """That is /bin/sh, and no variables except those of the crontab and the file of settings."""
    path, line = typed("flock", tmp_path).replace("/opt/wootric/bin", str(BIN)).splitlines()
    found = re.fullmatch(r"(?:\S+ ){5}\w+ (.*)", line)
    assert found
    variables, values = tmp_path / "wootric.env", settings(sandbox)
    lines = [line.replace("...", values[line[:-4]]) for line in block(PAGE, "ID=...").splitlines()]
    urls = [f"{name}={value}" for name, value in values.items() if name.endswith("_URL")]
    variables.write_text("\n".join([*lines, *urls]))
    command = found[1].replace("/etc/wootric.env", str(variables))
    command = command.replace("sync.sh", str(EXAMPLES / "sync.sh"))

    done = run("/bin/sh", "-c", command, env=dict([path.split("=", 1)]))

    assert done.returncode == 0, done.stderr
    assert len(sandbox.birdie.history) == everything(sandbox)


def test_the_check_of_the_last_success_fails_only_when_it_is_too_old(tmp_path: Path):
    codes = []
    for age in (0, 3 * 24 * 3600):
        (tmp_path / "last_success").touch()
        os.utime(tmp_path / "last_success", (time.time() - age,) * 2)
        codes.append(shell(typed("-mmin", tmp_path), tmp_path, {}).returncode)

    assert codes == [0, 1]
