"""Interruption: a sync may be ended anywhere, and the next one completes it."""

from __future__ import annotations

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

from .helpers import INCREMENTAL, TAP, Account, Forked, Output, Process, assert_complete

MakeAccount = Callable[..., Account]

SOON = 3.0
"""Seconds within which a signal ends the tap while it waits for something."""


def strike(account: Account, number: int, process: list[Process], signum: int) -> None:
    """Send a signal to the tap when its so many-th request for a page arrives."""

    def at(request: int, path: str) -> None:
        if request == number:
            process[0].process.send_signal(signum)
            time.sleep(0.05)  # it arrives before the reply does

    account.sandbox.before_request(at)


def stopped(account: Account, number: int, signum: int, *arguments: Any, **keywords: Any) -> Output:
    """A run that a signal meets at its so many-th request for a page."""
    processes: list[Process] = []
    strike(account, number, processes, signum)
    processes.append(account.start(*arguments, **keywords))
    output = processes[0].finish()
    account.sandbox.before_request(None)
    return output


def until(condition: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def ended_by(process: Process, signum: int) -> Output:
    """Send the signal; the process has to end soon."""
    process.process.send_signal(signum)
    began = time.monotonic()
    output = process.finish(20)
    assert time.monotonic() - began < SOON
    return output


def assert_exact(account: Account, first: Output, stream: str = "responses") -> None:
    """The last STATE stands for just what was written: the next run brings just the rest."""
    second = account.sync(stream, state=first.state)

    assert second.code == 0
    assert set(first.ids(stream)) & set(second.ids(stream)) == set()
    assert_complete(account, first.records(stream) + second.records(stream), stream)


@pytest.mark.parametrize(
    ("signum", "code", "concurrency"),
    [(signal.SIGTERM, 143, 1), (signal.SIGTERM, 143, 4), (signal.SIGINT, 130, 4)],
)
def test_a_termination_signal_leaves_an_exact_state_and_a_code_that_says_so(
    make_account: MakeAccount, signum: int, code: int, concurrency: int
) -> None:
    """What was read is written, the last line is its STATE, the exit code is 128 + signal."""
    account = make_account(responses=1500)

    output = stopped(account, 17, signum, max_concurrency=concurrency)

    assert output.code == code
    assert output.messages[-1]["type"] == "STATE"
    assert 0 < len(output.ids()) < 1500
    assert "Traceback" not in output.log
    assert_exact(account, output)


@pytest.mark.parametrize("updated_filter", [True, False])
def test_a_signal_while_changes_are_collected_sends_none_of_them_again(
    make_account: MakeAccount, updated_filter: bool
) -> None:
    """The STATE is as exact in the middle of an update, with and without a filter on updates."""
    account = make_account(responses=900)
    account.sandbox.options.updated_filter = updated_filter
    first = account.sync(lookback_days=3650)
    changed = [row["id"] for row in account.sandbox.store.responses()[::2]]
    for number in changed:
        account.sandbox.store.tag(number, "seen")

    second = stopped(account, 8, signal.SIGTERM, state=first.state, lookback_days=3650)
    third = account.sync(state=second.state, lookback_days=3650)

    assert second.code == 143
    assert 0 < len(second.ids()) < 450
    assert sorted(second.ids() + third.ids()) == sorted(changed)


def test_streams_that_were_not_reached_follow_in_the_next_run(make_account: MakeAccount) -> None:
    """The STATE of an interrupted run covers every stream."""
    account = make_account(responses=400)

    first = stopped(account, 11, signal.SIGTERM, INCREMENTAL)
    second = account.sync(INCREMENTAL, state=first.state)

    assert first.records("declines") == []
    for stream in INCREMENTAL:
        assert set(first.ids(stream)) & set(second.ids(stream)) == set()
        assert_complete(account, first.records(stream) + second.records(stream), stream)


def test_a_signal_ends_the_wait_for_the_rate_limit(make_account: MakeAccount) -> None:
    """Nobody wants to wait an hour for a tap that is to stop."""
    account = make_account(responses=600)
    account.sandbox.options.rate_limit = (6, 3600)
    process = account.start()
    until(lambda: "waiting" in process.log)

    output = ended_by(process, signal.SIGTERM)

    assert output.code == 143
    account.sandbox.options.rate_limit = None
    assert_exact(account, output)


@pytest.mark.parametrize(("fault", "concurrency"), [("hang", 1), ("slow", 4), ("503", 1)])
def test_a_signal_ends_the_wait_for_a_reply(
    make_account: MakeAccount, fault: str, concurrency: int
) -> None:
    """Whether it hangs, dribbles in, or is to be asked for again."""
    account = make_account(responses=900)
    details = {} if fault == "503" else {"seconds": 30}
    rule = account.sandbox.faults.on(fault, share=1, after=6, path="/v1/", **details)
    process = account.start(max_concurrency=concurrency)
    until(lambda: rule.hits > (3 if fault == "503" else 0))

    output = ended_by(process, signal.SIGTERM)

    assert output.code == 143
    assert "Traceback" not in output.log
    account.sandbox.faults.off()
    assert_exact(account, output)


def test_a_signal_ends_the_wait_for_a_token(account: Account) -> None:
    """Before the first request there is nothing to say: the earlier state stays what it was."""
    rule = account.sandbox.faults.on("hang", times=1, path="/oauth/token", seconds=30)
    process = account.start()
    until(lambda: rule.hits)

    output = ended_by(process, signal.SIGTERM)

    assert output.code == 143
    assert [message["type"] for message in output.messages] == ["SCHEMA"]


def test_a_signal_while_nobody_reads_the_output_splits_no_line(make_account: MakeAccount) -> None:
    """The loader is busy: what was begun is written once it reads again, and an exact STATE."""
    account = make_account(responses=1500)
    process = account.start(blocked=True)
    until(lambda: len(account.lists()) > 1)
    time.sleep(0.5)
    process.process.send_signal(signal.SIGTERM)
    time.sleep(0.3)

    output = process.finish(20)

    assert output.code == 143
    assert output.messages[-1]["type"] == "STATE"
    assert 0 < len(output.ids()) < 1500
    assert_exact(account, output)


def test_a_second_signal_ends_the_tap_at_once(make_account: MakeAccount) -> None:
    """Even when nobody ever reads what it has to say."""
    account = make_account(responses=1500)
    process = account.start(blocked=True)
    until(lambda: len(account.lists()) > 1)
    time.sleep(0.5)

    for _ in range(2):
        process.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)

    assert process.process.wait(SOON) == 143
    process.close()


