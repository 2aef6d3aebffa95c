"""The walk in an account that changes with every request, most of all just where it is read."""

from __future__ import annotations

import random
from itertools import islice

import pytest

from tap_wootric.pages import PageSize
from tap_wootric.walk import Walk

from .list_model import ModelList, Row, crowd, walk_all

MOST_REQUESTS = 10_000
"""Far more than any of the histories takes."""


def history(chance: random.Random, size: int) -> tuple[list[Row], int]:
    """Quiet stretches and crowded seconds; also returns the second after the last."""
    rows: list[Row] = []
    second = 0
    for _ in range(chance.randint(1, 6)):
        if chance.random() < 0.5:
            for _ in range(chance.randint(1, 60)):
                rows.append(Row(second, len(rows)))
                second += chance.choice([1, 1, 2, 5])
        else:
            n = chance.choice([30, 60, 31 * size, 40 * size, 59 * size, 50 * size])
            rows += crowd(n, second, spread=chance.random() < 0.5, first=len(rows))
            second += 1
    return rows, second


@pytest.mark.parametrize(
    "seed",
    [
        *(100, 122, 128, 321, 395, 468, 491, 507, 633, 644, 712, 713, 1008, 1402, 2203, 3117, 3576),
        *(3683, 4383),
    ],
)
def test_what_stays_is_returned_once_however_much_comes_and_goes(seed: int) -> None:
    """Histories in which other walks have lost records, returned them twice, or not ended."""
    chance = random.Random(seed)
    size = chance.randint(5, 12)
    rows, end = history(chance, size)
    model = ModelList(list(rows), ties=chance.choice(["reversed", "reversed", "same"]))
    rate = chance.choice([0, 0.05, 0.3, 1])
    is_near = chance.random() < 0.5
    chance.choice([None, None, chance.randint(0, end + 1)])
    steady, added = set(rows), iter(range(10**6, 10**7))
    walk: Walk[Row] = Walk(None, None, PageSize(size))
    found: list[Row] = []
    requests = 0
    while (page := walk.page) is not None:
        requests += 1
        assert requests < MOST_REQUESTS
        found += walk.feed(model.get(page))
        while chance.random() < rate * 0.7:
            if model.rows and chance.random() < 0.5:
                steady.discard(model.rows.pop(chance.randrange(len(model.rows))))
                continue
            second = chance.uniform(0, end + 1)
            if is_near and page.since:
                second = page.since + chance.choice([0, 0, 0.5, 1, 1, 2, 3])
            model.rows.append(Row(second, next(added)))

    lost = {row.second for row in steady - set(found)}
    assert len(set(found)) == len(found)
    assert lost <= {second for second, _ in walk.overfull}


def crowds(chance: random.Random, size: int) -> list[Row]:
    """Crowded seconds side by side or with quiet ones before them."""
    rows: list[Row] = []
    second = 0
    for _ in range(chance.randint(1, 4)):
        if chance.random() < 0.6:
            for _ in range(chance.randint(1, 40)):
                rows.append(Row(second, len(rows)))
                second += chance.choice([1, 1, 2])
        pages = chance.choice([3, 20, 29, 30, 31, 40, 55])
        n = pages * size + chance.randint(-size, size)
        rows += crowd(n, second, spread=chance.random() < 0.3, first=len(rows))
        second += 1
    return rows


@pytest.mark.parametrize("seed", range(12))
def test_crowds_in_another_order_for_each_request_are_whole_or_named(seed: int) -> None:
    """Pages are small here, so that the two ends of a second often look like one order."""
    chance = random.Random(seed)
    size = chance.randint(5, 12)
    rows = crowds(chance, size)

    found, walk = walk_all(ModelList(rows, ties="another", chance=chance), size)

    assert len(set(found)) == len(found)
    assert {row.second for row in set(rows) - set(found)} <= {s for s, _ in walk.overfull}


@pytest.mark.parametrize("with_each_request", [0, 3])
def test_what_comes_between_a_crowded_second_and_a_later_record_hides_nothing_of_it(
    with_each_request: int,
) -> None:
    """Page numbers that count from the later record tell nothing then, and are given up."""
    rows = [*crowd(320, 1, spread=False), Row(2, 320), Row(10_000, 321)]
    model = ModelList(list(rows))
    added = (Row(3 + i, 1_000 + i) for i in range(600))

    def add_before_the_last() -> None:
        from_the_end = sum(page.order == "desc" for page in model.requests)
        n = 12 if from_the_end == 1 else with_each_request if from_the_end else 0
        model.rows.extend(islice(added, n))

    found, walk = walk_all(model, 10, add_before_the_last)

    assert set(rows) <= set(found)
    assert len(found) == len(set(found))
    assert (walk.overfull, len(model.requests) < 60) == ([], True)
