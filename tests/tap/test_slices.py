"""Slices: a long history read side by side leaves whole, once and in order, at hardly a cost."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_wootric.pages import PageSize
from tap_wootric.slices import READ_AHEAD, Slice, Slices
from tap_wootric.walk import Walk
from tests.tap.list_model import ModelList, Row, assert_each_once

NOW = 10_000_000


def read_side_by_side(
    model: ModelList, chance: random.Random, *, readers: int = 4, until: int | None = None
) -> tuple[list[Row], int]:
    """Play readers in a random order, without threads; returns the rows and the most waiting."""
    page_size = PageSize(50)
    walk: Walk[Row] = Walk(None, until, page_size)
    found: list[Row] = []
    while walk.page is not None and (len(model.requests) < 4 or walk.density is None):
        found += walk.feed(model.get(walk.page))
    if walk.page is None:
        return found, 0
    slices: Slices[Row] = Slices(walk, page_size, now=NOW, readers=readers)
    busy: list[Slice[Row] | None] = [None] * readers
    most_waiting = 0
    while (head := slices.head) is not None:
        if head.waiting and chance.random() < 0.5:
            found += slices.leave(head)
        number = chance.randrange(readers)
        piece = busy[number] = busy[number] or slices.take()
        if piece is not None and piece.walk.page is not None and slices.may_read(piece):
            slices.add(piece, piece.walk.feed(model.get(piece.walk.page)))
        if piece is not None and piece.is_done:
            busy[number] = None
        most_waiting = max(most_waiting, slices.waiting)
    return found, most_waiting


def rows_at(seconds: list[int]) -> list[Row]:
    return [Row(second, number) for number, second in enumerate(sorted(seconds))]


@pytest.mark.long
def test_an_even_history_costs_hardly_a_request_more() -> None:
    """All requests together stay within 5 % of one for every 50 records."""
    rows = rows_at([500 * i for i in range(20_000)])
    model = ModelList(rows)

    found, _ = read_side_by_side(model, random.Random(1))

    assert found == rows
    assert len(model.requests) <= 400 * 1.05


@pytest.mark.long
def test_a_slice_a_hundred_times_denser_keeps_memory_bounded_and_is_shared() -> None:
    """What is read ahead of its turn is bounded however unevenly the data lies."""
    thin = [1000 * i for i in range(4000)]
    dense = [4_000_000 + 10 * i for i in range(20_000)]
    rows = rows_at([*thin, *dense, *(5_000_000 + 1000 * i for i in range(2000))])
    model = ModelList(rows)

    found, most_waiting = read_side_by_side(model, random.Random(2))

    assert found == rows
    assert most_waiting <= READ_AHEAD * 1.1
    assert len(model.requests) <= len(rows) / 50 * 1.07


@pytest.mark.parametrize("readers", [1, 2, 7])
def test_any_number_of_readers_gives_the_same(readers: int) -> None:
    """How many read side by side changes nothing but the time."""
    chance = random.Random(readers)
    rows = rows_at([chance.randrange(9_000_000) for _ in range(6000)])

    found, _ = read_side_by_side(ModelList(rows), chance, readers=readers)

    assert found == rows


@pytest.mark.parametrize(
    ("asked", "record_bytes", "at_work"), [(4, 500, 4), (16, 500, 7), (16, 4_000, 2)]
)
def test_no_more_readers_work_than_have_room_for_what_they_read(
    asked: int, record_bytes: int, at_work: int
) -> None:
    """Too many would fill the room with beginnings, and then wait while one reads on alone."""
    walk: Walk[Row] = Walk(0, None, PageSize(50))

    slices = Slices(walk, PageSize(50), now=NOW, readers=asked, record_bytes=record_bytes)

    assert slices.readers == at_work


def test_a_history_goes_on_once_what_was_read_ahead_of_its_turn_has_left() -> None:
    """While there is no room for more nothing is cut, though the slice at hand has been read."""
    rows = rows_at([1000 * i for i in range(10_000)])
    model, page_size = ModelList(rows), PageSize(50)
    walk: Walk[Row] = Walk(0, None, page_size)
    found: list[Row] = []
    while walk.page is not None and walk.density is None:
        found += walk.feed(model.get(walk.page))
    slices: Slices[Row] = Slices(walk, page_size, now=NOW, readers=1, record_bytes=100_000)

    while (head := slices.head) is not None:
        assert slices.take() is head
        while head.walk.page is not None:
            slices.add(head, head.walk.feed(model.get(head.walk.page)))
        assert slices.take() is None
        while head.waiting:
            found += slices.leave(head)

    assert found == rows


gaps = st.lists(
    st.tuples(st.integers(0, 900_000), st.sampled_from([1, 5, 60, 400, 1600])), max_size=9
)


@settings(max_examples=25, deadline=None)
@given(gaps, st.sampled_from([0, 1, 3, 200]), st.randoms(use_true_random=False), st.booleans())
def test_any_history_leaves_whole_once_and_in_order(
    bursts: list[tuple[int, int]], spacing: int, chance: random.Random, is_open: bool
) -> None:
    """Bursts, gaps, crowded seconds, an end or none, any order in which readers get ahead."""
    begin, seconds = 0, []
    for gap, number in bursts:
        begin += gap
        seconds += [begin + spacing * i for i in range(number)]
        begin += max(spacing * number, 1)  # two bursts in one second may be too many for it
    seconds = [second for second in seconds if second < NOW - 1]
    rows = rows_at(seconds)
    until = None if is_open else NOW // 2
    model = ModelList(rows)

    found, _ = read_side_by_side(model, chance, until=until)

    assert_each_once(found, [row for row in rows if until is None or row.second < until])
