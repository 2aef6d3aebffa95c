"""Changes: which of the records that a sync meets are new or changed since they were sent."""

from __future__ import annotations

import json

import pytest

from tap_wootric.changes import MAX_SEEN, Changes, Row
from tap_wootric.coverage import BEGINNING, Coverage, Span

SETTLED = 1_000
KNOWN = Coverage([Span(BEGINNING, 500, 600)])
"""Seconds before 500 are known as of 600."""


def row(number: int, second: int, updated: int | None = None, text: str = "") -> Row:
    changed = second if updated is None else updated
    return Row((number, second), second, changed, {"id": number, "text": text})


def next_sync(changes: Changes, coverage: Coverage = KNOWN, settled: int = SETTLED) -> Changes:
    """Another sync with the marks that this one leaves, as JSON brings them back."""
    return Changes(coverage, json.loads(json.dumps(changes.seen(coverage))), settled)


def test_without_an_earlier_sync_everything_is_new() -> None:
    """Whatever its times."""
    changes = Changes(Coverage(), [], SETTLED)

    assert all(changes.is_new(row(n, 100 * n)) for n in range(30))


@pytest.mark.parametrize(
    ("second", "updated", "is_new"),
    [
        (400, 400, False),
        (400, 599, False),
        (400, 600, True),
        (400, 700, True),
        (400, 5_000, True),
        (500, 500, True),
        (550, 550, True),
    ],
)
def test_a_covered_record_is_new_when_it_changed_since_its_time_range_was_read(
    second: int, updated: int, is_new: bool
) -> None:
    """The moment as of which it is known belongs to what may have been missed."""
    assert Changes(KNOWN, [], SETTLED).is_new(row(1, second, updated)) is is_new


def test_a_record_at_the_edge_is_known_by_name() -> None:
    """What may still change is read again; what was sent of it is not sent again."""
    first = Changes(Coverage(), [], SETTLED)
    first.is_new(row(1, SETTLED))

    again = next_sync(first)

    assert not again.is_new(row(1, SETTLED))
    assert again.is_new(row(2, 700))


def test_close_to_the_present_a_record_is_known_by_its_content() -> None:
    """Within one second it may change once more without its times telling."""
    first = Changes(Coverage(), [], SETTLED)
    first.is_new(row(1, 990, 1_010, "early"))

    again = next_sync(first)

    assert not again.is_new(row(1, 990, 1_010, "early"))
    assert again.is_new(row(1, 990, 1_010, "late"))


def test_what_was_known_by_its_content_stays_known_when_its_second_has_settled() -> None:
    """A later sync meets the same content at a time that no longer changes."""
    first = Changes(Coverage(), [], SETTLED)
    first.is_new(row(1, 1_005))

    again = next_sync(first, Coverage([Span(BEGINNING, 1_000, 1_000)]), settled=2_000)

    assert not again.is_new(row(1, 1_005))


def test_a_record_met_twice_in_one_sync_is_sent_once() -> None:
    """A look-back may meet again what was found by its update."""
    changes = Changes(KNOWN, [], SETTLED)

    assert changes.is_new(row(1, 400, 700))
    assert not changes.is_new(row(1, 400, 700))
    assert changes.is_new(row(1, 400, 800))


def test_ids_of_numbers_and_of_texts_are_told_apart_from_marks() -> None:
    """An id may hold the very characters that marks are made of."""
    first = Changes(Coverage(), [], SETTLED)
    names = ("a@b", "a#b@1", "#", "@", 7)
    odd = [Row((name, SETTLED), SETTLED, SETTLED, {"id": name}) for name in names]
    for record in odd:
        first.is_new(record)

    again = next_sync(first, settled=2 * SETTLED)

    assert [again.is_new(record) for record in odd] == [False] * 5


@pytest.mark.parametrize(
    ("edges", "as_of"), [([], None), ([700], 701), ([700, 900], 901), ([700, 1_500], SETTLED)]
)
def test_a_complete_sync_knows_all_before_the_newest_it_met_and_nothing_unsettled(
    edges: list[int], as_of: int | None
) -> None:
    """A change made while it ran may lie where it had already read."""
    changes = Changes(Coverage(), [], SETTLED)
    for number, edge in enumerate(edges):
        changes.is_new(row(number, edge))

    assert changes.as_of() == as_of


