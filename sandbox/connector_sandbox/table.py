"""Records in memory, kept sorted so that a page of a list costs a bisection and no sort."""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass, field
from itertools import islice
from math import inf
from random import Random
from typing import TYPE_CHECKING, Any

from connector_sandbox.times import microseconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Data = dict[str, Any]
Key = float | str


KEYS: dict[str, Callable[[Data], Any]] = {
    "created_at": lambda data: microseconds(data["created_at"]),
    "updated_at": lambda data: microseconds(data["updated_at"]),
    "email": lambda data: data.get("email") or "",
}


class Record:
    """One stored object. A change replaces `data`, so that a shallow copy stays as it was."""

    __slots__ = ("data", "keys", "rendered", "sequence")

    def __init__(self, sequence: int, data: Data, keys: dict[str, Any]) -> None:
        self.sequence = sequence
        self.data = data
        self.keys = keys
        self.rendered: tuple[object, bytes] | None = None


Entry = tuple[Key, int, Record]


@dataclass(frozen=True)
class Range:
    """Microseconds from `low` up to, not including, `high`."""

    low: float = -inf
    high: float = inf


@dataclass(frozen=True)
class Selection:
    """Which records of a table, in which order, and which part of them."""

    key: str = "created_at"
    descending: bool = False
    ties: str = "reversed"
    ranges: dict[str, Range] = field(default_factory=dict)
    equal: dict[str, object] = field(default_factory=dict)
    offset: int = 0
    limit: int = 50

    @property
    def end(self) -> int:
        """Position behind the last record wanted."""
        return self.offset + self.limit


class Index:
    """Entries in ascending order of (key, order of insertion)."""

    def __init__(self, entries: list[Entry] | None = None) -> None:
        self.entries: list[Entry] = entries or []

    def add(self, key: Key, record: Record) -> None:
        """Insert one record at its place."""
        insort(self.entries, (key, record.sequence, record))

    def remove(self, key: Key, record: Record) -> None:
        """Take out a record that was added under this key."""
        del self.entries[bisect_left(self.entries, (key, record.sequence))]

    def window(self, bounds: Range | None) -> tuple[int, int]:
        """First position within the bounds, and the one behind the last."""
        if bounds is None:
            return 0, len(self.entries)
        first, last = (bisect_left(self.entries, (key,)) for key in (bounds.low, bounds.high))
        return first, max(first, last)

    def positions(self, selection: Selection, wanted: int | None) -> Sequence[int]:
        """Positions in the order of the selection; not all, where the first `wanted` will do."""
        first, last = self.window(selection.ranges.get(selection.key))
        if selection.ties == "place":
            return self._shuffled(first, last, selection)
        if not selection.descending:
            return range(first, last)
        if selection.ties == "reversed":
            return range(last - 1, first - 1, -1)
        return self._descending_groups(first, last, last - first if wanted is None else wanted)

    def _shuffled(self, first: int, last: int, selection: Selection) -> list[int]:
        """As a database has it that sorts no more than the page needs."""
        chance = Random(selection.end).random
        places = [(self.entries[i][0], chance(), i) for i in range(first, last)]
        return [i for *_, i in sorted(places, reverse=selection.descending)]

    def _descending_groups(self, first: int, last: int, wanted: int) -> list[int]:
        found: list[int] = []
        while last > first and len(found) < wanted:
            start = bisect_left(self.entries, (self.entries[last - 1][0],))
            found.extend(range(start, last))
            last = start
        return found


class Table:
    """The records of one stream, by id and in every order in which the API lists them."""

    def __init__(self, orders: Iterable[str]) -> None:
        self._records: dict[int, Record] = {}
        self._indexes = {name: Index() for name in orders}
        self._sequence = 0
        self._highest_id = 0

    def __len__(self) -> int:
        return len(self._records)

    def next_id(self) -> int:
        """An id above every id so far, deleted ones too."""
        return self._highest_id + 1

    def all(self) -> list[Data]:
        """Every record's data in order of insertion."""
        return [dict(record.data) for record in self._records.values()]

    def get(self, record_id: int) -> Record:
        """One record.

        Raises:
            KeyError: there is none with this id.
        """
        return self._records[record_id]

    def load(self, rows: Iterable[Data]) -> None:
        """Add many rows with one sort an index."""
        records = [self._register(row) for row in rows]
        for name, index in self._indexes.items():
            index.entries.extend((record.keys[name], record.sequence, record) for record in records)
            index.entries.sort()

    def insert(self, data: Data) -> Record:
        """Add one row."""
        record = self._register(data)
        for name, index in self._indexes.items():
            index.add(record.keys[name], record)
        return record

    def replace(self, record: Record, data: Data) -> None:
        """Give a record new data, and its new place in every order."""
        keys = self._keys(data)
        for name, index in self._indexes.items():
            if record.keys[name] != keys[name]:
                index.remove(record.keys[name], record)
                index.add(keys[name], record)
        record.data, record.keys, record.rendered = data, keys, None

    def delete(self, record_id: int) -> Record:
        """Take out a record.

        Raises:
            KeyError: there is none with this id.
        """
        record = self._records.pop(record_id)
        for name, index in self._indexes.items():
            index.remove(record.keys[name], record)
        return record

    def select(self, selection: Selection) -> list[Record]:
        """The part of the list that a selection asks for."""
        tests = _tests(selection)
        index = self._smallest(selection)
        entries = index.entries
        positions = index.positions(selection, None if tests else selection.end)
        if not tests:
            return [entries[i][2] for i in positions[selection.offset : selection.end]]
        matching: Iterable[Record] = (entries[i][2] for i in positions)
        for test in tests:
            matching = filter(test, matching)
        return list(islice(matching, selection.offset, selection.end))

    def within(self, key: str, bounds: Range) -> list[Data]:
        """Data of all records whose key lies in the bounds."""
        index = self._indexes[key]
        first, last = index.window(bounds)
        return [entry[2].data for entry in index.entries[first:last]]

    def _register(self, data: Data) -> Record:
        if data["id"] in self._records:
            message = f"id {data['id']} exists already"
            raise ValueError(message)
        self._sequence += 1
        self._highest_id = max(self._highest_id, data["id"])
        record = self._records[data["id"]] = Record(self._sequence, data, self._keys(data))
        return record

    def _keys(self, data: Data) -> dict[str, Any]:
        return {name: KEYS[name](data) for name in self._indexes}

    def _smallest(self, selection: Selection) -> Index:
        """The index in the order asked for, or one of what a narrower filter leaves."""
        index = self._indexes[selection.key]
        first, last = index.window(selection.ranges.get(selection.key))
        for name, bounds in selection.ranges.items():
            low, high = self._indexes[name].window(bounds)
            # To sort the few costs their number, to search the many how thinly they are spread.
            few = (high - low) ** 2 < selection.end * (last - first)
            if name != selection.key and few:
                records = [entry[2] for entry in self._indexes[name].entries[low:high]]
                return Index(sorted((r.keys[selection.key], r.sequence, r) for r in records))
        return index


def _tests(selection: Selection) -> list[Callable[[Record], bool]]:
    """What a record must fulfil besides lying in the range of the sort key."""
    ranges = [_in_range(*item) for item in selection.ranges.items() if item[0] != selection.key]
    return ranges + [_is_equal(*item) for item in selection.equal.items()]


def _in_range(name: str, bounds: Range) -> Callable[[Record], bool]:
    low, high = bounds.low, bounds.high
    return lambda record: low <= record.keys[name] < high


def _is_equal(name: str, value: object) -> Callable[[Record], bool]:
    return lambda record: record.data.get(name) == value
