"""Facts about the state that random histories rarely show."""

import pytest

from tap_wootric.state import fingerprints, intervals
from tap_wootric.state.intervals import Interval, Range, SyncedIntervals
from tap_wootric.state.sync_state import SyncState
from tap_wootric.timestamps import from_unix

from ..helpers import Json
from .source import DAY, START, Source, Stored, sync

VALID: Json = {"replication_key": "created_at", "replication_key_value": "2024-01-31T09:00:00Z"}


@pytest.fixture
def source() -> Source:
    """Sixty responses of the last sixty days."""
    source = Source()
    for day in range(60, 0, -1):
        source.add(START - day * DAY, START - day * DAY)
    return source


@pytest.mark.parametrize("updated_filter", ["honored", "ignored"])
def test_a_record_with_an_unreadable_time_of_change_counts_as_changed(
    source: Source, updated_filter: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is sent again if its content has changed."""
    shown = Stored.shown
    monkeypatch.setattr(Stored, "shown", lambda row: {**shown(row), "updated_at": "soon"})
    source.updated_filter = updated_filter
    state = sync(source).states[-1]
    source.rows[58].change(source.now)

    run = sync(source, state)

    assert run.ids == [58]
    for _ in range(3):
        source.now += 700
        added = source.add(source.now, source.now)
        run = sync(source, run.states[-1])
        assert run.ids == [added]


def test_a_list_without_readable_times_ends_the_stream(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.add_group(1_600, START - DAY)
    shown = Stored.shown
    monkeypatch.setattr(Stored, "shown", lambda row: {**shown(row), "created_at": "soon"})

    run = sync(source, page_size=50)

    assert run.end == "complete"
    assert source.requests < 40


def test_a_stopped_first_sync_resumes_where_it_stopped(source: Source) -> None:
    stopped = sync(source, None, ("stop", 40))
    before = source.requests

    rest = sync(source, stopped.states[-1])

    assert stopped.ids + rest.ids == sorted(source.rows)
    assert len(stopped.states[-1]["bookmarks"]["responses"]["recent"]) < 5
    assert source.requests - before <= 3


def test_a_bookmark_of_another_replication_key_is_ignored() -> None:
    state = {**VALID, "replication_key": "updated_at"}

    ranges = SyncState(state, "created_at", START).ranges(None, None, asks_updates=True)

    assert ranges == [Range(None, None)]


def test_a_start_date_that_moves_with_every_run_leaves_a_short_state(source: Source) -> None:
    state, end = None, from_unix(START - 5 * DAY)
    for day in range(55, 25, -1):
        source.now += 700
        source.rows[50].change(source.now)
        start = from_unix(START - day * DAY)
        run = sync(source, state, start_date=start, end_date=end)
        state = run.states[-1]
        assert day == 55 or run.ids == [50]

    assert len(state["bookmarks"]["responses"]["intervals"]) <= intervals.MAX_INTERVALS
    assert sync(source, state).ids == [*range(1, 6), *range(56, 61)]


def test_beyond_the_limit_intervals_merge_to_the_earlier_known_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(intervals, "MAX_INTERVALS", 2)
    synced = SyncedIntervals()
    for since, known_at in ((0, 60), (10, 50), (20, 70)):
        synced.cover(since, since + 10, known_at)

    assert synced.items == [Interval(0, 20, 50), Interval(20, 30, 70)]


def test_beyond_the_limit_of_fingerprints_records_are_repeated_and_none_is_lost(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fingerprints, "MAX_FINGERPRINTS", 40)
    for i in range(100):
        source.add(START + i / 10, START + i / 10)
    source.now += 11
    state = sync(source).states[-1]

    again = sync(source, state)

    assert len(state["bookmarks"]["responses"]["recent"]) == 40
    assert again.ids == list(range(61, 121))
