"""When requests may be sent, and which STATE is safe, whatever the order of the results."""

import time
from collections import deque
from threading import Event, Thread

from hypothesis import given
from hypothesis import strategies as st
from target_birdie.delivery.checkpoints import Checkpoints, Result
from target_birdie.delivery.throttle import LONGEST_WAIT, Throttle, retry_wait


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


def test_the_longest_pause_counts() -> None:
    """A reply that arrives during a pause extends it at most."""
    pace = Throttle(0)
    assert (pace.pause(10.0, None), pace.pause(10.2, None)) == (0.25, None)
    assert pace.reserve(10.2) == 10.25
    assert (pace.pause(10.2, 7.0), pace.pause(11.0, 2.0), pace.paused_until) == (7.0, None, 17.2)


def test_pauses_grow_until_a_record_is_accepted() -> None:
    """From a quarter of a second to 30 seconds, and from the start after an acceptance."""
    pace = Throttle(0)
    pauses = [pace.pause(pace.paused_until, None) for _ in range(9)]
    pace.accepted()
    assert pauses == [0.25, 0.5, 1, 2, 4, 8, 16, 30, 30]
    assert pace.pause(pace.paused_until, None) == 0.25


class _SleepingMachine(Event):
    """Wakes nobody before the machine wakes."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._until = time.monotonic() + seconds

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
    assert 0 < retry_wait(failures, LONGEST_WAIT) <= LONGEST_WAIT


@given(st.permutations(range(12)), st.sets(st.integers(0, 11)))
def test_a_state_is_safe_once_everything_before_it_is_done(order: list[int], at: set[int]) -> None:
    """Exactly then: the model is the longest prefix of finished results."""
    tested, results, written = Checkpoints(), [Result() for _ in order], 0
    for number, result in enumerate(results):
        tested.add(result)
        if number in at:
            tested.add_state({"read": number + 1})
    for done, number in enumerate(order, 1):
        results[number].is_done = True
        prefix = next((n for n in range(12) if n not in order[:done]), 12)
        expected = max((n + 1 for n in at if n < prefix), default=0)
        state = tested.take_safe_state()
        assert state == ({"read": expected} if expected > written else None)
        written = max(written, expected)
