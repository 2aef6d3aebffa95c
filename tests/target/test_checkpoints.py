"""Which STATE is safe, whatever the order in which results arrive."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_birdie.delivery import checkpoints
from target_birdie.delivery.checkpoints import Checkpoints, Result


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


def test_a_state_without_open_records_is_safe_at_once() -> None:
    """It is returned once."""
    tested = Checkpoints()
    tested.add_state({"read": 0})
    assert [tested.take_safe_state(), tested.take_safe_state()] == [{"read": 0}, None]


def test_many_states_behind_an_open_record_do_not_fill_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Some are dropped, but never the newest one."""
    monkeypatch.setattr(checkpoints, "_MOST_STATES", 10)
    tested, first = Checkpoints(), Result()
    for number in range(1000):
        tested.add(Result() if number else first)
        tested.add_state({"read": number})
        assert sum(entry.state is not None for entry in tested._entries) <= 10
    for entry in tested._entries:
        entry.result.is_done = True
    assert tested.take_safe_state() == {"read": 999}


def test_one_open_record_stops_the_reading_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a killed run sends again is bounded."""
    monkeypatch.setattr(checkpoints, "MOST_OPEN", 3)
    tested, results = Checkpoints(), [Result() for _ in range(3)]
    for result in results:
        tested.add(result)
    assert tested.is_full()
    results[0].is_done = True
    assert not tested.is_full()
