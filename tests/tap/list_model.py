"""A documented list as a model, and a walk over it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from tap_wootric.pages import MAX_PAGE, PageRequest, PageSize
from tap_wootric.walk import Walk


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
