"""Coverage: what earlier syncs have read, as of when, and what is left to read."""

from __future__ import annotations

from itertools import pairwise

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

LAST = 40

seconds = st.integers(0, LAST)
covers = st.lists(st.tuples(st.none() | seconds, seconds, st.integers(0, 5)), max_size=8)
bounds = st.none() | seconds


def covered(calls: list[tuple[int | None, int, int]]) -> tuple[Coverage, dict[int, int]]:
    """A coverage, and the same as a plain table of seconds."""
    coverage, table = Coverage(), {}
    for since, until, as_of in calls:
        coverage.cover(since, until, as_of)
        table.update(dict.fromkeys(range(-1 if since is None else since, until), as_of))
    return coverage, table


@given(covers)
def test_a_second_is_known_as_of_the_last_sync_that_read_it(
    calls: list[tuple[int | None, int, int]],
) -> None:
    """Ranges in any order, overlapping or not."""
    coverage, table = covered(calls)

    found = {second: coverage.as_of(second) for second in range(-1, LAST + 1)}

    assert found == {second: table.get(second) for second in range(-1, LAST + 1)}


@given(covers)
def test_spans_are_disjoint_ascending_and_no_more_than_needed(
    calls: list[tuple[int | None, int, int]],
) -> None:
    """Neighbours that are equally known are one."""
    spans = covered(calls)[0].spans

    assert all(span.since < span.until for span in spans)
    for before, after in pairwise(spans):
        assert before.until <= after.since
        assert before.until < after.since or before.as_of != after.as_of


@given(covers, bounds, bounds)
def test_sections_cover_what_was_asked_for_without_gap_or_overlap(
    calls: list[tuple[int | None, int, int]], since: int | None, until: int | None
) -> None:
    """Ascending; whole where nothing is known, only updates where something is."""
    coverage, table = covered(calls)

    sections = list(coverage.sections(since, until))

    for second in range(-1, LAST + 1):
        wanted = (since is None or second >= since) and (until is None or second < until)
        holding = [section for section in sections if contains(section, second)]
        assert len(holding) == wanted
        if holding:
            assert holding[0].updated_since == table.get(second)
    assert sections == sorted(sections, key=lambda s: BEGINNING if s.since is None else s.since)


@given(covers, bounds, bounds)
def test_joined_sections_ask_for_no_less(
    calls: list[tuple[int | None, int, int]], since: int | None, until: int | None
) -> None:
    """Fewer requests, each as of the earliest of what it stands for; whole parts stay whole."""
    sections = list(covered(calls)[0].sections(since, until))

    joined = join_updates(sections)

    for second in range(-1, LAST + 1):
        before = [s.updated_since for s in sections if contains(s, second)]
        after = [s.updated_since for s in joined if contains(s, second)]
        assert len(before) == len(after)
        for asked, instead in zip(before, after, strict=True):
            assert (asked is None) == (instead is None)
            assert asked is None or instead is None or instead <= asked
    updates = [s.updated_since is not None for s in joined]
    neighbours = [a.until == b.since for a, b in pairwise(joined)]
    assert not any(a and b and n for (a, b), n in zip(pairwise(updates), neighbours, strict=True))


@given(covers, bounds, bounds, seconds)
def test_a_look_back_reads_everything_from_its_beginning_on(
    calls: list[tuple[int | None, int, int]], since: int | None, until: int | None, begin: int
) -> None:
    """And before it what no sync has read; every second at most once."""
    sections = list(covered(calls)[0].sections(since, until))

    plain = look_back(sections, begin)

    for second in range(-1, LAST + 1):
        is_wanted = any(
            contains(section, second) and (section.updated_since is None or second >= begin)
            for section in sections
        )
        assert sum(contains(section, second) for section in plain) == is_wanted
    assert all(section.updated_since is None for section in plain)


@given(covers)
def test_a_state_keeps_the_coverage(calls: list[tuple[int | None, int, int]]) -> None:
    """Written as texts and read again, it is the same."""
    coverage = covered(calls)[0]

    assert Coverage.from_state(coverage.to_state()).spans == coverage.spans


def test_a_state_shows_times_that_people_can_read() -> None:
    """With null for the beginning."""
    coverage = Coverage([Span(BEGINNING, 0, 60)])

    assert coverage.to_state() == [[None, "1970-01-01T00:00:00+00:00", "1970-01-01T00:01:00+00:00"]]


@pytest.mark.parametrize(
    "rows",
    [
        [["soon", "later", "never"]],
        [[0, 10, 5], [5, 20, 5]],
        [[0, 10]],
        [[0, 10, 5, 5]],
        [[0, None, 5]],
    ],
)
def test_a_state_that_contradicts_itself_is_refused(rows: list[list[object]]) -> None:
    """Rather than leave out what it seems to cover."""
    with pytest.raises(ValueError, match=r"."):
        Coverage.from_state(rows)


def test_too_many_spans_are_joined_as_of_the_earlier_moment() -> None:
    """Rather something is asked for again than lost, and a STATE line stays short."""
    coverage = Coverage()
    for i in range(3 * MAX_SPANS):
        coverage.cover(10 * i, 10 * i + 10, i)

    assert len(coverage.spans) <= MAX_SPANS
    assert all((coverage.as_of(10 * i + 5) or 0) <= i for i in range(3 * MAX_SPANS))


def contains(section: Section, second: int) -> bool:
    """Whether a section holds a second."""
    since, until, _ = section
    return (since is None or second >= since) and (until is None or second < until)
