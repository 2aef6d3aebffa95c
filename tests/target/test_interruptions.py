"""Signals, closed pipes and terminals: no state is ahead of what Birdie has."""

import errno
import os
import pty
import signal
import subprocess
import time
from threading import Thread

import pytest
from target_birdie.delivery import run as delivery_run
from target_birdie.target import TargetBirdie

from .messages import lines_of, record, row, schema, state, sync
from .running import COMMAND, Target, wait_for

THOUSANDS = sync(*range(1, 2001), every=1)


@pytest.mark.parametrize(
    "signals", [[signal.SIGTERM], [signal.SIGINT], [signal.SIGINT, signal.SIGTERM]]
)
def test_a_stop_finishes_what_is_on_its_way(signals: list[int], target: Target) -> None:
    """The last state is exact; a second signal that follows at once is ignored."""
    target.sandbox.options.birdie_latency = 0.1
    pipe = target.start(max_requests_per_second=50)
    feeder = Thread(target=pipe.feed, args=(THOUSANDS,), daemon=True)
    feeder.start()
    wait_for(lambda: target.puts > 60)
    code = pipe.stop(*signals)
    feeder.join(5)

    assert (code, pipe.states[-1]["read"]) == (128 + signals[0], len(target.sent))
    assert ("Stopped: " in pipe.log, "Traceback" in pipe.log) == (True, False)
    assert "/s), run again to continue" in pipe.log


def test_a_state_is_written_and_a_stop_works_while_the_tap_is_silent(target: Target) -> None:
    pipe = target.start()
    pipe.feed(sync(1))
    wait_for(lambda: pipe.states == [{"read": 1}])
    pipe.feed([row(record(2)), state({"read": 2})])
    wait_for(lambda: target.puts == 2)

    assert (pipe.stop(signal.SIGTERM), pipe.states[-1]) == (143, {"read": 2})


def test_a_stop_before_the_first_message_creates_nothing(target: Target) -> None:
    """No store and no state."""
    pipe = target.start()
    wait_for(lambda: "env var" in pipe.log)
    time.sleep(0.5)

    assert (pipe.stop(signal.SIGTERM), pipe.states) == (143, [])
    assert not (target.folder / "birdie.db").exists()


@pytest.mark.long
@pytest.mark.parametrize("pipes", [{}, {"stdout": subprocess.PIPE}], ids=["hang", "full pipe"])
def test_a_later_signal_ends_the_wait(pipes: dict[str, int], target: Target) -> None:
    """For a reply, or for somebody who reads the last state; not one that follows at once."""
    if not pipes:
        target.fail("hang", seconds=60)
    pipe = target.start(pipes=pipes)
    pipe.feed([schema(), row(record(1)), state({"read": "x" * (1 << 20)})])
    wait_for(lambda: "Created the delivery store" in pipe.log)
    time.sleep(1.5)
    for pause in (1, 5):
        pipe.process.send_signal(signal.SIGTERM)
        time.sleep(pause)
        assert pipe.process.poll() is None

    assert (pipe.stop(signal.SIGTERM), pipe.states) == (143, [])


@pytest.mark.long
def test_a_failure_long_after_a_signal_is_no_second_signal(target: Target) -> None:
    """It does not end the process before the results of other requests are stored."""
    target.sandbox.options.birdie_latency = 8
    pipe = target.start(api_key="wrong")
    pipe.feed(sync(1))
    wait_for(lambda: "Created the delivery store" in pipe.log)
    time.sleep(1)

    assert pipe.stop(signal.SIGTERM) == 1
    assert pipe.log.endswith("Error: Birdie rejected the key (401). Check api_key.\n")


def test_a_signal_after_the_summary_changes_nothing(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The work is done, so the exit code stays 0."""
    end = TargetBirdie.process_endofpipe

    def late_signal(self: TargetBirdie) -> None:
        end(self)
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(TargetBirdie, "process_endofpipe", late_signal)
    assert target(sync(1)).result == (0, 1)


def test_an_error_ends_the_run_while_the_tap_is_silent(target: Target) -> None:
    pipe = target.start(api_key="wrong")
    pipe.feed(sync(1)[:2])

    assert pipe.process.wait(30) == 1
    assert pipe.log.endswith("Error: Birdie rejected the key (401). Check api_key.\n")


def test_a_target_that_ends_early_reads_what_the_tap_still_writes(target: Target) -> None:
    """Otherwise Meltano fails with a stack trace of its own."""
    pipe = target.start(api_key="wrong")
    assert pipe.process.stdin
    more_than_a_pipe_holds = "\n" * (1 << 22)
    pipe.feed(sync(1))
    pipe.process.stdin.write(more_than_a_pipe_holds)

    assert pipe.finish() == 1


@pytest.mark.parametrize(
    ("redirection", "code", "line"),
    [
        ("> /dev/full", 1, "Writing the output failed: No space left on device."),
        ("| sleep 0", 1, "Writing the output failed: Broken pipe."),
        ("--check | sleep 0", 1, "Writing the output failed: Broken pipe."),
        (">&-", 1, "Writing the output failed: the output is closed."),
        ("<&-", 2, "There is no input. Pipe the output of a tap into the target."),
    ],
    ids=["full disk", "no reader", "no reader of a check", "no output", "no input"],
)
def test_a_failing_input_or_output_is_named(
    redirection: str, code: int, line: str, target: Target
) -> None:
    script = f'set -o pipefail; {COMMAND} --config "$0" {redirection}'
    run = subprocess.run(
        ["bash", "-c", script, target.write_config()],
        input=lines_of(sync(1)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stderr.splitlines()[-1]) == (code, f"Error: {line}")


def test_a_state_that_fails_at_the_very_end_fails_the_run(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another thread is still writing it when every record is finished."""

    def fail(*_: object) -> None:
        time.sleep(1)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(TargetBirdie, "_write_state_message", fail)
    monkeypatch.setattr(delivery_run, "_COMMIT_SECONDS", 0.05)
    target.sandbox.options.birdie_latency = 0.5
    run = target([schema(), state({"read": 0}), row(record(1))])
    assert (run.exit_code, "No space left on device." in run.error) == (1, True)


def test_a_terminal_is_no_input(target: Target) -> None:
    """Somebody tried the command: one line, exit 2."""
    ours, theirs = pty.openpty()
    pipe = target.start(pipes={"stdin": theirs})

    assert pipe.process.wait(30) == 2
    assert pipe.log == "Error: There is no input. Pipe the output of a tap into the target.\n"
    os.close(ours)
    os.close(theirs)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_a_stopped_run_leaves_no_file(number: int, code: int, target: Target) -> None:
    """Files are complete or missing, and no state covers them."""
    out = target.folder / "out"
    pipe = target.start(destination="jsonl", output_path=str(out))
    pipe.feed([*THOUSANDS[:100], schema("declines")])
    wait_for(lambda: "Skipping stream 'declines'" in pipe.log)

    assert (pipe.stop(number), pipe.states) == (code, [])
    assert list(out.rglob("*.jsonl")) == []
