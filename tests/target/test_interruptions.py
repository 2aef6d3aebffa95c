"""Stopped, killed, cut off: no state is ahead of what Birdie holds."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from connector_sandbox import Sandbox

from .messages import lines_of, record, row, schema, state, stream_of
from .pipe import TARGET, Pipe

HUNDREDS = stream_of([record(n) for n in range(1, 2001)], every=1)


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def assert_safe(pipe: Pipe, sandbox: Sandbox) -> None:
    """Everything that the last state covers is at Birdie."""
    covered = pipe.states[-1]["read"] if pipe.states else 0
    assert {str(n) for n in range(1, covered + 1)} <= sandbox.birdie.records().keys()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_finishes_what_is_under_way(
    number: signal.Signals, sandbox: Sandbox, config: dict[str, Any], tmp_path: Path
) -> None:
    """In the middle of a run: the last state is exact, the exit code is 128 + signal."""
    sandbox.options.birdie_latency = 0.1
    pipe = Pipe(config | {"max_requests_per_second": 50}, tmp_path)
    feeder = Thread(target=pipe.feed, args=(HUNDREDS,), daemon=True)
    feeder.start()
    wait_for(lambda: sandbox.birdie.puts > 60)
    pipe.process.send_signal(number)
    code = pipe.process.wait(10)
    feeder.join(5)

    assert 128 + number == code
    assert pipe.states[-1]["read"] == len(sandbox.birdie.records())
    assert "Traceback" not in pipe.log


def test_a_stop_while_the_tap_is_silent(
    sandbox: Sandbox, config: dict[str, Any], tmp_path: Path
) -> None:
    """A blocked read does not keep the target, and what came before is in the state."""
    pipe = Pipe(config, tmp_path)
    pipe.feed([schema(), row(record(1)), state({"read": 1})])
    wait_for(lambda: bool(sandbox.birdie.puts))
    pipe.process.send_signal(signal.SIGTERM)

    assert pipe.process.wait(5) == 143
    assert pipe.states == [{"read": 1}]


def test_a_stop_before_the_first_message_begins_nothing(
    config: dict[str, Any], tmp_path: Path
) -> None:
    """A tap that is slow to start: no file is made, no state comes out."""
    store = tmp_path / "digests.db"
    pipe = Pipe(config | {"digest_path": str(store)}, tmp_path)
    wait_for(lambda: bool(pipe.log))
    time.sleep(1)
    pipe.process.send_signal(signal.SIGTERM)

    assert pipe.process.wait(5) == 143
    assert (pipe.states, store.exists(), "Traceback" in pipe.log) == ([], False, False)


def test_a_state_does_not_wait_for_the_next_line(
    sandbox: Sandbox, config: dict[str, Any], tmp_path: Path
) -> None:
    """While the tap rests, the safe state comes out all the same."""
    pipe = Pipe(config, tmp_path)
    pipe.feed([schema(), row(record(1)), state({"read": 1})])
    wait_for(lambda: pipe.states == [{"read": 1}])

    assert pipe.finish() == 0
    assert pipe.states == [{"read": 1}]


def test_a_stop_does_not_wait_longer_than_the_grace(
    sandbox: Sandbox, config: dict[str, Any], tmp_path: Path
) -> None:
    """A server that hangs holds up a stopped run for the grace; a second signal ends that too."""
    sandbox.faults.on("hang", share=1.0, path="/birdie", seconds=60)
    pipe = Pipe(config, tmp_path)
    pipe.feed([schema(), row(record(1)), state({"read": 1})])
    wait_for(lambda: "version" in pipe.log or bool(pipe.log))
    time.sleep(1.5)
    pipe.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    assert pipe.process.poll() is None
    pipe.process.send_signal(signal.SIGTERM)

    assert pipe.process.wait(5) == 143
    assert pipe.states == []


def test_a_stopped_run_leaves_no_file(config: dict[str, Any], tmp_path: Path) -> None:
    """Files are whole or not there: a stop before the end leaves none, and no state."""
    out = tmp_path / "out"
    pipe = Pipe(config | {"destination": "jsonl", "output_path": str(out)}, tmp_path)
    pipe.feed(HUNDREDS[:100])
    wait_for(lambda: bool(pipe.log))
    time.sleep(1)
    pipe.process.send_signal(signal.SIGTERM)

    assert pipe.process.wait(5) == 143
    assert (pipe.states, list(out.rglob("*.jsonl"))) == ([], [])


def test_an_error_ends_the_run_while_the_tap_is_silent(
    sandbox: Sandbox, config: dict[str, Any], tmp_path: Path
) -> None:
    """A wrong key is told at once, not when the tap has its next record."""
    pipe = Pipe(config | {"api_key": "wrong"}, tmp_path)
    pipe.feed([schema(), row(record(1))])

    assert pipe.process.wait(10) == 1
    assert pipe.log.endswith("Error: Birdie refuses the key (401): check api_key\n")


def test_a_reader_that_is_gone_ends_the_run(
    sandbox: Sandbox, config: dict[str, Any], tmp_path: Path
) -> None:
    """Nobody who could keep the state: one line, exit 1."""
    (tmp_path / "config.json").write_text(json.dumps(config))
    process = subprocess.Popen(
        [TARGET, "--config", str(tmp_path / "config.json")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdin
    assert process.stderr
    process.stdout.close()
    process.stdin.write("".join(json.dumps(m) + "\n" for m in HUNDREDS[:3]))
    process.stdin.flush()
    code = process.wait(10)

    assert code == 1
    assert "the state cannot be written" in process.stderr.read()


@pytest.mark.parametrize(
    ("streams", "line"),
    [
        ("> /dev/full", "the state cannot be written: No space left on device"),
        (">&-", "the state cannot be written: the output is closed"),
        ("<&-", "the input is closed: pipe the output of a tap into it"),
    ],
    ids=["full disk", "no output", "no input"],
)
def test_what_ails_input_or_output_is_named(
    streams: str, line: str, config: dict[str, Any], tmp_path: Path
) -> None:
    """Whoever is paged has to know whether to look at the disk or at the job."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    run = subprocess.run(
        ["sh", "-c", f'"$0" --config "$1" {streams}', TARGET, str(path)],
        input=lines_of(HUNDREDS[:3]),
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 1
    assert run.stderr.splitlines()[-1] == f"Error: {line}"


