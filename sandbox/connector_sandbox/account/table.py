"""Records in memory, kept in sort order, so that a page of a list needs no sorting."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from math import inf
from random import Random
from typing import Any

from connector_sandbox.times import microseconds

Data = dict[str, Any]
Key = float | str


KEYS: dict[str, Callable[[Data], Any]] = {
    "created_at": lambda data: microseconds(data["created_at"]),
    "updated_at": lambda data: microseconds(data["updated_at"]),
    "email": lambda data: data.get("email") or "",
}


class Record:
    """One stored object. A change replaces `data`; it does not modify the dict."""

    __slots__ = ("data", "keys", "rendered", "sequence")

    def __init__(self, sequence: int, data: Data, keys: dict[str, Any]) -> None:
        self.sequence = sequence
        self.data = data
        self.keys = keys
        self.rendered: tuple[object, bytes] | None = None


Entry = tuple[Key, int, Record]


@dataclass(frozen=True)
class Range:
    """A time range in microseconds: `low` is included, `high` is excluded."""

    low: float = -inf
    high: float = inf


@dataclass(frozen=True)
class Selection:
    """A query of a table: filters, sort order, offset and limit."""

    key: str = "created_at"
    descending: bool = False
    ties: str = "reversed"
    ranges: dict[str, Range] = field(default_factory=dict)
    equal: dict[str, object] = field(default_factory=dict)
    offset: int = 0
    limit: int = 50

    @property
    def end(self) -> int:
        """Return the position after the last record of the page."""
        return self.offset + self.limit


class Index:
    """Entries in ascending order of key, then of insertion."""

    def __init__(self, entries: list[Entry] | None = None) -> None:
        self.entries: list[Entry] = entries or []

    def add(self, key: Key, record: Record) -> None:
        """Insert one record."""
        insort(self.entries, (key, record.sequence, record))

    def remove(self, key: Key, record: Record) -> None:
        """Remove a record that was added with this key."""
        del self.entries[bisect_left(self.entries, (key, record.sequence))]

    def window(self, bounds: Range | None) -> tuple[int, int]:
        """Return the first position within the bounds, and the position after the last one."""
        if bounds is None:
            return 0, len(self.entries)
        first, last = (bisect_left(self.entries, (key,)) for key in (bounds.low, bounds.high))
        return first, max(first, last)

    def positions(self, selection: Selection, wanted: int | None) -> Sequence[int]:
        """Return positions in the sort order, at least the first `wanted` ones."""
        first, last = self.window(selection.ranges.get(selection.key))
        if selection.ties == "place":
            return self._shuffled(first, last, selection)
        if not selection.descending:
            return range(first, last)
        if selection.ties == "reversed":
            return range(last - 1, first - 1, -1)
        return self._descending_groups(first, last, last - first if wanted is None else wanted)

    def _shuffled(self, first: int, last: int, selection: Selection) -> list[int]:
        """Order ties differently for each page, as some databases do."""
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
    """The records of one stream, by id and in every sort order of the API."""

    def __init__(self, orders: Iterable[str]) -> None:
        self._records: dict[int, Record] = {}
        self._indexes = {name: Index() for name in orders}
        self._sequence = 0
        self._highest_id = 0

    def __len__(self) -> int:
        return len(self._records)

    def next_id(self) -> int:
        """Return an id above all ids so far, including deleted ones."""
        return self._highest_id + 1

    def all(self) -> list[Data]:
        """Return the data of all records in order of insertion."""
        return [dict(record.data) for record in self._records.values()]

    def get(self, record_id: int) -> Record:
        """Return one record.

        Raises:
            KeyError: No record has this id.
        """
        return self._records[record_id]

    def load(self, rows: Iterable[Data]) -> None:
        """Add many records, sorting each index once."""
        records = [self._register(row) for row in rows]
        for name, index in self._indexes.items():
            index.entries.extend((record.keys[name], record.sequence, record) for record in records)
            index.entries.sort()

    def insert(self, data: Data) -> Record:
        """Add one record."""
        record = self._register(data)
        for name, index in self._indexes.items():
            index.add(record.keys[name], record)
        return record

    def replace(self, record: Record, data: Data) -> None:
        """Replace the data of a record and update all indexes."""
        keys = self._keys(data)
        for name, index in self._indexes.items():
            if record.keys[name] != keys[name]:
                index.remove(record.keys[name], record)
                index.add(keys[name], record)
        record.data, record.keys, record.rendered = data, keys, None

    def delete(self, record_id: int) -> Record:
        """Remove a record and return it.

        Raises:
            KeyError: No record has this id.
        """
        record = self._records.pop(record_id)
        for name, index in self._indexes.items():
            index.remove(record.keys[name], record)
        return record

    def select(self, selection: Selection) -> list[Record]:
        """Return the page of records that a selection describes."""
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
        """Return the data of all records whose key lies within the bounds."""
        index = self._indexes[key]
        first, last = index.window(bounds)
        return [entry[2].data for entry in index.entries[first:last]]

    def _register(self, data: Data) -> Record:
        if data["id"] in self._records:
            message = f"id {data['id']} already exists"
            raise ValueError(message)
        self._sequence += 1
        self._highest_id = max(self._highest_id, data["id"])
        record = self._records[data["id"]] = Record(self._sequence, data, self._keys(data))
        return record

    def _keys(self, data: Data) -> dict[str, Any]:
        return {name: KEYS[name](data) for name in self._indexes}

    def _smallest(self, selection: Selection) -> Index:
        """Return the index of the sort key, or a smaller one built from a narrower filter."""
        index = self._indexes[selection.key]
        first, last = index.window(selection.ranges.get(selection.key))
        for name, bounds in selection.ranges.items():
            low, high = self._indexes[name].window(bounds)
            # Sorting costs about high - low; scanning the sort key costs its range per match.
            few = (high - low) ** 2 < selection.end * (last - first)
            if name != selection.key and few:
                records = [entry[2] for entry in self._indexes[name].entries[low:high]]
                return Index(sorted((r.keys[selection.key], r.sequence, r) for r in records))
        return index


def _tests(selection: Selection) -> list[Callable[[Record], bool]]:
    """Return the conditions other than the range of the sort key."""
    ranges = [_in_range(*item) for item in selection.ranges.items() if item[0] != selection.key]
    return ranges + [_is_equal(*item) for item in selection.equal.items()]


def _in_range(name: str, bounds: Range) -> Callable[[Record], bool]:
    low, high = bounds.low, bounds.high
    return lambda record: low <= record.keys[name] < high


def _is_equal(name: str, value: object) -> Callable[[Record], bool]:
    return lambda record: record.data.get(name) == value
