"""Coverage: what earlier syncs have read, as of when, and what follows for the next one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_wootric.coverage import (
    BEGINNING,
    MAX_SPANS,
    Coverage,
    Section,
    Span,
    join_updates,
    look_back,
)

COVERED = [Span(BEGINNING, 100, 90), Span(200, 300, 250)]

Marks = list[tuple[int | None, int, int]]

marks: st.SearchStrategy[Marks] = st.lists(
    st.tuples(st.none() | st.integers(0, 60), st.integers(0, 60), st.integers(0, 99)), max_size=8
)


def covered_by(rows: Marks) -> tuple[Coverage, dict[int, int]]:
    """A coverage, and the same as a plain table of seconds."""
    coverage, table = Coverage(), {}
    for since, until, as_of in rows:
        coverage.cover(since, until, as_of)
        table |= dict.fromkeys(range(0 if since is None else since, until), as_of)
    return coverage, table


@given(marks)
def test_every_second_is_known_as_of_the_last_time_it_was_read(rows: Marks) -> None:
    """Compared with a table that notes each second alone."""
    coverage, table = covered_by(rows)

    assert {second: coverage.as_of(second) for second in range(70)} == {
        second: table.get(second) for second in range(70)
    }


@given(marks, st.none() | st.integers(0, 60), st.none() | st.integers(0, 60))
def test_sections_ask_for_every_second_once_and_for_updates_where_it_is_known(
    rows: Marks, since: int | None, until: int | None
) -> None:
    """Nothing is left out, nothing read twice, nothing covered is read whole."""
    coverage, table = covered_by(rows)

    sections = list(coverage.sections(since, until))

    for second in range(70):
        asked = [
            section
            for section in sections
            if (section.since is None or second >= section.since)
            and (section.until is None or second < section.until)
        ]
        is_wanted = (since is None or second >= since) and (until is None or second < until)
        assert len(asked) == is_wanted
        assert all(section.updated_since == table.get(second) for section in asked)


@given(marks)
def test_what_the_state_holds_is_read_back_as_it_was(rows: Marks) -> None:
    """A state goes through JSON and through Meltano's merge: rows of texts and nulls."""
    coverage, _ = covered_by(rows)

    assert Coverage.from_state(coverage.to_state()).spans == coverage.spans


@given(st.lists(st.integers(0, 10_000), min_size=40, max_size=80, unique=True))
def test_a_state_of_many_syncs_stays_short_and_forgets_nothing(edges: list[int]) -> None:
    """Joined spans are known as of the earlier moment: rather asked for again than lost."""
    coverage = Coverage()
    position: int | None = None
    for as_of, edge in enumerate(sorted(edges)):
        before = {second: coverage.as_of(second) for second in edges}
        coverage.cover(position, edge, as_of)
        position = edge
        for second, known in before.items():
            now = coverage.as_of(second)
            assert known is None or (now is not None and now <= known)

    assert len(coverage.spans) <= MAX_SPANS
    assert coverage.as_of(max(edges) - 1) is not None


def test_daily_look_backs_of_a_year_leave_each_day_known_as_of_later() -> None:
    """Else what has not changed would be sent again once the look-back is made longer."""
    coverage, lookback = Coverage(), 7
    for today in range(10, 400):
        coverage.cover(None if today == 10 else today - lookback, today, today)

    assert len(coverage.spans) <= MAX_SPANS
    assert all(coverage.as_of(day) >= min(day + lookback - 1, 399) for day in range(10, 399))
    assert Coverage.from_state(coverage.to_state()).spans == coverage.spans


def test_ranges_with_gaps_between_them_stay_apart_however_many() -> None:
    """Joined, what was never read would count as known, and be lost."""
    coverage = Coverage()
    for since in range(0, 20 * MAX_SPANS, 10):
        coverage.cover(since, since + 5, since)

    assert coverage.spans == [Span(s, s + 5, s) for s in range(0, 20 * MAX_SPANS, 10)]


@pytest.mark.parametrize(
    "rows",
    [
        5,
        [5],
        [["2024-01-01"]],
        [[None, None, None]],
        [["x", "y", "z"]],
        [[None, "1", {}]],
        [[None, "1", "1", "x"]],
        [[None, "1", "1", 5, 5]],
    ],
)
def test_coverage_of_another_form_is_an_error(rows: list[list[object]]) -> None:
    """Never a guess at what has been read."""
    with pytest.raises((ValueError, TypeError)):
        Coverage.from_state(rows)


def test_time_ranges_that_overlap_are_an_error() -> None:
    """No sync writes them."""
    rows = [[None, "2024-01-02", "2024-01-02"], ["2024-01-01", "2024-01-03", "2024-01-03"]]

    with pytest.raises(ValueError, match="overlap"):
        Coverage.from_state(rows)


def test_neighbours_that_ask_for_updates_are_read_as_one() -> None:
    """As of the earliest of them; what is read whole stays apart."""
    sections = [Section(None, 10, 5), Section(10, 20, 3), Section(20, 30), Section(30, 40, 7)]

    assert join_updates(sections) == [Section(None, 20, 3), Section(20, 30), Section(30, 40, 7)]


@pytest.mark.parametrize(
    ("begin", "plain"),
    [
        (BEGINNING, [Section(BEGINNING, None)]),
        (50, [Section(50, None)]),
        (150, [Section(100, 200), Section(200, None)]),
        (250, [Section(100, 200), Section(250, None)]),
        (999, [Section(100, 200), Section(300, None)]),
    ],
)
def test_a_look_back_reads_again_what_is_recent_and_always_what_is_new(
    begin: int, plain: list[Section]
) -> None:
    """Where the API can't be asked for updates; touching sections are read as one."""
    sections = Coverage(COVERED).sections(None, None)

    joined = look_back(sections, begin)

    wanted = {s for section in plain for s in _seconds(section)}
    assert {s for section in joined for s in _seconds(section)} == wanted
    assert all(section.updated_since is None for section in joined)
    assert len(joined) <= len(plain)


def _seconds(section: Section) -> range:
    since = 0 if section.since is None or section.since < 0 else section.since
    return range(since, 400 if section.until is None else section.until)
