"""The low-water mark: which state may be written."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from target_birdie.ledger import Ledger


def test_a_state_waits_for_every_record_before_it() -> None:
    """Records that are settled out of order do not let a state out early."""
    ledger = Ledger()
    first, second = ledger.issue(), ledger.issue()
    ledger.checkpoint({"read": 2})
    ledger.settle([second])

    assert ledger.take_safe_state() is None
    ledger.settle([first])
    assert ledger.take_safe_state() == {"read": 2}


def test_a_state_comes_out_once() -> None:
    """The same state is not written again."""
    ledger = Ledger()
    ledger.checkpoint({"read": 0})

    assert ledger.take_safe_state() == {"read": 0}
    assert ledger.take_safe_state() is None


def test_a_record_can_be_asked_for() -> None:
    """Settled records are known, also those ahead of the mark."""
    ledger = Ledger()
    for _ in range(3):
        ledger.issue()
    ledger.settle([1, 3])

    assert [ledger.is_settled(n) for n in range(4)] == [False, True, False, True]


@given(st.permutations(range(1, 31)), st.sets(st.integers(0, 30)))
def test_no_state_is_ever_ahead(order: list[int], checkpoints: set[int]) -> None:
    """Whatever the order of settling: the newest state whose records are all settled."""
    ledger = Ledger()
    for number in range(31):
        if number:
            ledger.issue()
        if number in checkpoints:
            ledger.checkpoint({"n": number})
    settled: set[int] = set()
    last = -1
    for number in order:
        ledger.settle([number])
        settled.add(number)
        safe = ledger.take_safe_state()
        if safe is not None:
            assert set(range(1, safe["n"] + 1)) <= settled
            assert safe["n"] > last
            last = safe["n"]

    assert max(checkpoints, default=-1) == last


def test_memory_stays_bounded_when_nothing_settles() -> None:
    """A state after every record for a long time keeps the newest and thins out the rest."""
    ledger = Ledger()
    for number in range(20_000):
        ledger.issue()
        ledger.checkpoint({"n": number})
    assert len(ledger._states) <= 1_000
    ledger.settle(range(1, 20_001))

    assert ledger.take_safe_state() == {"n": 19_999}
