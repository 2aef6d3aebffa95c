"""The process stays below 80 MB, whatever it reads."""

import re
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from .helpers import Account

MAX_MB = 80

ACCOUNTS = {
    "many records": [(20_000, 600, 10)],
    "large records": [(9_000, 3_600, 2_000)],
    "very large records": [(6_000, 3_600, 8_000)],
    "a dense week": [(2_000, 7_200, 10), (12_000, 4, 10)],
    "one dense second": [(2_000, 3_600, 10), (2_900, 0, 2_000)],
}
"""Number of responses, seconds between two, and length of their texts."""

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc"),
]


@pytest.mark.parametrize("groups", ACCOUNTS.values(), ids=ACCOUNTS)
def test_a_first_sync_takes_less_than_80_mb(
    make_account: Callable[..., Account], groups: list[tuple[int, int, int]]
) -> None:
    """Also with many threads, and if the target reads nothing for a while."""
    account = make_account(responses=0)
    now = account.sandbox.store.now()
    for n, seconds, length in groups:
        for i in range(n):
            moment = now - timedelta(seconds=(n - i) * seconds)
            account.sandbox.store.add_response(moment, text="x" * length)
    tap = account.start(blocked=True, max_concurrency=16).process
    assert tap.stdout is not None
    tap.stdout.readline()
    time.sleep(3)

    peaks = [0]
    for number, _ in enumerate(tap.stdout):
        if number % 500 == 0 and tap.poll() is None:
            status = Path(f"/proc/{tap.pid}/status").read_text()
            peaks += map(int, re.findall(r"VmHWM:\s+(\d+)", status))

    assert (tap.wait(30), number >= len(account.truth())) == (0, True)
    assert 20 < max(peaks) / 1000 < MAX_MB
