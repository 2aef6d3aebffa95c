"""Signals, closed pipes and terminals: no state is ahead of what Birdie has."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from connector_sandbox import Sandbox
from target_birdie.target import TargetBirdie

from .messages import Run, lines_of, record, row, schema, state, stream_of
from .pipe import TARGET, Pipe

THOUSANDS = stream_of([record(n) for n in range(1, 2001)], every=1)
ONE = [schema(), row(record(1)), state({"read": 1})]


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@pytest.mark.parametrize(
    "signals", [[signal.SIGTERM], [signal.SIGINT], [signal.SIGINT, signal.SIGTERM]]
)
def test_a_stop_finishes_what_is_on_its_way(
    signals: list[signal.Signals], sandbox: Sandbox, config: dict[str, Any], tmp_path: Path
) -> None:
    """The last state is exact; a second signal that follows at once is ignored."""
    sandbox.options.birdie_latency = 0.1
    pipe = Pipe(config | {"max_requests_per_second": 50}, tmp_path)
    feeder = Thread(target=pipe.feed, args=(THOUSANDS,), daemon=True)
    feeder.start()
    wait_for(lambda: sandbox.birdie.puts > 60)
    for number in signals:
        pipe.process.send_signal(number)
        time.sleep(0.01)
    code = pipe.process.wait(30)
    feeder.join(5)

    assert code == 128 + signals[0]
    assert pipe.states[-1]["read"] == len(sandbox.birdie.records())
    assert "Stopped: " in pipe.log
    assert "/s), run again to continue" in pipe.log
    assert "Traceback" not in pipe.log


def test_a_stop_interrupts_a_silent_tap(
    sandbox: Sandbox, config: dict[str, Any], tmp_path: Path
) -> None:
    """What came before is in the state."""
    pipe = Pipe(config, tmp_path)
    pipe.feed(ONE)
    wait_for(lambda: bool(sandbox.birdie.puts))
    pipe.process.send_signal(signal.SIGTERM)
    assert (pipe.process.wait(30), pipe.states) == (143, [{"read": 1}])


def test_a_stop_before_the_first_message_creates_nothing(
    config: dict[str, Any], tmp_path: Path
) -> None:
    """No store and no state."""
    pipe = Pipe(config, tmp_path)
    wait_for(lambda: "env var" in pipe.log)
    time.sleep(0.5)
    pipe.process.send_signal(signal.SIGTERM)
    assert (pipe.process.wait(30), pipe.states) == (143, [])
    assert not (tmp_path / "birdie.db").exists()


def test_a_state_does_not_wait_for_the_next_line(
    sandbox: Sandbox, config: dict[str, Any], tmp_path: Path
) -> None:
    """It is written while the tap is silent."""
    pipe = Pipe(config, tmp_path)
    pipe.feed(ONE)
    wait_for(lambda: pipe.states == [{"read": 1}])
    assert (pipe.finish(), pipe.states) == (0, [{"read": 1}])


@pytest.mark.long
def test_a_later_signal_ends_the_grace_period(
    sandbox: Sandbox, config: dict[str, Any], tmp_path: Path
) -> None:
    """Not one that follows at once; the interpreter does not wait for the request either."""
    sandbox.faults.on("hang", share=1.0, path="/birdie", seconds=60)
    pipe = Pipe(config, tmp_path)
    pipe.feed(ONE)
    wait_for(lambda: "Created the delivery store" in pipe.log)
    time.sleep(1)
    for pause in (1, 5):
        pipe.process.send_signal(signal.SIGTERM)
        time.sleep(pause)
        assert pipe.process.poll() is None
    pipe.process.send_signal(signal.SIGTERM)
    assert (pipe.process.wait(30), pipe.states) == (143, [])


@pytest.mark.long
def test_a_later_signal_ends_a_run_whose_output_nobody_reads(
    sandbox: Sandbox, config: dict[str, Any], tmp_path: Path
) -> None:
    """A full pipe would block the last state for ever."""
    (tmp_path / "config.json").write_text(json.dumps(config))
    command = [TARGET, "--config", str(tmp_path / "config.json")]
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, text=True, **pipes) as process:
        assert process.stdin
        large = [schema(), row(record(1)), state({"read": "x" * (1 << 20)})]
        process.stdin.write(lines_of(large))
        process.stdin.flush()
        wait_for(lambda: bool(sandbox.birdie.puts))
        time.sleep(1.5)
        process.send_signal(signal.SIGTERM)
        time.sleep(6)
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 143


def test_a_signal_after_the_summary_changes_nothing(run_target: Callable[..., Run]) -> None:
    """The work is done, so the exit code stays 0."""
    seen: list[TargetBirdie] = []
    close = TargetBirdie._close

    def late_signal(self: TargetBirdie, error: Any, **options: Any) -> Any:
        found = close(self, error, **options)
        seen.append(self)
        os.kill(os.getpid(), signal.SIGTERM)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TargetBirdie, "_close", late_signal)
        run = run_target(stream_of([record(1)]))
    assert (run.exit_code, run.states, len(seen)) == (0, [{"read": 1}], 1)


def test_an_error_ends_the_run_while_the_tap_is_silent(
    sandbox: Sandbox, config: dict[str, Any], tmp_path: Path
) -> None:
    """A wrong key is reported at once."""
    pipe = Pipe(config | {"api_key": "wrong"}, tmp_path)
    pipe.feed(ONE[:2])
    assert pipe.process.wait(30) == 1
    assert pipe.log.endswith("Error: Birdie rejected the key (401). Check api_key.\n")


def test_a_target_that_ends_early_reads_what_the_tap_still_writes(
    sandbox: Sandbox, config: dict[str, Any], tmp_path: Path
) -> None:
    """Otherwise Meltano fails with a stack trace of its own; its line comes first."""
    text = lines_of([schema(), *(row(record(n)) for n in range(20_000))])  # more than a pipe holds
    pipe = Pipe(config | {"api_key": "wrong"}, tmp_path)
    assert pipe.process.stdin
    pipe.process.stdin.write(text)
    pipe.process.stdin.close()
    assert pipe.process.wait(30) == 1


@pytest.mark.parametrize(
    ("streams", "line"),
    [
        ("> /dev/full", "Writing the state failed: No space left on device."),
        (">&-", "Writing the state failed: the output is closed."),
        ("<&-", "The input is closed. Pipe the output of a tap into the target."),
    ],
    ids=["full disk", "no output", "no input"],
)
def test_a_failing_input_or_output_is_named(
    streams: str, line: str, sandbox: Sandbox, config: dict[str, Any], tmp_path: Path
) -> None:
    """One line, exit 1."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    command = ["sh", "-c", f'"$0" --config "$1" {streams}', TARGET, str(path)]
    run = subprocess.run(command, input=lines_of(ONE), capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr.splitlines()[-1]) == (1, f"Error: {line}")


