"""Clock: the server's time is known from its replies, whatever the local clock says."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_wootric.clock import ServerClock


def date(second: float) -> str:
    """A `Date` header."""
    return formatdate(second, usegmt=True)


def test_nothing_is_known_before_the_first_reply() -> None:
    """A guess would be the local clock, which may be wrong."""
    clock = ServerClock()

    assert (clock.latest, clock.monotonic(5)) == (None, None)


@pytest.mark.parametrize("header", [None, "", "soon", "Thu, 99 Foo 2024 00:00:00 GMT"])
def test_a_reply_without_a_readable_date_tells_nothing(header: str | None) -> None:
    """Proxies strip or mangle headers; the sync goes on."""
    clock = ServerClock()
    clock.observe(header, 1.0)

    assert clock.latest is None


def test_the_latest_time_only_grows() -> None:
    """Replies arrive out of order."""
    clock = ServerClock()
    for second in (1000, 1007, 1003):
        clock.observe(date(second), float(second))

    assert clock.latest == 1007


@given(st.lists(st.tuples(st.floats(0, 600), st.floats(0, 5)), min_size=1), st.integers(0, 600))
def test_a_second_is_never_taken_for_begun_too_early(
    replies: list[tuple[float, float]], ahead: int
) -> None:
    """Whatever the latency and the fractions that headers cut off, a reset is awaited."""
    offset = 1_700_000_000.25  # what the server's clock is ahead of the monotonic one
    clock = ServerClock()
    for sent, latency in replies:
        clock.observe(date(int(offset + sent)), sent + latency)
    second = 1_700_000_000 + ahead

    estimate = clock.monotonic(second)

    assert estimate is not None
    assert estimate >= second - offset
    assert estimate <= second - offset + 1 + min(latency for _, latency in replies)
