"""Memory: flat, however much there is to read."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from .helpers import Account

MakeAccount = Callable[..., Account]

MOST = 80
"""MB, of the whole process."""

WATCHED = """
import atexit, sys
from pathlib import Path
from tap_wootric.tap import TapWootric
status = Path("/proc/self/status")
atexit.register(lambda: Path(sys.argv.pop(1)).write_text(status.read_text()))
TapWootric.cli(sys.argv[2:])
"""

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc"),
]


def peak(account: Account, *, pause: float = 0, **keywords: Any) -> tuple[float, int]:
    """The most memory in MB that a run took, and the lines it wrote.

    Args:
        account: What to sync.
        pause: Seconds for which the loader reads nothing, once.
        keywords: Of the run.
    """
    report = account.folder / "status"
    options = account.options(**keywords)
    command = [sys.executable, "-c", WATCHED, str(report), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(pause)
        lines = sum(1 for _ in process.stdout)
    assert process.returncode == 0
    line = next(x for x in report.read_text().splitlines() if x.startswith("VmHWM"))
    return int(line.split()[1]) / 1000, lines


@pytest.mark.parametrize("concurrency", [4, 16])
def test_fifty_thousand_responses_take_less_than_80_mb(
    make_account: MakeAccount, concurrency: int
) -> None:
    """Side by side too, where records wait for their turn."""
    account = make_account(responses=50_000)

    memory, lines = peak(account, max_concurrency=concurrency)

    assert lines > 50_000
    assert memory < MOST


def test_a_loader_that_pauses_does_not_make_the_tap_pile_up_records(
    make_account: MakeAccount,
) -> None:
    """What is read ahead is bounded by memory, not by the loader's patience."""
    account = make_account(responses=30_000)

    memory, _ = peak(account, pause=5)

    assert memory < MOST


@pytest.mark.parametrize("characters", [1_000, 10_000])
def test_a_crowded_second_takes_no_more(make_account: MakeAccount, characters: int) -> None:
    """However much each of its records holds."""
    account = make_account(responses=2000)
    moment = account.sandbox.store.now() - timedelta(days=30)
    account.sandbox.store.burst(2900, moment, text="x" * characters)

    memory, lines = peak(account)

    assert lines > 4900
    assert memory < MOST


@pytest.mark.parametrize("concurrency", [4, 16])
def test_large_records_take_no_more(make_account: MakeAccount, concurrency: int) -> None:
    """What may wait for its turn is bounded in bytes as well."""
    account = make_account(responses=0)
    now = account.sandbox.store.now()
    for hours in range(9_000, 0, -1):
        account.sandbox.store.add_response(now - timedelta(hours=hours), text="x" * 20_000)

    memory, lines = peak(account, max_concurrency=concurrency)

    assert lines > 9_000
    assert memory < MOST


def test_a_slice_a_hundred_times_denser_takes_no_more(make_account: MakeAccount) -> None:
    """It is cut again while it is read; what is read ahead of its turn is bounded."""
    account = make_account(responses=4_000)
    now = account.sandbox.store.now()
    for seconds in range(20_000):
        account.sandbox.store.add_response(now - timedelta(days=100, seconds=4 * seconds))

    memory, lines = peak(account)

    assert lines > 24_000
    assert memory < MOST


def test_a_state_of_thousands_of_marks_takes_no_more(make_account: MakeAccount) -> None:
    """A burst at this moment is remembered record by record, and synced twice."""
    account = make_account(responses=2000)
    for i in range(3):
        account.sandbox.store.burst(2500, account.sandbox.store.now() - timedelta(seconds=i))
    first = account.sync()

    memory, lines = peak(account, state=first.state)

    assert lines < 10
    assert memory < MOST
