"""When requests may go."""

from __future__ import annotations

import sys
import time
from collections import deque
from threading import Event, Thread

from hypothesis import given
from hypothesis import strategies as st
from target_birdie.pacing import LONGEST_WAIT, Gate, Pace, retry_wait

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override


@given(st.integers(1, 200), st.lists(st.floats(0, 0.5), max_size=200))
def test_no_second_holds_more_than_allowed(per_second: int, gaps: list[float]) -> None:
    """However the callers come: any one second has at most so many requests."""
    pace, now, window = Pace(per_second), 0.0, deque[float]()
    for gap in gaps:
        now += gap
        moment = pace.reserve(now)
        while window and moment - window[0] >= 1 - 1e-9:
            window.popleft()
        window.append(moment)

        assert moment >= now
        assert len(window) <= per_second


def test_without_a_limit_nobody_waits() -> None:
    """0 means no pace of our own."""
    pace = Pace(0)

    assert [pace.reserve(5.0) for _ in range(3)] == [5.0, 5.0, 5.0]


def test_a_complaint_holds_everyone() -> None:
    """After 503 nothing goes until the hold ends, and one complaint counts once."""
    pace = Pace(0)

    assert pace.complained(10.0, None) == 0.25
    assert pace.complained(10.2, None) is None
    assert pace.reserve(10.2) == 10.25


def test_retry_after_decides() -> None:
    """The server's own wish sets the hold, also when it comes during one."""
    pace = Pace(0)
    pace.complained(10.0, None)

    assert pace.complained(10.2, 7.0) == 7.0
    assert pace.held_until == 17.2


def test_a_wish_that_ends_earlier_does_not_shorten_a_hold() -> None:
    """Of two answers that come side by side the longer wait counts, and is told once."""
    pace = Pace(0)
    pace.complained(10.0, 7.0)

    assert pace.complained(11.0, 2.0) is None
    assert pace.held_until == 17.0


def test_holds_grow_until_something_is_accepted() -> None:
    """A quarter of a second, a half ... up to 30 seconds, and from the start after a success."""
    pace, now, holds = Pace(0), 0.0, []
    for _ in range(9):
        holds.append(pace.complained(now, None))
        now = pace.held_until
    pace.accepted()

    assert holds == [0.25, 0.5, 1, 2, 4, 8, 16, 30, 30]
    assert pace.complained(now, None) == 0.25


def gap(pace: Pace, now: float) -> float:
    return round(-pace.reserve(now) + pace.reserve(now), 4)


def test_the_pace_is_halved_and_comes_back() -> None:
    """A limit lower than ours is met by going slower for a while, not for ever."""
    pace = Pace(100)
    pace.complained(0.0, None)
    pace.accepted()
    pace.complained(1.0, None)
    slow = gap(pace, 1.25)
    for second in range(2, 16):
        pace.reserve(float(second))

    assert (slow, gap(pace, 20.0)) == (round(1 / 45, 4), 0.01)


def test_a_single_complaint_costs_a_tenth_of_the_pace() -> None:
    """Requests that reach Birdie in a heap by chance are no reason to go at half the pace."""
    pace = Pace(100)
    pace.complained(20.0, None)
    after_one = gap(pace, 20.25)
    pace.accepted()
    pace.reserve(30.0)
    pace.complained(31.0, None)

    assert (after_one, gap(pace, 31.25)) == (round(1 / 90, 4), round(1 / 90, 4))


def test_an_outage_slows_the_pace_once() -> None:
    """However often it is refused in a row: the pace afterwards is not a hundredth."""
    pace = Pace(100)
    for _ in range(6):
        pace.complained(pace.held_until, None)

    assert gap(pace, pace.held_until) == round(1 / 90, 4)


class _StandingStill(Event):
    """Nobody wakes before the machine goes on."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._until = time.monotonic() + seconds

    @override
    def wait(self, timeout: float | None = None) -> bool:
        return super().wait(max(timeout or 0.0, self._until - time.monotonic()))


def test_what_waited_while_the_machine_stood_still_does_not_go_at_once() -> None:
    """A burst would be over the limit, and Birdie's complaint costs far more than the pause."""
    gate, stop, passed = Gate(50), _StandingStill(0.4), list[float]()

    def send() -> None:
        gate.wait(stop)
        passed.append(time.monotonic())

    threads = [Thread(target=send) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(moment < passed[0] + 0.1 for moment in passed) < 10


@given(st.integers(0, 10_000))
def test_waits_between_tries_are_bounded(attempt: int) -> None:
    """However often a request failed, the next try comes within half a minute."""
    assert 0 < retry_wait(attempt) <= LONGEST_WAIT