def test_a_sync_that_met_nothing_keeps_the_marks_of_the_one_before() -> None:
    """An idle sync forgets nothing."""
    first = Changes(Coverage(), [], SETTLED)
    first.is_new(row(1, SETTLED))

    assert not next_sync(next_sync(next_sync(first))).is_new(row(1, SETTLED))


def test_a_mark_is_kept_until_times_tell_as_much() -> None:
    """Whether or not a sync has met the record again."""
    marks = ["1@400", "2@400,599", "3@400,600", "4@400,700#aa", "5@499,500", "6@500"]

    assert Changes(KNOWN, marks, SETTLED).seen(KNOWN) == ["3@400,600", "4@400,700#aa", "6@500"]


def test_the_state_stays_bounded_however_many_records_share_the_present() -> None:
    """Beyond the bound some may be sent once more; none is lost."""
    changes = Changes(Coverage(), [], SETTLED)
    for number in range(MAX_SEEN + 500):
        changes.is_new(row(number, 1_001))

    assert len(changes.seen(KNOWN)) == MAX_SEEN


def test_an_interrupted_sync_remembers_the_second_that_it_stands_in() -> None:
    """Its records were sent, and the next run begins with that second again."""
    changes = Changes(Coverage(), [], SETTLED)
    for number, second in enumerate((100, 200, 200, 200)):
        changes.is_new(row(number, second, updated=300 + number))

    again = Changes(Coverage([Span(BEGINNING, 200, 300)]), changes.seen(), SETTLED)

    assert [again.is_new(row(number, 200, 300 + number)) for number in (1, 2, 3)] == [False] * 3
    assert again.is_new(row(4, 200, 200))


def test_an_import_into_the_past_is_found_by_its_update() -> None:
    """It was created long ago and heard of now; before all that is known it is new anyway."""
    assert Changes(KNOWN, [], SETTLED).is_new(row(1, 10, 605))
    assert Changes(Coverage([Span(200, 500, 600)]), [], SETTLED).is_new(row(1, 10))


def test_a_change_made_while_a_sync_runs_is_sent_by_the_next() -> None:
    """What is known is known as of before the sync, not as of the newest record it met."""
    first = Changes(Coverage(), [], SETTLED)
    for number in range(10):
        first.is_new(row(number, SETTLED - 10 + 3 * number))
    as_of = first.as_of()
    assert as_of == SETTLED

    again = next_sync(first, Coverage([Span(BEGINNING, as_of, as_of)]), SETTLED + 900)

    assert again.is_new(row(0, SETTLED - 10, SETTLED + 1, "late"))


def test_a_record_dated_in_the_future_does_not_move_what_is_known() -> None:
    """Otherwise nothing would be a change until then."""
    changes = Changes(Coverage(), [], SETTLED)
    changes.is_new(row(1, SETTLED + 10**9))

    assert changes.as_of() == SETTLED


def test_a_record_remembered_from_an_earlier_sync_is_sent_once_too() -> None:
    """Met twice in this one, the newer memory counts."""
    changes = Changes(KNOWN, ["1@600"], SETTLED)

    assert changes.is_new(row(1, 10, 605))
    assert not changes.is_new(row(1, 10, 605))


def test_a_mark_holds_no_content() -> None:
    """A state is kept in places that people's data must not reach."""
    changes = Changes(Coverage(), [], 0)
    changes.is_new(row(1, 700, text="Call me: ada@example.com"))

    (mark,) = changes.seen(KNOWN)
    assert "ada" not in mark
    assert len(mark) < 50


def test_what_was_settled_for_one_sync_needs_not_be_for_the_next() -> None:
    """It may know less of the server's clock; what was sent is known by its time all the same."""
    first = Changes(Coverage(), [], SETTLED)
    assert first.is_new(row(1, SETTLED - 10))
    as_of = first.as_of()
    assert as_of is not None

    again = next_sync(first, Coverage([Span(BEGINNING, as_of, as_of)]), SETTLED - 100)

    assert not again.is_new(row(1, SETTLED - 10))
    assert again.is_new(row(1, SETTLED - 10, SETTLED - 5, "late"))
