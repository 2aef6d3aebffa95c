"""Interruption: a sync can end anywhere, and the next one completes it."""

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from datetime import timedelta
from subprocess import PIPE, Popen
from typing import Any

import pytest

from .helpers import TAP, Account, Output, Process, assert_complete, assert_each_once

MakeAccount = Callable[..., Account]


def wait_until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def assert_exact(account: Account, first: Output) -> None:
    """Assert that the output ends with a STATE from which the next run delivers the rest."""
    assert "Traceback" not in first.log
    kinds = [message["type"] for message in first.messages]
    assert kinds[-1] == ("STATE" if first.ids() else "SCHEMA")
    second = account.sync(state=first.state if first.ids() else None)

    assert second.code == 0
    assert_each_once(first.ids() + second.ids())
    assert_complete(account, first.records() + second.records())


def signal_at_request(account: Account, number: int, signum: int, **keywords: Any) -> Output:
    """Start a run that receives a signal during its n-th request."""
    processes: list[Process] = []

    def send(request: int, _path: str) -> None:
        if request == number:
            processes[0].process.send_signal(signum)
            time.sleep(0.05)  # it arrives before the reply does

    account.sandbox.before_request(send)
    processes.append(account.start(**keywords))
    output = processes[0].finish()
    account.sandbox.before_request(None)
    return output


@pytest.mark.parametrize(
    ("signum", "code", "concurrency"), [(signal.SIGTERM, 143, 1), (signal.SIGINT, 130, 4)]
)
def test_a_signal_leaves_an_exact_state_and_a_code_that_names_it(
    make_account: MakeAccount, signum: int, code: int, concurrency: int
) -> None:
    account = make_account(responses=3_000)

    output = signal_at_request(account, 17, signum, max_concurrency=concurrency)

    assert output.code == code
    assert len(output.ids()) < 3_000
    assert_exact(account, output)


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_two_signals_while_nobody_reads_cut_no_line_and_keep_the_final_state(
    make_account: MakeAccount, monkeypatch: pytest.MonkeyPatch, unbuffered: str
) -> None:
    """As under `meltano run`, where one Ctrl-C sends SIGINT and then SIGTERM."""
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    account = make_account(responses=3_000)
    process = account.start(blocked=True)
    wait_until(lambda: len(account.lists()) > 5)
    time.sleep(0.5)  # the pipe is full
    process.process.send_signal(signal.SIGINT)
    process.process.send_signal(signal.SIGTERM)

    output = process.finish()

    assert output.code in {130, 143}  # signals that arrive together have no order
    assert_exact(account, output)


@pytest.mark.parametrize("fault", ["hang", "trickle", "503", "rate limit", "sign-in"])
def test_a_signal_ends_every_wait_at_once(make_account: MakeAccount, fault: str) -> None:
    account = make_account(responses=900)
    sandbox, options = account.sandbox, account.sandbox.options
    if fault == "rate limit":
        options.rate_limit = (6, 3_600)
    elif fault == "sign-in":
        rule = sandbox.faults.on("hang", share=1, path="/oauth/token", seconds=30)
    else:
        details = {} if fault == "503" else {"seconds": 30}
        rule = sandbox.faults.on(fault, share=1, after=6, path="/v1/", **details)
    process = account.start(max_concurrency=1)
    wait_until(lambda: "waiting" in process.log if options.rate_limit else rule.hits)
    process.process.send_signal(signal.SIGTERM)

    output = process.finish(20)

    assert output.code == 143
    sandbox.faults.off()
    options.rate_limit = None
    assert_exact(account, output)


def test_a_signal_ends_the_account_check_without_a_stack_trace(account: Account) -> None:
    rule = account.sandbox.faults.on("hang", share=1, seconds=30)
    process = Process([*account.options()[:2], "--check"], account.folder)
    wait_until(lambda: rule.hits)
    process.process.send_signal(signal.SIGINT)

    output = process.finish(20)

    assert (output.code, output.lines, "Traceback" in output.log) == (-signal.SIGINT, [], False)


def test_a_signal_that_also_ends_the_target_is_no_error(make_account: MakeAccount) -> None:
    """Ctrl-C on a pipe reaches both."""
    account = make_account(responses=1500)
    log = account.folder / "log"
    with log.open("w") as err:
        tap = Popen([TAP, *account.options()], stdout=PIPE, stderr=err, process_group=0)
    target = Popen(["sleep", "60"], stdin=tap.stdout, process_group=tap.pid)
    assert tap.stdout is not None
    tap.stdout.close()
    wait_until(lambda: len(account.lists()) > 1)
    time.sleep(0.5)

    os.killpg(tap.pid, signal.SIGINT)

    assert target.wait(60) == -signal.SIGINT
    assert tap.wait(60) == 130
    assert not any(word in log.read_text() for word in ("ERROR", "Error", "Traceback"))


@pytest.mark.parametrize(
    ("output", "problem"), [("> /dev/full", "No space left"), ("| true", "Broken pipe")]
)
def test_an_output_that_cannot_be_written_ends_the_tap_in_one_line(
    make_account: MakeAccount, output: str, problem: str
) -> None:
    """As if the disk were full or the target had exited."""
    options = make_account(responses=1_500).options()
    command = ["bash", "-o", "pipefail", "-c", f'"$0" "$@" {output}', TAP, *options]

    ended = subprocess.run(command, stderr=PIPE, text=True, check=False)

    assert ended.returncode == 1
    assert f"Cannot write the output ({problem}" in ended.stderr.splitlines()[-1]
    assert ended.stderr.count("ERROR") == 1
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    "kills", [pytest.param(4, marks=pytest.mark.long), pytest.param(200, marks=pytest.mark.soak)]
)
def test_killed_syncs_of_a_changing_account_are_completed_by_the_next(
    make_account: MakeAccount, kills: int
) -> None:
    chance = random.Random(kills)
    while kills > 0:
        account, output, state = make_account(responses=1_200), None, None
        store, delivered = account.sandbox.store, []
        while output is None or output.code != 0:
            number, concurrency = chance.randint(1, 30), chance.choice([1, 4])
            output = signal_at_request(
                account, number, signal.SIGKILL, state=state, max_concurrency=concurrency
            )
            delivered += output.records()
            state = output.states[-1] if output.states else state
            kills -= output.code != 0
            store.tag(chance.choice(store.responses())["id"], f"tag {kills}")
            store.add_response(store.now() - timedelta(days=chance.uniform(0, 300)))

        assert_complete(account, delivered + account.sync(state=state).records())
