"""A list of the documented API in memory, and random changes between requests."""

import random
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from hypothesis import strategies as st

from tap_wootric.pagination.pages import MAX_PAGE, PageRequest


class Record(NamedTuple):
    """A record with a stored time that may be finer than the second shown."""

    stored: float
    identity: int

    @property
    def timestamp(self) -> int:
        return int(self.stored)


def _stored(record: Record) -> float:
    return record.stored


Order = Literal["reversed", "same", "random", "by page"]


@dataclass
class ModelApi:
    """Filters, sorts and cuts pages as documented; `records` are sorted by stored time.

    Records with equal times keep one order, which `desc` reverses ("reversed") or not ("same"), or
    their order differs for each request ("random") or for each number and size ("by page").
    `gte` and `lt` return the same whether the API compares whole seconds or stored times.
    """

    records: list[Record]
    limit: int = 50
    order: Order = "reversed"
    change: Callable[[PageRequest], object] = lambda page: None
    requests: list[PageRequest] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fetch(self, page: PageRequest) -> list[Record]:
        assert 1 <= page.number <= MAX_PAGE
        with self.lock:
            self.requests.append(page)
            assert len(self.requests) < 5_000, "endless loop"
            found = self._sort(page, self.between(page.since, page.until))
            self.change(page)
        size = min(page.size, self.limit)
        return found[(page.number - 1) * size : page.number * size]

    def between(self, since: int | None, until: int | None) -> list[Record]:
        low = 0 if since is None else bisect_left(self.records, since, key=_stored)
        high = None if until is None else bisect_left(self.records, until, key=_stored)
        return self.records[low:high]

    def _sort(self, page: PageRequest, found: list[Record]) -> list[Record]:
        if self.order in {"random", "by page"}:
            place = page.number * page.size
            random.Random(len(self.requests) if self.order == "random" else place).shuffle(found)
            found.sort(key=_stored)
        if page.descending and self.order == "same":
            return sorted(found, key=_stored, reverse=True)
        return found[::-1] if page.descending else found


@dataclass
class Churn:
    """Inserts, deletes and moves records between requests, mostly where the paginator reads."""

    api: ModelApi
    rng: random.Random
    rate: float
    kinds: tuple[str, ...]

    def __post_init__(self) -> None:
        self.unchanged = set(self.api.records)
        self.latest = max(map(_stored, self.unchanged), default=0)
        self.moves: dict[int, list[Record]] = {}
        self.inserted = 10**6

    def __call__(self, page: PageRequest) -> None:
        while self.rng.random() < self.rate:
            is_near = page.since is not None and self.rng.random() < 0.7
            near = page.since or 0 if is_near else self.rng.uniform(0, self.latest + 2)
            records = self.api.between(int(near) - 2, int(near) + 2)
            kind = self.rng.choice(self.kinds)
            if kind == "insert":
                self.inserted += 1
                self._add(Record(near + self.rng.choice([0, 0, 0.3, 1, 2]), self.inserted))
            elif records:
                record = self.rng.choice(records)
                self.api.records.remove(record)
                self.unchanged.discard(record)
                history = self.moves.pop(record.identity, [record])
                if kind == "move" and record.identity < self.inserted:
                    moved = record._replace(
                        stored=max(record.stored, self.latest) + self.rng.uniform(1, 3)
                    )
                    self.moves[record.identity] = [*history, moved]
                    self._add(moved)

    def _add(self, record: Record) -> None:
        bisect = self.rng.choice([bisect_left, bisect_right])
        self.api.records.insert(bisect(self.api.records, record.stored, key=_stored), record)

    def lost(self, found: list[Record], reported: set[int], until: int | None) -> set[Record]:
        """Return records that always existed, but were neither delivered nor reported."""
        end = 10**10 if until is None else until
        delivered = set(found)
        histories = [[record] for record in self.unchanged]
        histories += [moves for moves in self.moves.values() if moves[0].identity < 10**6]
        return {
            history[0]
            for history in histories
            if history[-1].timestamp < end
            and delivered.isdisjoint(history)
            and reported.isdisjoint(record.timestamp for record in history)
        }


def crowd(n: int, second: int, *, spread: bool = False, first: int = 0) -> list[Record]:
    """`n` records of one second, with equal stored times or with fractions."""
    return [Record(second + (i / (n + 1) if spread else 0), first + i) for i in range(n)]


def records_at(seconds: list[int]) -> list[Record]:
    return [Record(second, identity) for identity, second in enumerate(sorted(seconds))]


Shape = list[tuple[int, int, bool]]


def shapes(most: int, sizes: Sequence[int] = ()) -> st.SearchStrategy[Shape]:
    """Gap in front, number of records, whether with fractions; for up to `most` seconds."""
    sizes = [1, 1, 2, 3, 8, 20, 25, 49, 50, 51, 75, 99, 100, 150, *sizes]
    second = st.tuples(st.sampled_from([1, 1, 1, 2, 5]), st.sampled_from(sizes), st.booleans())
    return st.lists(second, max_size=most)


def history(shape: Shape) -> list[Record]:
    records: list[Record] = []
    second = 1000
    for gap, n, spread in shape:
        second += gap
        records += crowd(n, second, spread=spread, first=len(records))
    return records