@pytest.mark.parametrize("env", [{}, {"PYTHONUNBUFFERED": "1"}], ids=str)
def test_a_loader_that_is_gone_ends_the_tap_in_one_line(
    make_account: MakeAccount, env: dict[str, str]
) -> None:
    """That says so, whichever way the output is buffered; the loader has said why."""
    account = make_account(responses=1500)
    process = Process(account.options(), account.folder, blocked=True, **env)

    process.close()

    assert process.process.wait(20) == 1
    lines = process.log.splitlines()
    assert lines[-1].startswith("Error: Broken pipe: the target exited")
    assert not any("ERROR" in line or "Traceback" in line for line in lines)


def test_ctrl_c_on_a_pipe_that_ends_the_loader_too_is_a_stop_and_no_error(
    make_account: MakeAccount,
) -> None:
    """Both get the signal; the tap, which waits for the loader to read, finds nobody there."""
    account = make_account(responses=1500)
    log = account.folder / "log"
    with log.open("w") as err:
        tap = Popen([TAP, *account.options()], stdout=PIPE, stderr=err, process_group=0)
    loader = Popen(["sleep", "60"], stdin=tap.stdout, process_group=tap.pid)
    assert tap.stdout is not None
    tap.stdout.close()
    until(lambda: len(account.lists()) > 1)
    time.sleep(0.5)

    os.killpg(tap.pid, signal.SIGINT)

    assert loader.wait(10) == -signal.SIGINT
    assert tap.wait(10) == 130
    assert not any(word in log.read_text() for word in ("ERROR", "Error", "Traceback"))


