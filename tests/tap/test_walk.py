"""The walk: every record that exists throughout is returned exactly once, at hardly any cost."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil
from typing import Literal, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_wootric.pages import MAX_PAGE, OrderError, PageRequest, PageSize
from tap_wootric.walk import OverfullSecond, Walk


class Row(NamedTuple):
    """A record of the model list: stored time with a fraction, shown as a second."""

    stored: float
    number: int

    @property
    def second(self) -> int:
        return int(self.stored)

    @property
    def version(self) -> tuple[int, int]:
        return self.number, self.second


@dataclass
class ModelList:
    """The documented list as a model: filters, order, page limits, records of equal times.

    Those come in insertion order and with `sort_order` reversed, or the `same` in both directions,
    or in `another` order for each request, or in one that depends on the `place` of a page, as a
    database has it that sorts no more than it must.
    """

    rows: list[Row]
    cap: int = 50
    ties: Literal["reversed", "same", "another", "place"] = "reversed"
    requests: list[PageRequest] = field(default_factory=list)
    chance: random.Random = field(default_factory=lambda: random.Random(1))

    def get(self, page: PageRequest) -> list[Row]:
        assert 1 <= page.number <= MAX_PAGE
        self.requests.append(page)
        rows = [
            row
            for row in self.rows
            if (page.since is None or row.stored >= page.since)
            and (page.until is None or row.stored < page.until)
        ]
        if self.ties == "another":
            self.chance.shuffle(rows)
        if self.ties == "place":
            random.Random(page.number * page.size).shuffle(rows)
        ordered = sorted(rows, key=lambda row: row.stored)
        if page.order == "desc" and self.ties == "same":
            ordered = sorted(rows, key=lambda row: -row.stored)
        elif page.order == "desc":
            ordered = ordered[::-1]
        size = min(page.size, self.cap)
        return ordered[(page.number - 1) * size : page.number * size]


def walk_all(
    model: ModelList, size: int = 50, between: Callable[[], object] = int
) -> tuple[list[Row], Walk[Row]]:
    walk: Walk[Row] = Walk(None, None, PageSize(size))
    found: list[Row] = []
    while (page := walk.page) is not None:
        found += walk.feed(model.get(page))
        between()
        assert len(model.requests) < 20_000
    return found, walk


def crowd(n: int, second: int, *, spread: bool, first: int = 0) -> list[Row]:
    return [Row(second + (i / (n + 1) if spread else 0), first + i) for i in range(n)]


def assert_each_once(found: list[Row], rows: list[Row]) -> None:
    """Second after second; in which order within one is left open."""
    assert [row.second for row in found] == [row.second for row in rows]
    assert sorted(found) == sorted(rows)


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
