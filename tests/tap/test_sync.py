"""One sync's state: what it says of how far the sync has come, and what may still appear there."""

from __future__ import annotations

from typing import Any

from tap_wootric.changes import Row
from tap_wootric.coverage import Section
from tap_wootric.pages import PageSize
from tap_wootric.sync import Sync

SETTLED = 1_700_000_000
"""Before this moment nothing appears any more."""


def row(number: int, second: int) -> Row:
    return Row((number, second), second, second, {"id": number})


def broken_off(state: dict[str, Any], *rows: Row) -> None:
    """A first sync that is interrupted behind these records."""
    sync = Sync(state, "updated_at", PageSize(50))
    (section,) = sync.sections(None, None, moves_on_update=True)
    sync.begin(section)
    assert all(sync.is_new(row, SETTLED) for row in rows)
    sync.save_progress()


def test_an_interrupted_sync_goes_on_from_the_second_that_it_stands_in() -> None:
    """That second is read again, and what was sent of it is known."""
    state: dict[str, Any] = {}
    broken_off(state, row(1, SETTLED - 500), row(2, SETTLED - 400))

    resumed = Sync(state, "updated_at", PageSize(50))

    assert resumed.sections(None, None, moves_on_update=True) == [Section(SETTLED - 400, None)]
    assert not resumed.is_new(row(2, SETTLED - 400), SETTLED)
    assert resumed.is_new(row(3, SETTLED - 400), SETTLED)


def test_an_interrupted_sync_does_not_cover_seconds_in_which_records_may_still_appear() -> None:
    """However far it had come: what becomes visible a moment later is found by the next."""
    state: dict[str, Any] = {}
    broken_off(state, row(1, SETTLED - 500), row(2, SETTLED + 30))

    resumed = Sync(state, "updated_at", PageSize(50))

    assert resumed.sections(None, None, moves_on_update=True) == [Section(SETTLED, None)]
    assert resumed.is_new(row(3, SETTLED + 10), SETTLED + 60)
    assert not resumed.is_new(row(2, SETTLED + 30), SETTLED + 60)


def test_a_state_of_another_replication_key_says_nothing() -> None:
    """Its bookmark is a moment of another kind."""
    state: dict[str, Any] = {"replication_key": "created_at", "replication_key_value": "2024-01-01"}

    sync = Sync(state, "updated_at", PageSize(50))

    assert sync.sections(None, None, moves_on_update=True) == [Section(None, None)]
    assert state == {}


def test_an_interrupted_look_back_takes_no_import_for_sent_that_it_has_not_met() -> None:
    """The highest id tells what was imported since; that of another import must not hide it."""
    state: dict[str, Any] = {}
    first = Sync(state, "created_at", PageSize(50))
    first.begin(Section(None, None))
    assert first.is_new(row(300, SETTLED - 100), SETTLED)
    first.end()
    first.complete()
    second = Sync(state, "created_at", PageSize(50))
    second.begin(Section(SETTLED - 900, None))
    assert second.is_new(row(302, SETTLED - 800), SETTLED)
    assert second.is_new(row(303, SETTLED - 750), SETTLED)
    second.save_progress()

    third = Sync(state, "created_at", PageSize(50))

    assert third.is_new(row(301, SETTLED - 700), SETTLED)
    assert not third.is_new(row(302, SETTLED - 800), SETTLED)
    assert not third.is_new(row(303, SETTLED - 750), SETTLED)
    assert not third.is_new(row(300, SETTLED - 100), SETTLED)


def test_an_interrupted_sync_knows_no_less_than_the_one_before() -> None:
    """Though it may have learned less of the server's clock: nothing is sent again for that."""
    state: dict[str, Any] = {}
    first = Sync(state, "created_at", PageSize(50))
    first.begin(Section(None, None))
    assert first.is_new(row(9, SETTLED - 20), SETTLED)
    first.end()
    first.complete()
    second = Sync(state, "created_at", PageSize(50))
    second.begin(Section(None, None, SETTLED - 20))
    assert second.is_new(Row((1, 700), 700, SETTLED, {"id": 1}), SETTLED - 80)
    second.save_progress()

    third = Sync(state, "created_at", PageSize(50))

    assert not third.is_new(Row((4, 500), 500, SETTLED - 50, {"id": 4}), SETTLED)
    assert third.is_new(Row((4, 500), 500, SETTLED - 10, {"id": 4}), SETTLED)