def kill_once(
    sandbox: Sandbox, config: dict[str, Any], folder: Path, number: signal.Signals, after: float
) -> Pipe:
    """Run the target until a moment after its first request, then end it."""
    before = sandbox.birdie.puts
    pipe = Pipe(config, folder)
    feeder = Thread(target=pipe.feed, args=(HUNDREDS,), daemon=True)
    feeder.start()
    wait_for(lambda: sandbox.birdie.puts > before)
    time.sleep(after)
    pipe.process.send_signal(number)
    pipe.process.wait(30)
    feeder.join(5)
    return pipe


def kill_a_faulty_run(folder: Path, seed: int) -> bool:
    """Kill one run at a random moment under 5 % faults; tell whether it had written a state."""
    chance = random.Random(seed)
    folder.mkdir()
    with Sandbox(responses=0) as sandbox:
        sandbox.options.birdie_latency = 0.005
        for name in ("503", "500", "reset", "lost_reply", "cut"):
            sandbox.faults.on(name, share=0.01, path="/birdie", seed=seed)
        config = {
            "api_key": sandbox.api_key,
            "api_url": sandbox.birdie_url,
            "max_requests_per_second": 0,
            "rejects_path": str(folder / "rejects.jsonl"),
            "digest_path": str(folder / "digests.db"),
        }
        number = chance.choice([signal.SIGKILL, signal.SIGTERM])
        pipe = kill_once(sandbox, config, folder, number, chance.uniform(0, 2.2))
        assert_safe(pipe, sandbox)
        if number == signal.SIGTERM and pipe.process.returncode:
            assert pipe.process.returncode == 143
        return bool(pipe.states)


@pytest.mark.long
def test_a_hundred_kills_leave_no_state_ahead(tmp_path: Path) -> None:
    """At random moments, with SIGKILL and SIGTERM: whatever the state covers, Birdie holds."""
    with ThreadPoolExecutor(4) as pool:
        runs = pool.map(lambda n: kill_a_faulty_run(tmp_path / str(n), n), range(100))
        with_state = sum(runs)

    assert 30 < with_state <= 100


@pytest.mark.long
def test_killed_and_resumed_loses_nothing(
    sandbox: Sandbox, config: dict[str, Any], tmp_path: Path
) -> None:
    """Five kills, each resumed from the last state: the set is complete."""
    settings = config | {"digest_path": str(tmp_path / "d.db"), "max_requests_per_second": 400}
    for after in (0.2, 1.1, 1.4, 2.1, 0.7):
        kill_once(sandbox, settings, tmp_path, signal.SIGKILL, after)
    pipe = Pipe(settings, tmp_path)
    pipe.feed(HUNDREDS)

    assert pipe.finish() == 0
    assert (len(sandbox.birdie.records()), pipe.states[-1]) == (2000, {"read": 2000})
