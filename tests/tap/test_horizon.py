"""The horizon: how far back the source can't change any more, whatever its clock shows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_wootric.changes import Row
from tap_wootric.horizon import NEWEST_KEPT, QUIET, VISIBILITY_LAG, Horizon, LastChange

moments = st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 500)), min_size=1)


@given(moments, st.integers(-5_000, 5_000), st.integers(0, 10_000))
def test_no_change_after_it_was_asked_lies_before_it(
    read: list[tuple[int, int]], clock_ahead: int, asked: int
) -> None:
    """Whatever was read before, and however wrong the clock; records stamp a time of their own."""
    horizon = Horizon()
    for moment, age in read:
        horizon.meet(moment + clock_ahead, [moment - age])

    is_clock_behind = clock_ahead < 0
    assert horizon.settled(asked + clock_ahead) <= asked - VISIBILITY_LAG or is_clock_behind
    assert horizon.settled(asked + clock_ahead) <= asked + clock_ahead - VISIBILITY_LAG


def test_an_active_account_is_known_up_to_a_minute_ago() -> None:
    """A record of this very moment shows that the clock is right."""
    horizon = Horizon()
    horizon.meet(10_000, [9_000, 10_000])

    assert horizon.settled(20_000) == 20_000 - VISIBILITY_LAG


def test_records_dated_in_the_future_tell_nothing() -> None:
    """Otherwise nothing would be a change until then."""
    horizon = Horizon()
    horizon.meet(10_000, [10**9, 9_500])

    assert horizon.ahead == 500


def test_the_newest_records_are_the_end_of_the_list_for_a_moment() -> None:
    """What is added later than that belongs into the same sync, if it goes on for so long."""
    horizon = Horizon()
    newest = [Row((1, 9_000), 9_000, 9_000, {})]

    assert horizon.ending(10_000) == ()
    horizon.meet_newest(10_000, newest)
    assert horizon.ending(10_000 + NEWEST_KEPT) == newest
    assert horizon.ending(10_000 + NEWEST_KEPT + 1) == ()


@pytest.mark.parametrize(
    ("passed", "is_dated", "settled"),
    [
        (QUIET, True, 5_001),
        (QUIET - 1, True, 5_000 - VISIBILITY_LAG),
        (QUIET, False, 5_000 - VISIBILITY_LAG),
    ],
)
def test_what_an_earlier_sync_has_met_is_settled_some_time_after(
    passed: int, is_dated: bool, settled: int
) -> None:
    """A quiet account shows nothing newer; by the server's clock it is certain all the same."""
    horizon = Horizon(LastChange(5_000, met=6_000))
    horizon.meet(6_000 + passed, [5_000])

    assert horizon.settled(6_000 + passed, is_dated=is_dated) == settled


def test_the_next_sync_is_told_when_a_change_was_first_met() -> None:
    """Syncs that follow each other at short intervals would otherwise never be sure of it."""
    horizon = Horizon(LastChange(5_000, met=6_000))
    assert horizon.last_change(6_300) == (5_000, 6_000)
    horizon.meet(6_300, [5_000])
    assert horizon.last_change(6_300) == (5_000, 6_000)
    horizon.meet(6_300, [5_100])
    assert horizon.last_change(6_300) == (5_100, 6_300)
