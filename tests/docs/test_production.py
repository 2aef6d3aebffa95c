"""What the page on production tells to type, run as it stands there."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sysconfig
import time
from pathlib import Path

import pytest
from connector_sandbox import Sandbox

from .documents import ROOT, tables
from .shell import BIN, EXAMPLES, Done, block, environment, everything, shell

PAGE = "docs/production.md"
PLACE = "/var/lib/wootric"
COPY = '[ "$2" = sync ] && rm -rf "$5"; mkdir -p "$5" && cp -r "$4/." "$5"'


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
    script = "set -e\n" + typed("export TARGET_BIRDIE_DIGEST_PATH", tmp_path)

    first = shell(script, tmp_path, environment(sandbox))
    delivered = len(sandbox.birdie.history)
    second = shell(script, tmp_path, environment(sandbox))

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert everything(sandbox) == delivered == len(sandbox.birdie.history)
    assert "responses: 300 records (300 new, 0 changed) in " in first.stderr
    assert "end_users: 0 records (0 new, 0 changed) in " in second.stderr
    assert f"Done: read {delivered}, sent {delivered}, " in first.stderr
    assert {"state.json", "digests.db"} <= {path.name for path in tmp_path.iterdir()}


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
    assert "Error: Wootric rejected the credentials" in done.stderr
    assert known == json.loads(state(tmp_path))["bookmarks"]["responses"]


@pytest.mark.long
def test_a_target_that_fails_is_seen_and_no_state_runs_ahead(sandbox: Sandbox, tmp_path: Path):
    """Birdie took nothing, so there is nothing that the next run may leave out."""
    done = sync(sandbox, tmp_path, TARGET_BIRDIE_API_KEY="not-the-key")

    assert done.returncode == 1
    assert "Error: Birdie refuses the key" in done.stderr
    assert state(tmp_path) == ""


@pytest.mark.long
def test_a_second_run_at_a_time_ends_at_once(sandbox: Sandbox, tmp_path: Path):
    """The digest store belongs to one run."""
    sandbox.options.latency = 0.4
    env = environment(sandbox, TARGET_BIRDIE_DIGEST_PATH="digests.db")
    command = [EXAMPLES / "sync.sh", tmp_path]
    with subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL) as process:
        while not sandbox.birdie.history and process.poll() is None:
            time.sleep(0.05)
        second = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        process.terminate()

    assert second.returncode == 1
    assert "digests.db is in use by another run" in second.stderr


def test_exit_codes_are_those_of_the_table(sandbox: Sandbox, tmp_path: Path):
    """An option that does not exist is 2; the others have tests of their own above."""
    codes = {row["code"] for row in tables(ROOT / PAGE) if "code" in row}
    for name in ("tap-wootric", "target-birdie"):
        done = shell(f"{name} --no-such-option", tmp_path, environment(sandbox))
        assert done.returncode == 2
        assert "Traceback" not in done.stderr

    assert codes == {"0", "1", "2", "130", "143", "137"}


def test_a_dotenv_above_the_packages_wins_over_what_is_exported(sandbox: Sandbox, tmp_path: Path):
    """Even with a line that was left empty, which then counts as missing."""
    (tmp_path / "packages").symlink_to(sysconfig.get_path("purelib"))
    (tmp_path / ".env").write_text("TAP_WOOTRIC_CLIENT_ID=\n")
    env = environment(sandbox, PYTHONPATH=str(tmp_path / "packages"))

    done = shell("tap-wootric --config=ENV", tmp_path, env)

    assert done.returncode == 1
    assert "Setting 'client_id' is missing" in done.stderr


@pytest.mark.long
def test_rejected_records_are_sent_again(sandbox: Sandbox, tmp_path: Path):
    """The run fails with the reason; once the cause is gone, the replay empties the file."""
    sandbox.faults.on("422", times=3, api="birdie")
    failed = sync(sandbox, tmp_path)
    sandbox.faults.off()

    done = shell(typed("--replay", tmp_path), tmp_path, environment(sandbox))

    assert failed.returncode == 1
    assert "were rejected and are kept" in failed.stderr
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "rejects.jsonl").exists()
    assert len(sandbox.birdie.records()) == len(sandbox.store.responses())


@pytest.mark.long
@pytest.mark.skipif(not shutil.which("flock"), reason="no flock: the line for cron calls it")
def test_the_line_for_cron_works_with_the_little_that_cron_gives(sandbox: Sandbox, tmp_path: Path):
    """With /bin/sh, no variables but those of the file, and a lock that keeps a second run out."""
    line = re.fullmatch(r"(\S+ ){5}(?P<user>\w+) (?P<command>.*)\n", typed("flock", tmp_path))
    assert line
    lines = typed("TAP_WOOTRIC_CLIENT_ID=", tmp_path)
    values = environment(sandbox)
    lines = re.sub(r"(\w+)=\.\.\.", lambda found: f"{found[1]}={values[found[1]]}", lines)
    extra = [f"{name}={value}" for name, value in values.items() if name.endswith("_URL")]
    variables = tmp_path / "wootric.env"
    variables.write_text("\n".join([lines.replace("/opt/wootric/bin", str(BIN)), *extra]))
    command = line["command"].replace("/etc/wootric.env", str(variables))
    command = command.replace("/opt/wootric/sync.sh", str(EXAMPLES / "sync.sh"))

    done = subprocess.run(
        ["/bin/sh", "-c", command], env={}, capture_output=True, text=True, check=False, timeout=60
    )

    assert done.returncode == 0, done.stderr
    assert len(sandbox.birdie.history) == everything(sandbox)


@pytest.mark.long
def test_a_bucket_that_cannot_be_read_ends_the_run(sandbox: Sandbox, tmp_path: Path):
    """With a copying stand-in for the bucket: what it held comes, and what the run left goes."""
    (tmp_path / "bucket").mkdir()
    (tmp_path / "bucket/state.json").touch()
    fake = tmp_path / "bin/aws"
    fake.parent.mkdir()
    fake.write_text(f"#!/bin/sh\n{COPY}\n")
    fake.chmod(0o755)
    env = environment(sandbox)
    env["PATH"] = f"{fake.parent}:{env['PATH']}"
    script = block(PAGE, "aws s3 cp").text
    script = script.replace("/tmp/wootric", str(tmp_path / "disk"))

    done = shell(script.replace("s3://your-bucket/wootric", "bucket"), tmp_path, env)
    broken = shell(script.replace("s3://your-bucket/wootric", "no-bucket"), tmp_path, env)

    assert done.returncode == 0, done.stderr
    assert json.loads(state(tmp_path / "bucket"))["bookmarks"]
    assert broken.returncode == 1
    assert len(sandbox.birdie.history) == everything(sandbox)


def first_load(sandbox: Sandbox, folder: Path) -> Done:
    """Two workers and the joined run, as the page has them, at any pace."""
    script = typed("join_states", folder)
    assert "PER_SECOND=45" in script
    return shell("set -e\n" + script.replace("=45", "=0"), folder, environment(sandbox))


@pytest.mark.long
@pytest.mark.parametrize("is_honoured", [True, False], ids=["updates", "look-back"])
def test_a_split_first_load_goes_on_with_one_state(
    sandbox: Sandbox, tmp_path: Path, *, is_honoured: bool
):
    """Each record is sent once by all together; then only what is new or changed, wherever."""
    sandbox.options.updated_filter = is_honoured
    loaded = first_load(sandbox, tmp_path)
    sent = len(sandbox.birdie.history)

    rows = sorted(sandbox.store.responses(), key=lambda row: row["created_at"])
    changed = [rows[0]["id"], rows[-1]["id"]] if is_honoured else [rows[-1]["id"]]
    for number in changed:
        sandbox.store.comment(number, "On second thought …")
    new = [row["id"] for row in sandbox.add_responses(2)]
    done = sync(sandbox, tmp_path / "daily")

    again = {put.path.rpartition("/")[2] for put in sandbox.birdie.history[sent:]}
    assert (loaded.returncode, done.returncode) == (0, 0), loaded.stderr + done.stderr
    assert sent == everything(sandbox) - 2
    assert again == {str(number) for number in [*changed, *new]}


@pytest.mark.long
def test_what_a_worker_left_over_is_read_by_the_joined_run(sandbox: Sandbox, tmp_path: Path):
    """A range whose worker never ran is a gap in the joined state."""
    script = typed("join_states", tmp_path)
    lame = re.sub(
        r"^TAP_WOOTRIC_END_DATE=.*$", "touch load/1/state.json", script, flags=re.MULTILINE
    )
    assert lame != script

    done = shell("set -e\n" + lame.replace("=45", "=0"), tmp_path, environment(sandbox))

    assert done.returncode == 0, done.stderr
    assert len(sandbox.birdie.history) == everything(sandbox)
    assert len({put.path for put in sandbox.birdie.history}) == everything(sandbox)
