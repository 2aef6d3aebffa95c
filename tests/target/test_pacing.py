"""When requests may go: no clock, no threads."""

from __future__ import annotations

from collections import deque

from hypothesis import given
from hypothesis import strategies as st
from target_birdie.pacing import LONGEST_WAIT, Pace, retry_wait


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


def test_holds_grow_until_something_is_accepted() -> None:
    """A quarter of a second, a half ... up to 30 seconds, and from the start after a success."""
    pace, now, holds = Pace(0), 0.0, []
    for _ in range(9):
        holds.append(pace.complained(now, None))
        now = pace.held_until
    pace.accepted()

    assert holds == [0.25, 0.5, 1, 2, 4, 8, 16, 30, 30]
    assert pace.complained(now, None) == 0.25


def test_the_pace_is_halved_and_comes_back() -> None:
    """A limit lower than ours is met by going slower for a while, not for ever."""
    pace = Pace(100)
    pace.complained(0.0, None)
    slow = -pace.reserve(0.25) + pace.reserve(0.25)
    for second in range(2, 15):
        pace.reserve(float(second))
    fast = -pace.reserve(20.0) + pace.reserve(20.0)

    assert (round(slow, 4), round(fast, 4)) == (0.02, 0.01)


def test_an_outage_halves_the_pace_once() -> None:
    """However often it is refused in a row: the pace afterwards is half, not a hundredth."""
    pace = Pace(100)
    for _ in range(6):
        pace.complained(pace.held_until, None)
    end = pace.held_until

    assert round(-pace.reserve(end) + pace.reserve(end), 4) == 0.02


@given(st.integers(0, 10_000))
def test_waits_between_tries_are_bounded(attempt: int) -> None:
    """However often a request failed, the next try comes within half a minute."""
    assert 0 < retry_wait(attempt) <= LONGEST_WAIT