@pytest.mark.parametrize(
    ("output", "line"),
    [(">&-", "Standard output is closed"), ("> /dev/full", "Cannot write the output (No space")],
)
def test_an_output_that_takes_nothing_ends_the_tap_in_one_line(
    account: Account, output: str, line: str
) -> None:
    """Closed, or on a full disk."""
    command = ["sh", "-c", f'"$0" "$@" {output}', TAP, *account.options()]

    ended = subprocess.run(command, stderr=PIPE, text=True, check=False)

    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith(f"Error: {line}")
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("concurrency", [1, 4])
def test_every_state_that_was_written_resumes_without_loss_and_without_a_second_time(
    make_account: MakeAccount, stream: str, concurrency: int
) -> None:
    """Not the last STATE alone: a loader may have stored any of them."""
    account = make_account(responses=2100)
    first = account.sync(stream, max_concurrency=concurrency)

    sent: list[dict[str, Any]] = []
    for message in first.messages:
        if message["type"] == "RECORD":
            sent.append(message["record"])
        if message["type"] != "STATE":
            continue
        second = account.sync(stream, state=message["value"])
        assert {record["id"] for record in sent} & set(second.ids(stream)) == set()
        assert_complete(account, sent + second.records(stream), stream)


def run_killed(account: Account, number: int, **keywords: Any) -> Output:
    """A run that is killed while its so many-th request for a page is answered, or ends before."""
    process = Forked(account.options(INCREMENTAL, **keywords), account.folder)

    def kill(request: int, path: str) -> None:
        if request == number:
            process.kill()

    account.sandbox.before_request(kill)
    output = process.finish()
    account.sandbox.before_request(None)
    return output


def unsaved(output: Output) -> int:
    """Records that no STATE stands for."""
    kinds = [message["type"] for message in output.messages]
    return kinds[::-1].index("STATE") if "STATE" in kinds else kinds.count("RECORD")


def killed_until_complete(account: Account, chance: random.Random) -> int:
    """Kill run after run, each at another place; the data goes on changing. Returns the kills."""
    state: Any = None
    delivered: dict[str, list[Any]] = {stream: [] for stream in INCREMENTAL}
    store, kills, lost = account.sandbox.store, 0, 0
    while True:
        concurrency = chance.choice([1, 4])
        output = run_killed(
            account, chance.randint(1, 60), state=state, max_concurrency=concurrency
        )
        for stream in INCREMENTAL:
            delivered[stream] += output.records(stream)
        state = output.states[-1] if output.states else state
        if output.code == 0:
            break
        kills += 1
        lost += unsaved(output)
        assert unsaved(output) <= 1000
        store.tag(chance.choice(store.responses())["id"], f"tag {kills}")
        store.add_response(store.now() - timedelta(days=chance.uniform(0, 300)), text="imported")
    last = account.sync(INCREMENTAL, state=state)
    for stream in INCREMENTAL:
        assert_complete(account, delivered[stream] + last.records(stream), stream)
        versions = [(record["id"], record["updated_at"]) for record in delivered[stream]]
        lost -= len(versions) - len(set(versions))
    assert lost >= 0
    return kills


def test_a_killed_sync_is_completed_by_the_next(make_account: MakeAccount) -> None:
    """`kill -9` at any place; sent twice is at most what came after the last STATE."""
    chance, kills = random.Random(1), 0
    while kills < 5:
        kills += killed_until_complete(make_account(responses=1200), chance)


@pytest.mark.long
def test_two_hundred_random_kills_lose_nothing(make_account: MakeAccount) -> None:
    """Again and again, while data goes on changing."""
    chance, kills = random.Random(2), 0
    while kills < 200:
        kills += killed_until_complete(make_account(responses=1200), chance)
