"""Pace: how long to wait so that the announced rate limit is used and never hit."""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_wootric.pace import SECONDS_WITHOUT_RESET, Announcement, Pace

HEADERS = {
    "X-Rate-Limit-Limit": "100",
    "X-Rate-Limit-Remaining": "40",
    "X-Rate-Limit-Reset": "1700000060",
}


def test_the_three_headers_are_read() -> None:
    """Limit and rest are counts, the reset is a UNIX second."""
    assert Announcement.from_headers(HEADERS) == Announcement(100, 40, 1_700_000_060)


@pytest.mark.parametrize("name", HEADERS)
@pytest.mark.parametrize("value", [None, "", "soon"])
def test_without_all_three_headers_nothing_is_announced(name: str, value: str | None) -> None:
    """Where the headers are missing there is no limit."""
    headers = {k: v for k, v in {**HEADERS, name: value}.items() if v is not None}

    assert Announcement.from_headers(headers) is None


def told(pace: Pace, remaining: int, *, reset: int = 60, limit: int = 100, now: float = 0) -> None:
    """One request and its reply; the window ends at the monotonic time `reset`."""
    pace.start()
    pace.finish(Announcement(limit, remaining, reset), float(reset), now)


def test_nothing_waits_before_a_limit_is_announced() -> None:
    """Neither at the start nor after replies without headers, however many are under way."""
    pace = Pace()
    for _ in range(1000):
        pace.start()
    pace.finish(None, 0.0, 5.0)

    assert pace.delay(5.0) == 0


def test_nothing_waits_while_more_than_the_reserve_is_left() -> None:
    """Waiting earlier would waste the limit."""
    pace = Pace()
    told(pace, 6)

    assert pace.delay(1.0) == 0


def test_the_reserve_is_left_to_other_users_until_the_reset() -> None:
    """A twentieth of 100, rounded up where it does not divide."""
    pace = Pace()
    told(pace, 5)

    assert pace.reserve == 5
    assert pace.delay(10.0) == 50
    assert Pace(limit=20).reserve == 1
    assert Pace(limit=30).reserve == 2


def test_requests_under_way_count_as_used() -> None:
    """Several threads together do not go past the limit either."""
    pace = Pace()
    told(pace, 7)
    pace.start()
    assert pace.delay(0.0) == 0
    pace.start()

    assert pace.delay(0.0) == 60


def test_a_request_that_got_no_reply_is_not_under_way_any_more() -> None:
    """Otherwise resets of the connection would use up the limit for good."""
    pace = Pace()
    told(pace, 6)
    pace.start()
    assert pace.delay(0.0) == 60
    pace.fail()

    assert pace.delay(0.0) == 0


def test_after_the_reset_one_request_looks_whether_the_limit_was_renewed() -> None:
    """The others wait for its reply rather than run into a renewal that lags."""
    pace = Pace()
    told(pace, 5)

    assert pace.delay(60.0) == 0
    pace.start()
    assert pace.delay(60.0) is None
    pace.finish(Announcement(100, 99, 120), 120.0, 60.1)
    assert pace.delay(60.1) == 0


def test_a_renewal_that_lags_is_asked_for_again_within_the_reserve() -> None:
    """The reset comes in whole seconds: the reserve's few requests are spread over one."""
    pace = Pace()
    told(pace, 5)
    told(pace, 4, now=60.0)

    assert pace.delay(60.0) == pytest.approx(0.2)


def test_replies_out_of_order_never_raise_what_is_left() -> None:
    """A slow reply from earlier tells of more than there is now."""
    pace = Pace()
    told(pace, 10)
    told(pace, 50)
    assert pace.remaining == 10
    told(pace, 3, reset=120)
    told(pace, 90, reset=60)

    assert (pace.remaining, pace.reset) == (3, 120)


def test_headers_that_stop_coming_end_the_limit() -> None:
    """No headers, no limit, once the window that was announced is over."""
    pace = Pace()
    told(pace, 0)
    pace.start()
    pace.finish(None, 0.0, 61.0)

    assert pace.delay(61.0) == 0


def test_a_refusal_waits_for_its_reset_however_far_off() -> None:
    """An hour is waited for as well as a second."""
    pace = Pace()
    pace.start()
    pace.refuse(Announcement(100, 0, 3600), 3600.0, 0.0)

    assert pace.delay(1.0) == 3599


def test_a_refusal_that_announces_nothing_waits_a_minute() -> None:
    """Limits are per minute; after it one request goes out alone."""
    pace = Pace()
    pace.start()
    pace.refuse(None, 0.0, 10.0)

    assert pace.delay(10.0) == SECONDS_WITHOUT_RESET == 60
    assert pace.delay(70.0) == 0
    pace.start()
    assert pace.delay(70.0) is None


