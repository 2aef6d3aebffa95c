"""The indexed table of records, compared with filtering and sorting all records."""

from __future__ import annotations

from datetime import timedelta
from math import inf
from typing import Any

from connector_sandbox.account.table import KEYS, Range, Selection, Table
from connector_sandbox.times import EPOCH
from hypothesis import given, settings
from hypothesis import strategies as st

ORDERS = ("created_at", "updated_at", "email")
moments = st.integers(0, 12).map(lambda n: EPOCH + timedelta(microseconds=n))
rows = st.fixed_dictionaries(
    {
        "created_at": moments,
        "updated_at": moments,
        "email": st.sampled_from(["a@example.com", "b@example.com", None]),
        "excluded": st.booleans(),
    }
)
lows, highs = (st.just(end) | st.integers(0, 12) for end in (-inf, inf))
ranges = st.dictionaries(st.sampled_from(ORDERS[:2]), st.builds(Range, lows, highs))
selections = st.builds(
    Selection,
    key=st.sampled_from(ORDERS),
    descending=st.booleans(),
    ties=st.sampled_from(["reversed", "same"]),
    ranges=ranges,
    equal=st.dictionaries(st.just("excluded"), st.booleans()),
    offset=st.integers(0, 4),
    limit=st.integers(1, 20),
)
changes = st.lists(st.tuples(st.integers(1, 30), st.none() | rows), max_size=20)


def listed(table: Table, selection: Selection) -> list[int]:
    """Return the ids that the table selects."""
    return [record.data["id"] for record in table.select(selection)]


def expected(data: list[dict[str, Any]], selection: Selection) -> list[int]:
    """Return the same ids, computed from all rows."""
    found = [
        row
        for row in data
        if all(r.low <= KEYS[name](row) < r.high for name, r in selection.ranges.items())
        and all(row[name] == value for name, value in selection.equal.items())
    ]
    found.sort(
        key=lambda row: row["id"], reverse=selection.descending and selection.ties == "reversed"
    )
    found.sort(key=KEYS[selection.key], reverse=selection.descending)
    return [row["id"] for row in found][selection.offset : selection.end]


@settings(max_examples=300, deadline=None)
@given(st.lists(rows, min_size=5, max_size=30), changes, selections)
def test_a_selection_equals_a_full_filter_and_sort(
    given_rows: list[dict[str, Any]],
    changed: list[tuple[int, dict[str, Any] | None]],
    selection: Selection,
) -> None:
    """For any loads, inserts, changes, deletions, filters, sort orders and pages."""
    table = Table(ORDERS)
    half = len(given_rows) // 2
    numbered = [{"id": i} | row for i, row in enumerate(given_rows, 1)]
    table.load(numbered[:half])
    for row in numbered[half:]:
        table.insert(row)
    data = {row["id"]: row for row in numbered}
    for number, change in changed:
        if number not in data:
            continue
        if change is None:
            table.delete(number)
            del data[number]
        else:
            data[number] = {"id": number} | change
            table.replace(table.get(number), data[number])

    assert listed(table, selection) == expected(list(data.values()), selection)
    assert table.all() == list(data.values())
