"""Progress: what a person reads while a long sync goes on."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tap_wootric.progress import _duration

from .helpers import Account


@pytest.fixture(autouse=True)
def lines_that_come_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice a minute is too seldom for a test."""
    monkeypatch.setattr("tap_wootric.progress.SECONDS_BETWEEN_LINES", 0.05)


def test_a_long_sync_tells_how_far_it_is_how_fast_and_how_much_is_left(account: Account) -> None:
    """The day that is reached, its share of the time range, records a second, the time left."""
    account.sandbox.options.latency = 0.1

    output = account.sync(max_concurrency=1)

    line = re.compile(
        r"responses: \d+ records, up to \d{4}-\d\d-\d\d \(\d+% of the time range\), "
        r"[\d.,]+ a second, about [\d.]+ (s|min|h \d+ min) left"
    )
    assert output.code == 0
    assert line.search(output.log), output.log


def test_a_sync_that_waits_for_the_limit_tells_until_when(
    make_account: Callable[..., Account],
) -> None:
    """And how many requests the account has left."""
    account = make_account(responses=300)
    account.sandbox.options.rate_limit = (5, 2)

    output = account.sync(max_concurrency=1)

    assert output.code == 0
    assert re.search(r"\d+ requests left before the rate limit", output.log)
    assert re.search(r"waiting for it until \d\d:\d\d:\d\d UTC", output.log)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (61, "61 s"), (5400, "90 min"), (9000, "2 h 30 min")],
)
def test_durations_are_shown_in_the_unit_in_which_they_are_read(seconds: float, shown: str) -> None:
    """Seconds, minutes, hours; a fraction only where it matters."""
    assert _duration(seconds) == shown