@dataclass
class Server:
    """A limit in fixed windows, shared with other users of the account."""

    limit: int
    seconds: int
    others: int
    began: float = field(default=0.0)
    used: int = 0
    refused: int = 0

    def take(self, now: float) -> tuple[bool, Announcement]:
        window = int(now // self.seconds) * self.seconds
        if window != self.began:
            self.began, self.used = window, self.others
        passes = self.used < self.limit
        self.used += passes
        self.refused += not passes
        reset = int(window + self.seconds)
        return passes, Announcement(self.limit, self.limit - self.used, reset)


def run_against(
    server: Server, threads: int, requests: int, latency: float, chance: random.Random
) -> float:
    """Let threads share a pace until so many requests are answered; returns the seconds needed."""
    pace, now, answered = Pace(), 0.0, 0
    replies: list[tuple[float, int, bool, Announcement]] = []
    for number in range(100_000):
        if answered >= requests:
            break
        delay = pace.delay(now) if len(replies) < threads else None
        if delay == 0:
            pace.start()
            done = now + latency * chance.uniform(0.5, 1.5)
            heapq.heappush(replies, (done, number, *server.take(now)))
        elif replies and (delay is None or replies[0][0] <= now + delay):
            now, _, passed, announced = heapq.heappop(replies)
            answered += passed
            take = pace.finish if passed else pace.refuse
            take(announced, float(announced.reset), now)
        else:
            now += delay or 0.0
    assert answered >= requests
    return now


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([(100, 60), (20, 2), (7, 3), (1000, 60)]),
    st.integers(1, 6),
    st.sampled_from([0.001, 0.05, 0.4]),
    st.randoms(use_true_random=False),
)
def test_any_limit_is_used_and_never_hit(
    limit: tuple[int, int], threads: int, latency: float, chance: random.Random
) -> None:
    """Never refused, and never more than a window slower than the share that is ours allows."""
    server = Server(*limit, others=0)
    number = limit[0] * 3

    seconds = run_against(server, threads, number, latency, chance)

    ours = limit[0] - Pace(limit=limit[0]).reserve
    windows = -(-number // ours)
    by_latency = number * latency * 1.5
    assert server.refused == 0
    assert seconds <= windows * limit[1] + by_latency


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 60), st.randoms(use_true_random=False))
def test_other_users_of_the_account_are_made_room_for(others: int, chance: random.Random) -> None:
    """What others use shows in what is left, and the limit is still not hit."""
    server = Server(100, 60, others=others, used=others)

    run_against(server, 3, 150, 0.02, chance)

    assert server.refused == 0


def test_a_reply_that_announces_nothing_leaves_the_limit_of_the_window_as_it_is() -> None:
    """A token reply, or a proxy's error, comes from elsewhere."""
    pace = Pace()
    pace.start()
    pace.finish(Announcement(20, 1, 100), renewal=2.0, now=0.0)
    pace.start()

    pace.finish(None, renewal=1.0, now=0.5)

    assert pace.delay(0.5) == 1.5
    pace.start()
    pace.finish(None, renewal=3.0, now=2.5)
    assert pace.limit is None


def test_a_429_without_headers_stops_all_though_others_are_answered_meanwhile() -> None:
    """Several requests may be under way where no limit is announced."""
    pace = Pace()
    for _ in range(2):
        pace.start()

    pace.refuse(None, renewal=1.0, now=0.0)
    pace.finish(None, renewal=1.0, now=0.1)

    assert pace.delay(0.1) == pytest.approx(SECONDS_WITHOUT_RESET - 0.1)


def test_a_second_refusal_in_the_same_window_waits_for_the_same_reset() -> None:
    """And for a second more once that has passed, because resets are whole seconds."""
    pace = Pace()
    for now in (1.0, 2.0):
        pace.start()
        pace.refuse(Announcement(100, 0, 60), 60.0, now)
    assert pace.delay(2.0) == 58

    pace.start()
    pace.refuse(Announcement(100, 0, 60), 60.0, 60.0)

    assert 0 < (pace.delay(60.0) or 0) <= 1


def test_a_renewal_that_does_not_come_is_asked_for_ever_less_often() -> None:
    """`Date`, which tells the server's time, can be ahead of the clock that tells the reset."""
    pace, now, refused = Pace(), 60.0, 0
    while now < 120.0:
        pace.start()
        pace.refuse(Announcement(100, 0, 60), 60.0, now)
        refused += 1
        now += pace.delay(now) or 0.0

    assert refused <= 10
    assert pace.delay(now) == 0
