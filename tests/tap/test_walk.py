"""The walk: every record that exists throughout is returned exactly once, at hardly any cost."""

from __future__ import annotations

import random
from collections.abc import Callable
from math import ceil
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_wootric.pages import MAX_PAGE, OrderError, PageRequest, PageSize
from tap_wootric.walk import Walk

from .list_model import ModelList, Row, assert_each_once, crowd, walk_all


def test_an_even_list_costs_at_most_five_percent_over_one_request_for_fifty() -> None:
    """The overlap that guards against shifts costs one record a page."""
    model = ModelList([Row(60 * i, i) for i in range(20_000)])

    found, _ = walk_all(model)

    assert [row.number for row in found] == list(range(20_000))
    assert len(model.requests) <= 400 * 1.05


@pytest.mark.parametrize(
    ("busiest", "overhead"),
    [(5, 0.03), (60, 0.04), (300, 0.08), pytest.param(2500, 0.25, marks=pytest.mark.long)],
)
def test_busy_seconds_cost_hardly_more_than_quiet_ones(busiest: int, overhead: float) -> None:
    """Where seconds share pages, a page number after an earlier second takes the walk on."""
    chance = random.Random(busiest)
    seconds = [1000 + i for i in range(6000) for _ in range(chance.randint(1, busiest))]
    rows = [Row(second, i) for i, second in enumerate(seconds[:6000])]
    model = ModelList(rows)

    found, _ = walk_all(model)

    assert_each_once(found, rows)
    assert len(model.requests) <= 120 * (1 + overhead)


@pytest.mark.parametrize("cap", [1, 10, 20, 25, 49])
def test_a_server_that_gives_fewer_than_asked_is_understood(cap: int) -> None:
    """A short page is not taken for the end while the server may be capping its pages."""
    rows = [Row(i // 2, i) for i in range(500)]

    found, _ = walk_all(ModelList(rows, cap=cap))

    assert found == rows


@pytest.mark.parametrize(("rows", "requests"), [(0, 1), (9, 2), (49, 2), (50, 2), (51, 2)])
def test_a_short_list_costs_hardly_a_request(rows: int, requests: int) -> None:
    """A first page that is short may be all there is; a second one tells."""
    model = ModelList([Row(i, i) for i in range(rows)])

    found, _ = walk_all(model)

    assert len(found) == rows
    assert len(model.requests) == requests


def walk_with_newest(model: ModelList, between: Callable[[], object] = int) -> list[Row]:
    """Walk a list of which the newest page is asked for beside the first one."""
    walk: Walk[Row] = Walk(None, None, PageSize(50))
    found: list[Row] = []
    while (page := walk.page) is not None:
        rows = model.get(page)
        between()
        if not walk.newest:
            walk.newest = model.get(PageRequest(None, None, 1, 50, "desc"))[::-1]
        found += walk.feed(rows)
    assert walk.overfull == []
    return found


@pytest.mark.parametrize("n", [30, 130, 300, 1000])
def test_the_newest_records_spare_the_page_that_would_show_them_again(n: int) -> None:
    """One answer has shown all that follows the second in which it begins."""
    model = ModelList([Row(10 * i, i) for i in range(n)])

    found = walk_with_newest(model)

    assert found == model.rows
    assert len(model.requests) <= max(ceil((n - 1) / 49), 2)


@pytest.mark.parametrize("quiet", [0, 10, 49])
def test_the_newest_records_spare_the_page_after_a_crowded_second(quiet: int) -> None:
    """They may begin within it, and then show all that follows it."""
    rows = [Row(i, i) for i in range(100)]
    rows += crowd(2000, 5000, spread=False, first=100)
    rows += [Row(6000 + i, 9000 + i) for i in range(quiet)]
    model = ModelList(rows)

    found = walk_with_newest(model)

    assert_each_once(found, rows)
    assert not any(page.order == "asc" and page.since == 5001 for page in model.requests)


def test_a_walk_that_was_shortened_leaves_the_newest_records_to_another() -> None:
    """They lie in the range of that one."""
    model = ModelList([Row(10 * i, i) for i in range(120)])
    walk: Walk[Row] = Walk(None, None, PageSize(50))
    walk.newest = model.rows[70:]
    found = walk.feed(model.get(PageRequest(None, None, 1, 50)))
    walk.shorten(1000)
    while walk.page is not None:
        found += walk.feed(model.get(walk.page))

    assert found == model.rows[:100]


@given(st.randoms(use_true_random=False), st.sampled_from([1, 40, 300]))
def test_with_the_newest_records_met_first_what_stays_is_returned_once(
    chance: random.Random, busiest: int
) -> None:
    """Whatever is added or deleted after they were read."""
    seconds = [i for i in range(400) for _ in range(chance.randint(1, busiest))][:600]
    model = ModelList([Row(second, i) for i, second in enumerate(seconds)])
    steady, added = set(model.rows), iter(range(10**6, 10**7))

    def change() -> None:
        for _ in range(chance.choice([0, 0, 1, 5])):
            if chance.random() < 0.5:
                steady.discard(model.rows.pop(chance.randrange(len(model.rows))))
            else:
                model.rows.append(Row(chance.uniform(0, seconds[-1] + 1), next(added)))

    found = walk_with_newest(model, change)

    assert steady <= set(found)
    assert len(found) == len(set(found))


def test_a_list_in_another_order_is_refused() -> None:
    """Walking on would lose records without a sound."""
    walk: Walk[Row] = Walk(None, None, PageSize(50))

    with pytest.raises(OrderError, match="ascending order"):
        walk.feed([Row(2, 1), Row(1, 2)])


def test_records_outside_the_range_asked_for_are_refused() -> None:
    """A filter that is not honoured would make the walk read the same page for ever."""
    walk: Walk[Row] = Walk(100, None, PageSize(50))

    with pytest.raises(OrderError, match="time range"):
        walk.feed([Row(2, 1)])


shapes = st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from([1, 1, 1, 2, 3, 8, 40, 350])), max_size=30
)


@settings(max_examples=80, deadline=None)
@given(
    shapes,
    st.integers(10, 16),
    st.booleans(),
    st.sampled_from(["reversed", "same"]),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_whatever_comes_and_goes_what_stays_is_returned_once(
    shape: list[tuple[int, int]],
    size: int,
    spread: bool,
    ties: Literal["reversed", "same"],
    is_near: bool,
    chance: random.Random,
) -> None:
    """Any data set, any page size, any interleaving of deletions and insertions.

    Those come anywhere, or just where the walk is.
    """
    rows = [
        row
        for i, (second, n) in enumerate(shape)
        for row in crowd(n, second, spread=spread, first=1000 * i)
    ]
    model = ModelList(list(rows), ties=ties)
    steady = set(rows)
    added = iter(range(10**6, 10**7))

    def change() -> None:
        for _ in range(chance.choice([0, 0, 1, 3])):
            if model.rows and chance.random() < 0.6:
                gone = model.rows.pop(chance.randrange(len(model.rows)))
                steady.discard(gone)
            else:
                begin = model.requests[-1].since if is_near else None
                second = chance.uniform(0, 41) if begin is None else begin + chance.randint(0, 2)
                model.rows.append(Row(second, next(added)))

    found, walk = walk_all(model, size, change)

    assert len(set(found)) == len(found)
    reach = 2 * MAX_PAGE * size
    lost = steady - set(found)
    overfull = {o.second for o in walk.overfull}
    assert {row.second for row in lost} <= overfull
    for second in overfull:
        assert ties == "same" or sum(r.second == second for r in rows) + 200 > reach // 2
