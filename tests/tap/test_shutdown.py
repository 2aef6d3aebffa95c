"""Termination requests: they end waits, but neither a write nor the start-up of the process."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tap_wootric import shutdown
from tap_wootric.shutdown import GRACE_SECONDS, SIGNALS, Interrupted, Shutdown

from .helpers import process_kept


def exit_inner_wait_and_request(stop: Shutdown) -> None:
    with stop.interruptible():
        pass
    stop.request(signal.SIGINT)


def test_a_signal_interrupts_a_wait_and_only_once() -> None:
    stop = Shutdown()

    with pytest.raises(Interrupted), stop.interruptible():
        exit_inner_wait_and_request(stop)

    stop.request(signal.SIGTERM)  # raises nothing: the final state is being written


def test_a_signal_between_waits_is_obeyed_before_the_next() -> None:
    stop = Shutdown()
    stop.request(signal.SIGTERM)

    assert stop.is_requested
    with pytest.raises(Interrupted):
        stop.check()
    with pytest.raises(Interrupted), stop.interruptible():
        pytest.fail("the wait began")


def test_a_wait_of_another_thread_lets_no_signal_interrupt_the_main_thread() -> None:
    stop = Shutdown()
    wait = stop.interruptible()
    thread = threading.Thread(target=wait.__enter__)
    thread.start()
    thread.join()

    stop.request(signal.SIGTERM)  # raises nothing: the main thread may be writing
    assert stop.is_requested


@pytest.mark.parametrize(
    ("seconds", "codes"), [(GRACE_SECONDS / 2, []), (GRACE_SECONDS * 2, [143])]
)
def test_a_second_signal_ends_the_process_after_the_grace_time_only(
    monkeypatch: pytest.MonkeyPatch, seconds: float, codes: list[int]
) -> None:
    exits: list[int] = []
    monkeypatch.setattr(os, "_exit", exits.append)
    stop = Shutdown()
    stop.request(signal.SIGINT)
    later = time.monotonic() + seconds
    monkeypatch.setattr(shutdown.time, "monotonic", lambda: later)

    stop.request(signal.SIGTERM)

    assert exits == codes


def test_signals_during_the_exit_are_ignored() -> None:
    with process_kept():
        with pytest.raises(SystemExit):
            Shutdown().exit()
        assert {signal.getsignal(number) for number in SIGNALS} == {signal.SIG_IGN}


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_during_start_up_prints_no_stack_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """The import of the SDK takes a while; here it does not end."""
    slow = "import time; print('importing', flush=True); time.sleep(60)"
    (tmp_path / "singer_sdk.py").write_text(slow)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}")
    command = [sys.executable, "-m", "tap_wootric"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "importing\n"
        process.send_signal(number)

        assert process.communicate(timeout=30) == ("", "")

    assert process.returncode == -number
