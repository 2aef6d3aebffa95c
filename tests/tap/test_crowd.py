"""Crowded seconds in the walk: read from both ends, whole or named, whatever the order of ties."""

from __future__ import annotations

from math import ceil
from typing import Literal

import pytest

from tap_wootric.pages import PageSize
from tap_wootric.walk import OverfullSecond, Walk

from .list_model import ModelList, Row, assert_each_once, crowd, walk_all


@pytest.mark.parametrize("spread", [False, True])
@pytest.mark.parametrize("n", [51, 1499, 1500, 1501, 2000, 2950, 2999])
def test_a_crowded_second_is_read_from_both_ends(n: int, spread: bool) -> None:
    """Up to 3,000 records in one second, with the same or with different fractions."""
    rows = [Row(10 * i, -i - 1) for i in range(100)]
    rows += crowd(n, 5000, spread=spread)
    rows += [Row(6000 + i, 10_000 + i) for i in range(60)]

    found, walk = walk_all(ModelList(rows))

    assert_each_once(found, rows)
    assert walk.overfull == []


@pytest.mark.parametrize(
    ("n", "quiet"),
    [(500, 1000), (1000, 10), (2000, 10), (2000, 300), (2000, 1000), (2900, 50), (2900, 1000)],
)
def test_a_crowded_second_between_quiet_ones_costs_at_most_five_percent(n: int, quiet: int) -> None:
    """Page numbers can be counted from the seconds around it, so each page overlaps by one."""
    rows = [Row(10 * i, -i - 1) for i in range(quiet)]
    rows += crowd(n, 20_000, spread=False)
    rows += [Row(30_000 + 10 * i, 10_000 + i) for i in range(quiet)]
    model = ModelList(rows)

    found, _ = walk_all(model)

    assert_each_once(found, rows)
    assert len(model.requests) <= ceil(len(rows) / 50) * 1.05


@pytest.mark.parametrize("n", [3001, 3500, 9000])
def test_beyond_what_the_api_shows_everything_else_is_delivered_and_the_second_named(
    n: int,
) -> None:
    """An overfull second is reported, and does not stop the walk."""
    rows = [Row(1, -1), *crowd(n, 5000, spread=True), *crowd(2000, 6000, spread=True, first=n)]

    found, walk = walk_all(ModelList(rows))

    assert len(set(found)) == len(found) == 1 + 3000 + 2000
    assert walk.overfull == [OverfullSecond(5000, 3000)]


def test_ties_that_keep_their_order_in_both_directions_are_not_taken_for_complete() -> None:
    """The order of equal times is undocumented: the second end must prove that it is another."""
    rows = [Row(1, -1), *crowd(2000, 5000, spread=False)]

    found, walk = walk_all(ModelList(rows, ties="same"))

    assert len(found) == len(set(found))
    assert [overfull.second for overfull in walk.overfull] == [5000]


@pytest.mark.parametrize("n", [1450, 1499])
def test_ties_in_one_order_are_complete_where_page_numbers_reach_beyond_them(n: int) -> None:
    """The second end can't be met then, and need not be."""
    rows = [Row(10 * i, -i - 1) for i in range(100)]
    rows += [*crowd(n, 5000, spread=False), Row(6000, 10_000)]
    model = ModelList(rows, ties="same")

    found, walk = walk_all(model)

    assert_each_once(found, rows)
    assert walk.overfull == []
    assert len(model.requests) <= ceil(len(rows) / 50) * 1.05 + 2


@pytest.mark.parametrize("ties", ["another", "place"])
@pytest.mark.parametrize("n", [49, 50, 51, 60, 120, 400])
def test_ties_in_an_order_of_their_own_for_each_request_are_read_until_none_is_missing(
    ties: Literal["another", "place"], n: int
) -> None:
    """A page then repeats some and leaves out others; its number tells how many there must be."""
    rows = [Row(10 * i, -i - 1) for i in range(100)]
    rows += crowd(n, 5000, spread=False)
    rows += [Row(6000 + i, 10_000 + i) for i in range(60)]

    found, walk = walk_all(ModelList(list(rows), ties=ties))

    assert_each_once(found, rows)
    assert walk.overfull == []


@pytest.mark.parametrize("ties", ["another", "place"])
def test_too_many_ties_in_an_order_of_their_own_are_not_taken_for_complete(
    ties: Literal["another", "place"],
) -> None:
    """Where numbers end, nothing tells whether all were shown; the walk goes on all the same."""
    rows = [
        Row(1, -1),
        *crowd(2000, 5000, spread=False),
        Row(6000, -2),
        *crowd(60, 7000, spread=False, first=5000),
    ]

    found, walk = walk_all(ModelList(list(rows), ties=ties))

    lost = set(rows) - set(found)
    (overfull,) = walk.overfull
    assert overfull == OverfullSecond(5000, 2000 - len(lost))
    assert {row.second for row in lost} <= {5000}
    assert len(found) == len(set(found))


def test_a_record_that_no_page_shows_is_missed_aloud() -> None:
    """Page numbers count it; after some rounds its second is named, and the walk goes on."""
    rows = [*crowd(120, 5000, spread=False), Row(6000, -2)]
    model = ModelList(list(rows))
    hidden, shown = rows[60], rows[0]

    walk: Walk[Row] = Walk(None, None, PageSize(50))
    found: list[Row] = []
    while (page := walk.page) is not None:
        found += walk.feed([shown if row == hidden else row for row in model.get(page)])

    assert set(found) == set(rows) - {hidden}
    assert walk.overfull == [OverfullSecond(5000, 119)]


def test_a_crowded_second_may_be_the_last_of_a_range() -> None:
    """It is read from its end as well, and nothing after the range is asked for."""
    rows = [Row(1, -1), *crowd(2000, 5000, spread=False)]
    model = ModelList([*rows, Row(5001, 10_000)])
    walk: Walk[Row] = Walk(None, 5001, PageSize(50))
    found: list[Row] = []
    while (page := walk.page) is not None:
        found += walk.feed(model.get(page))

    assert_each_once(found, rows)
    assert walk.overfull == []
    assert {page.until for page in model.requests} == {5001}
