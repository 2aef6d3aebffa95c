"""New, changed, unchanged: which of the records that a sync meets it sends."""

from __future__ import annotations

from typing import Any

import pytest

from tap_wootric.changes import MAX_SEEN, Changes, Row
from tap_wootric.coverage import BEGINNING, Coverage, Span

EDGE = 1000
NOW = 5000
"""Before it nothing changes any more."""


def row(number: int, created: int, updated: int | None = None, **fields: Any) -> Row:
    """A record; not changed since its creation unless said otherwise."""
    changed = created if updated is None else updated
    return Row((number, created), created, changed, {"id": number, **fields})


def knowing(*spans: Span, seen: list[str] | None = None, settled: int = NOW) -> Changes:
    """A sync after others have read these spans."""
    return Changes(Coverage(spans), seen or [], settled)


KNOWN = Span(BEGINNING, EDGE, EDGE)


def test_everything_is_new_to_a_first_sync() -> None:
    """Nothing has been read before."""
    changes = knowing()

    assert changes.is_new(row(1, 10))
    assert changes.is_new(row(2, 10, 900))
    assert changes.changed == 0


def test_what_was_last_updated_before_the_last_sync_is_unchanged() -> None:
    """It was sent as it still is."""
    changes = knowing(KNOWN)

    assert not changes.is_new(row(1, 10))
    assert not changes.is_new(row(2, 10, EDGE - 1))


@pytest.mark.parametrize("updated", [EDGE, EDGE + 1, NOW + 100])
def test_what_was_updated_since_is_changed(updated: int) -> None:
    """Also in the very second as of which the last sync knew it."""
    changes = knowing(KNOWN)

    assert changes.is_new(row(1, 10, updated))
    assert changes.changed == 1


def test_what_no_sync_has_read_is_new_however_old_it_is() -> None:
    """`start_date` was moved earlier."""
    changes = knowing(Span(500, EDGE, EDGE))

    assert changes.is_new(row(1, 499))
    assert not changes.is_new(row(2, 500))
    assert changes.changed == 0


def test_an_import_into_the_past_is_found_by_its_update() -> None:
    """It was created long ago and heard of now."""
    assert knowing(KNOWN).is_new(row(1, 10, EDGE + 5))


def test_the_record_at_the_edge_is_not_sent_again() -> None:
    """Times alone can't tell whether the newest record was sent; its mark can."""
    first = knowing()
    assert first.is_new(row(1, EDGE))
    as_of = first.as_of()
    assert as_of == EDGE

    second = knowing(Span(BEGINNING, as_of, as_of), seen=first.seen(is_complete=True))

    assert not second.is_new(row(1, EDGE))
    assert second.is_new(row(2, EDGE))


def test_a_change_in_the_second_of_the_edge_is_sent() -> None:
    """Even where its time looks as it did: the content counts while the second goes on."""
    first = knowing(settled=EDGE)
    assert first.is_new(row(1, EDGE, text=None))

    seen = first.seen(is_complete=True)
    second = knowing(Span(BEGINNING, EDGE, EDGE), seen=seen)
    third = knowing(Span(BEGINNING, EDGE, EDGE), seen=seen)

    assert second.is_new(row(1, EDGE, text="late"))
    assert not third.is_new(row(1, EDGE, text=None))


def test_a_change_made_while_a_sync_runs_is_sent_by_the_next() -> None:
    """What is known is known as of before the sync, not as of the newest record it met."""
    first = knowing(settled=EDGE)
    for number in range(10):
        first.is_new(row(number, EDGE - 10 + 3 * number))
    as_of = first.as_of()

    assert as_of == EDGE
    second = knowing(Span(BEGINNING, as_of, as_of), seen=first.seen(is_complete=True))
    assert second.is_new(row(0, EDGE - 10, EDGE + 1, text="late"))


def test_a_record_dated_in_the_future_does_not_move_the_edge() -> None:
    """Otherwise nothing would be a change until then."""
    changes = knowing()
    changes.is_new(row(1, 10))
    changes.is_new(row(2, NOW + 10**9))

    assert changes.as_of() == NOW


def test_a_changed_record_that_is_met_twice_is_sent_once() -> None:
    """A look-back reads again what a query for updates has begun to give."""
    changes = knowing(KNOWN)

    assert changes.is_new(row(1, 10, EDGE + 5))
    assert not changes.is_new(row(1, 10, EDGE + 5))
    assert changes.is_new(row(1, 10, EDGE + 6))
    assert not changes.is_new(row(1, 10, EDGE + 6))


def test_a_record_remembered_from_an_earlier_sync_is_sent_once_too() -> None:
    """The newer memory counts."""
    changes = knowing(KNOWN, seen=["1@1000"])

    assert changes.is_new(row(1, 10, EDGE + 5))
    assert not changes.is_new(row(1, 10, EDGE + 5))


def test_a_sync_that_met_nothing_keeps_what_it_was_told() -> None:
    """Idle syncs in a row send nothing."""
    changes = knowing(KNOWN, seen=["1@1000"])

    assert changes.seen(is_complete=True) == ["1@1000"]
    assert changes.as_of() is None


def test_an_interrupted_sync_remembers_the_second_it_was_in() -> None:
    """The next one begins with that second, and sends of it only what was not sent."""
    changes = knowing(seen=["7@3"])
    for number in range(3):
        changes.is_new(row(number, 20))

    assert set(changes.seen(is_complete=False)) == {"7@3", "0@20", "1@20", "2@20"}


def test_what_is_remembered_is_bounded() -> None:
    """Thousands in the newest second make no endless STATE."""
    changes = knowing(settled=0)
    for number in range(MAX_SEEN + 500):
        changes.is_new(row(number, EDGE))

    marks = changes.seen(is_complete=True)
    assert len(marks) == MAX_SEEN
    assert marks[-1].startswith(f"{MAX_SEEN + 499}#")


def test_a_mark_holds_no_content() -> None:
    """A state is kept in places that people's data must not reach."""
    changes = knowing(settled=0)
    changes.is_new(row(1, EDGE, text="Call me: ada@example.com"))

    (mark,) = changes.seen(is_complete=True)
    assert "ada" not in mark
    assert len(mark) < 40