def test_a_reader_that_has_gone_ends_the_run(
    sandbox: Sandbox, config: dict[str, Any], tmp_path: Path
) -> None:
    """Nobody keeps the state."""
    pipe = Pipe(config, tmp_path)
    pipe.process.kill()
    pipe.process.wait()
    command = [TARGET, "--config", str(tmp_path / "config.json")]
    pipes: Any = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(command, text=True, **pipes) as process:
        assert process.stdout
        assert process.stdin
        assert process.stderr
        process.stdout.close()
        process.stdin.write(lines_of(ONE))
        process.stdin.flush()
        assert process.wait(30) == 1
        assert "Writing the state failed: nobody reads the output." in process.stderr.read()


def test_a_terminal_is_no_input(config: dict[str, Any], tmp_path: Path) -> None:
    """Somebody tried the command: one line, exit 2."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    ours, theirs = pty.openpty()
    run = subprocess.run(
        [TARGET, "--config", str(path)], stdin=theirs, capture_output=True, text=True, check=False
    )
    os.close(ours)
    os.close(theirs)
    line = "Error: There is no input. Pipe the output of a tap into the target."
    assert (run.returncode, run.stderr.splitlines()[-1]) == (2, line)


def test_a_stopped_run_leaves_no_file(config: dict[str, Any], tmp_path: Path) -> None:
    """Files are complete or missing, and no state covers them."""
    out = tmp_path / "out"
    pipe = Pipe(config | {"destination": "jsonl", "output_path": str(out)}, tmp_path)
    pipe.feed(THOUSANDS[:100])
    wait_for(lambda: "Created the delivery store" in pipe.log)
    time.sleep(1)
    pipe.process.send_signal(signal.SIGTERM)
    assert (pipe.process.wait(30), pipe.states, list(out.rglob("*.jsonl"))) == (143, [], [])
