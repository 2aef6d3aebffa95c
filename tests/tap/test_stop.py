"""Stopping: a signal is obeyed between two records, and at once while the tap waits."""

from __future__ import annotations

import signal

import pytest

from tap_wootric.stop import InterruptedWait, StopRequest


def test_nothing_stops_without_a_signal() -> None:
    """Neither between records nor in a wait."""
    stop = StopRequest()
    stop.check()
    with stop.interruptible():
        pass


def test_a_signal_waits_for_the_record_that_is_being_written() -> None:
    """It is remembered, and obeyed at the next check."""
    stop = StopRequest()
    stop.request(signal.SIGTERM)

    with pytest.raises(InterruptedWait):
        stop.check()


def test_a_signal_breaks_off_a_wait() -> None:
    """Nobody waits for an hour until the limit's reset."""
    stop = StopRequest()

    with pytest.raises(InterruptedWait), stop.interruptible():
        stop.request(signal.SIGINT)


def test_a_signal_that_came_before_a_wait_keeps_it_from_beginning() -> None:
    """Otherwise one request more would go out."""
    stop = StopRequest()
    stop.request(signal.SIGTERM)
    began = False

    with pytest.raises(InterruptedWait), stop.interruptible():
        began = True

    assert not began


def test_after_a_wait_a_signal_is_remembered_again() -> None:
    """However the wait ended."""
    stop = StopRequest()
    with pytest.raises(KeyError), stop.interruptible():
        raise KeyError

    stop.request(signal.SIGTERM)

    with pytest.raises(InterruptedWait):
        stop.check()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_the_exit_code_names_the_signal(number: int, code: int) -> None:
    """128 + its number, so that a caller sees a failed run."""
    stop = StopRequest()
    stop.request(number)

    with pytest.raises(SystemExit) as caught:
        stop.obey()

    assert caught.value.code == code


def test_a_second_signal_ends_the_process_where_it_stands() -> None:
    """A person who presses Ctrl-C twice means it."""
    stop = StopRequest()
    stop.request(signal.SIGINT)

    with pytest.raises(SystemExit) as caught:
        stop.request(signal.SIGINT)

    assert caught.value.code == 130
