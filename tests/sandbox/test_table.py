"""The indexed table of records, compared with filtering and sorting all records."""

from __future__ import annotations

from datetime import timedelta
from math import inf
from typing import Any

from connector_sandbox.account.table import KEYS, Range, Selection, Table
from connector_sandbox.times import EPOCH
from hypothesis import given
from hypothesis import strategies as st

ORDERS = ("created_at", "updated_at", "email")
times = st.integers(0, 12).map(lambda n: EPOCH + timedelta(microseconds=n))
emails = st.sampled_from(["a@example.com", "b@example.com", None])
rows = st.fixed_dictionaries(
    {"created_at": times, "updated_at": times, "email": emails, "excluded": st.booleans()}
)
lows, highs = (st.just(end) | st.integers(0, 12) for end in (-inf, inf))
selections = st.builds(
    Selection,
    key=st.sampled_from(ORDERS),
    descending=st.booleans(),
    ties=st.sampled_from(["reversed", "same"]),
    ranges=st.dictionaries(st.sampled_from(ORDERS[:2]), st.builds(Range, lows, highs)),
    equal=st.dictionaries(st.just("excluded"), st.booleans()),
    offset=st.integers(0, 4),
    limit=st.integers(1, 20),
)
changes = st.lists(st.tuples(st.integers(1, 30), st.none() | rows), max_size=20)


def expected(data: list[dict[str, Any]], selection: Selection) -> list[int]:
    """Return the selected ids, computed from all rows."""
    for name, bounds in selection.ranges.items():
        data = [row for row in data if bounds.low <= KEYS[name](row) < bounds.high]
    for name, value in selection.equal.items():
        data = [row for row in data if row[name] == value]
    backwards = selection.descending and selection.ties == "reversed"
    data = sorted(data, key=lambda row: row["id"], reverse=backwards)
    data.sort(key=KEYS[selection.key], reverse=selection.descending)
    return [row["id"] for row in data][selection.offset : selection.end]


@given(st.lists(rows, min_size=5, max_size=30), changes, selections)
def test_a_selection_equals_a_full_filter_and_sort(
    given_rows: list[Any], changed: list[tuple[int, Any]], selection: Selection
):
    """For any loads, inserts, changes, deletions, filters, sort orders and pages."""
    table, half = Table(ORDERS), len(given_rows) // 2
    data = {i: {"id": i} | row for i, row in enumerate(given_rows, 1)}
    table.load([*data.values()][:half])
    for row in [*data.values()][half:]:
        table.insert(row)
    for number, change in changed:
        if number in data and change is None:
            table.delete(number)
            del data[number]
        elif number in data:
            data[number] = {"id": number} | change
            table.replace(table.get(number), data[number])
    found = [record.data["id"] for record in table.select(selection)]

    assert found == expected([*data.values()], selection)
    assert table.all() == [*data.values()]
