"""The process stays below 80 MB, whatever it reads."""

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

MAX_MB = 80

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


def fifty_thousand_responses(account: Account) -> None:
    spread(account, 50_000, seconds=600)


def large_records(account: Account) -> None:
    spread(account, 9_000, seconds=3_600, text="x" * 2_000)


def a_dense_week(account: Account) -> None:
    spread(account, 4_000, seconds=7_200)
    spread(account, 20_000, seconds=4)


def one_second(account: Account) -> None:
    spread(account, 2_000, seconds=3_600)
    account.sandbox.store.burst(2_900, account.moment(30), text="x" * 2_000)


def spread(account: Account, n: int, seconds: float, **fields: Any) -> None:
    now = account.sandbox.store.now()
    for i in range(n, 0, -1):
        account.sandbox.store.add_response(now - timedelta(seconds=i * seconds), **fields)


@pytest.mark.parametrize(
    ("fill", "settings"),
    [
        (fifty_thousand_responses, {"max_concurrency": 16}),
        (large_records, {}),
        (a_dense_week, {}),
        (one_second, {}),
    ],
)
def test_a_first_sync_takes_less_than_80_mb(
    make_account: Callable[..., Account], fill: Callable[[Account], None], settings: Any
) -> None:
    """Also if the target reads nothing for a while."""
    account = make_account(responses=0)
    fill(account)
    report = account.folder / "status"
    command = [sys.executable, "-c", WATCHED, str(report), *account.options(**settings)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(3)
        lines = sum(1 for _ in process.stdout)

    assert (process.returncode, lines > len(account.truth())) == (0, True)
    peak = next(x for x in report.read_text().splitlines() if x.startswith("VmHWM"))
    assert int(peak.split()[1]) / 1000 < MAX_MB
