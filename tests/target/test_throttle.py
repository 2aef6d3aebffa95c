"""When requests may be sent."""

from __future__ import annotations

import sys
import time
from collections import deque
from threading import Event, Thread

from hypothesis import given
from hypothesis import strategies as st
from target_birdie.delivery.throttle import LONGEST_WAIT, Throttle, retry_wait

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override


@given(st.integers(1, 200), st.lists(st.floats(0, 0.5), max_size=200))
def test_no_second_has_more_requests_than_allowed(per_second: int, gaps: list[float]) -> None:
    """Whenever the callers arrive."""
    pace, now, window = Throttle(per_second), 0.0, deque[float]()
    for gap in gaps:
        now += gap
        moment = pace.reserve(now)
        while window and moment - window[0] >= 1 - 1e-9:
            window.popleft()
        window.append(moment)
        assert (moment >= now, len(window) <= per_second) == (True, True)


def test_without_a_limit_nobody_waits() -> None:
    """0 means no pace of our own."""
    pace = Throttle(0)
    assert [pace.reserve(5.0) for _ in range(3)] == [5.0, 5.0, 5.0]


def test_the_longest_pause_counts() -> None:
    """A reply that arrives during a pause extends it at most."""
    pace = Throttle(0)
    assert [pace.pause(10.0, None), pace.pause(10.2, None), pace.reserve(10.2)] == [
        0.25,
        None,
        10.25,
    ]
    assert [pace.pause(10.2, 7.0), pace.pause(11.0, 2.0), pace.paused_until] == [7.0, None, 17.2]


def test_pauses_grow_until_a_record_is_accepted() -> None:
    """From a quarter of a second to 30 seconds, and from the start after an acceptance."""
    pace, now, pauses = Throttle(0), 0.0, []
    for _ in range(9):
        pauses.append(pace.pause(now, None))
        now = pace.paused_until
    pace.accepted()
    assert pauses == [0.25, 0.5, 1, 2, 4, 8, 16, 30, 30]
    assert pace.pause(now, None) == 0.25


def test_the_pace_falls_and_recovers() -> None:
    """By a tenth at first, by half soon afterwards, once in an outage."""

    def after(*pauses: float) -> float:
        pace = Throttle(100)
        for moment in pauses:
            pace.pause(moment, None)
            pace.accepted()
        start = pace.paused_until
        return round(1 / (-pace.reserve(start) + pace.reserve(start)), 4)

    outage = Throttle(100)
    for _ in range(6):
        outage.pause(outage.paused_until, None)
    start = outage.paused_until
    assert (after(20.0), after(20.0, 21.0)) == (90.0, 45.0)
    assert round(1 / (-outage.reserve(start) + outage.reserve(start)), 4) == 90.0
    assert round(1 / (-outage.reserve(start + 20) + outage.reserve(start + 20)), 4) == 100.0


class _SleepingMachine(Event):
    """Wakes nobody before the machine wakes."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._until = time.monotonic() + seconds

    @override
    def wait(self, timeout: float | None = None) -> bool:
        return super().wait(max(timeout or 0.0, self._until - time.monotonic()))


def test_what_waited_while_the_machine_slept_does_not_leave_at_once() -> None:
    """A burst would exceed the limit."""
    throttle, stop, sent = Throttle(50), _SleepingMachine(0.4), list[float]()

    def send() -> None:
        throttle.wait(stop)
        sent.append(time.monotonic())

    threads = [Thread(target=send) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(moment < sent[0] + 0.1 for moment in sent) < 10


@given(st.integers(1, 10_000))
def test_waits_between_attempts_are_bounded(failures: int) -> None:
    """Whatever the number of failures."""
    assert 0 < retry_wait(failures, LONGEST_WAIT) <= LONGEST_WAIT
