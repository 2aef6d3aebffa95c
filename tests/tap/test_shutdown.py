"""Signals: they end waits at once, and neither cut a line nor lose the final state."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from tap_wootric import shutdown
from tap_wootric.shutdown import GRACE_SECONDS, SIGNALS, Interrupted, Shutdown

WRITE_UNTIL_STOPPED = """
import signal, sys
from singer_sdk.singerlib import RecordMessage, StateMessage
from tap_wootric.shutdown import Interrupted, Shutdown
from tap_wootric.writer import PageWriter

stop, writer = Shutdown(), PageWriter()
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda signum, _: stop.request(signum))
written = 0
try:
    while True:
        stop.check()
        written += 1
        writer.write_message(RecordMessage("s", {"id": written, "text": "x" * 500}))
except Interrupted:
    writer.write_message(StateMessage({"id": written}))
    stop.exit()
"""

BLOCK_THE_IMPORT = """
import sys, time
from importlib.abc import MetaPathFinder

class Block(MetaPathFinder):
    def find_spec(self, name, *_):
        if name == "singer_sdk":
            print("importing", flush=True)
            time.sleep(60)

sys.meta_path.insert(0, Block())
from tap_wootric.__main__ import main
main()
"""


@pytest.fixture
def exits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The codes with which the process would have ended."""
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    return codes


@pytest.fixture
def _handlers_restored() -> Iterator[None]:
    before = [signal.getsignal(number) for number in SIGNALS]
    yield
    for number, handler in zip(SIGNALS, before, strict=True):
        signal.signal(number, handler)


def start(program: str, **env: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **env},
    )


def finish(process: subprocess.Popen[str]) -> tuple[str, str, int]:
    """Read the rest of both outputs, what Python buffered included, and wait for the end."""
    assert process.stdout is not None
    assert process.stderr is not None
    return process.stdout.read(), process.stderr.read(), process.wait(30)


def test_a_signal_between_waits_is_obeyed_at_the_next_check() -> None:
    stop = Shutdown()
    stop.request(signal.SIGTERM)

    assert stop.is_requested
    with pytest.raises(Interrupted):
        stop.check()


def test_a_signal_interrupts_a_wait_and_only_once() -> None:
    stop = Shutdown()

    with pytest.raises(Interrupted), stop.interruptible():
        stop.request(signal.SIGINT)
    with suppress(Interrupted), stop.interruptible():
        pass

    stop.request(signal.SIGTERM)  # raises nothing: the final state is being written


def test_a_signal_before_a_wait_prevents_it() -> None:
    stop = Shutdown()
    stop.request(signal.SIGTERM)

    with pytest.raises(Interrupted), stop.interruptible():
        pytest.fail("the wait began")


def test_an_inner_wait_keeps_the_outer_one_interruptible() -> None:
    stop = Shutdown()

    def wait() -> None:
        with stop.interruptible():
            with stop.interruptible():
                pass
            stop.request(signal.SIGINT)

    with pytest.raises(Interrupted):
        wait()


@pytest.mark.parametrize(
    ("seconds", "codes"), [(GRACE_SECONDS / 2, []), (GRACE_SECONDS * 2, [143])]
)
def test_a_second_signal_ends_the_process_after_the_grace_time_only(
    exits: list[int], monkeypatch: pytest.MonkeyPatch, seconds: float, codes: list[int]
) -> None:
    stop = Shutdown()
    stop.request(signal.SIGINT)
    later = time.monotonic() + seconds
    monkeypatch.setattr(shutdown.time, "monotonic", lambda: later)

    stop.request(signal.SIGTERM)

    assert exits == codes


@pytest.mark.usefixtures("_handlers_restored")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_the_exit_code_names_the_signal_and_further_ones_are_ignored(
    number: int, code: int
) -> None:
    stop = Shutdown()
    stop.request(number)

    with pytest.raises(SystemExit) as caught:
        stop.exit()

    assert caught.value.code == code
    assert [signal.getsignal(n) for n in SIGNALS] == [signal.SIG_IGN] * 2


@pytest.mark.parametrize("env", [{}, {"PYTHONUNBUFFERED": "1"}], ids=str)
@pytest.mark.parametrize("pause", [0, 0.2])
def test_two_signals_while_nobody_reads_cut_no_line_and_keep_the_final_state(
    env: dict[str, str], pause: float
) -> None:
    """As under `meltano run`, where one Ctrl-C sends SIGINT and then SIGTERM."""
    process = start(WRITE_UNTIL_STOPPED, **env)
    assert process.stdout is not None
    first = process.stdout.readline()
    time.sleep(0.2)  # the pipe is full
    process.send_signal(signal.SIGINT)
    time.sleep(pause)
    process.send_signal(signal.SIGTERM)

    out, err, code = finish(process)

    messages: list[Any] = [json.loads(line) for line in (first + out).splitlines()]
    assert out.endswith("\n")
    assert messages[-1] == {"type": "STATE", "value": {"id": messages[-2]["record"]["id"]}}
    assert [m["record"]["id"] for m in messages[:-1]] == list(range(1, len(messages)))
    assert code in {130, 143}  # signals that arrive together have no order
    assert err == ""


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_during_start_up_prints_no_stack_trace(number: int) -> None:
    process = start(BLOCK_THE_IMPORT)
    assert process.stdout is not None
    assert process.stdout.readline() == "importing\n"
    process.send_signal(number)

    assert finish(process) == ("", "", -number)
