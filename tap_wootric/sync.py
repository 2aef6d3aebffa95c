"""One incremental sync of a stream: what to read, what of it to send, and the state to leave.

Pure: no HTTP, no clock. All times are UNIX seconds in UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableMapping
from typing import Any, TypeVar

from tap_wootric.changes import Changes, Row
from tap_wootric.coverage import (
    BEGINNING,
    END,
    Coverage,
    Section,
    Span,
    join_updates,
    look_back,
)
from tap_wootric.horizon import Horizon, LastChange
from tap_wootric.pages import PageSize
from tap_wootric.times import from_unix, to_utc
from tap_wootric.walk import OverfullSecond

COVERAGE = "coverage"
SEEN = "seen"
OVERFULL = "overfull"
UNTOLD = "overfull_untold"
SMALLEST_PAGE = "smallest_page"
HIGHEST_ID = "highest_id"
LAST_CHANGE = "last_change"
BOOKMARK = "replication_key_value"

USUAL_SMALLEST_PAGE = 10
"""Fewer records on the first page of a later sync are taken for all there are (our choice)."""

DAY = 86_400

PartT = TypeVar("PartT")


class Sync:
    """Follows a sync through its sections and keeps the stream's state.

    Beside the SDK's bookmark the state holds `coverage`, which time ranges are known as of when,
    and `seen`, marks of records sent near its edge; `overfull` lists the seconds that a complete
    sync has failed with, `overfull_untold` those that none has yet; `smallest_page` is there only
    where the server was found to cap pages very low. `highest_id` is that of all records sent but
    the latest; `last_change` tells of what second that is, and by when a complete sync had met it.
    """

    def __init__(
        self,
        state: MutableMapping[str, Any],
        replication_key: str,
        page_size: PageSize,
        now: int = END,
    ) -> None:
        """Take the stream's state, as an earlier sync, of any version, has left it.

        Args:
            state: It is kept up to date.
            replication_key: The stream's own.
            page_size: Told what an earlier sync has found out.
            now: The present; nothing after it can have been read.

        Raises:
            ValueError: The state can't be understood.
        """
        self._state = state
        self._coverage, self._bookmark = _read_coverage(state, replication_key, now)
        self._seen = _part(state, SEEN, _texts)
        self._told = _part(state, OVERFULL, _texts)
        self.untold = _part(state, UNTOLD, _overfull)
        self._highest_id = _part(state, HIGHEST_ID, _whole)
        smallest = _part(state, SMALLEST_PAGE, _whole)
        self._page_size = page_size
        if self._coverage.spans:
            page_size.smallest = smallest or USUAL_SMALLEST_PAGE
        self.horizon = Horizon(_part(state, LAST_CHANGE, _last_change))
        self._changes: Changes | None = None
        self._settled = 0
        self._done: list[Section] = []
        self._section: Section | None = None
        self._second: int | None = None

    def sections(
        self, since: int | None, until: int | None, *, moves_on_update: bool
    ) -> list[Section]:
        """What to read of `since <= second < until`."""
        sections = self._coverage.sections(since, until)
        if moves_on_update:
            return [section for section in sections if section.updated_since is None]
        return join_updates(sections)

    def look_back(self, sections: Iterable[Section], days: int) -> list[Section]:
        """The same where the API can't be asked for updates, as one that is under way has shown."""
        edge = self._coverage.spans[-1].until if self._coverage.spans else BEGINNING
        bookmark = edge if self._bookmark is None else self._bookmark
        begin = bookmark - days * DAY
        plain = look_back(sections, begin)
        if self._section is not None and self._second is not None and self._second < begin:
            # What came before the API gave itself away was sent, and is to be known as sent.
            self._done.append(Section(self._section.since, self._second))
            plain.insert(0, Section(self._second, self._second + 1))
        return plain

    def begin(self, section: Section) -> None:
        """A section is read from here on."""
        self._section = section
        self._second = None

    def end(self) -> None:
        """The section has been read to its end."""
        if self._section is not None:
            self._done.append(self._section)
        self._section = None

    def is_new(self, row: Row, settled: int) -> bool:
        """Whether to send a record of the section.

        Args:
            row: The record.
            settled: Moment before which no second can receive another change; it may rise as more
                is learned.
        """
        if self._changes is None:
            self._changes = Changes(self._coverage, self._seen, settled, self._highest_id)
        self._settled = self._changes.settled = settled
        if self._second is None or row.second > self._second:  # else it was added behind the walk
            self._second = row.second
        return self._changes.is_new(row)

    @property
    def changed(self) -> int:
        """How many of the new records lie where an earlier sync has been."""
        return self._changes.changed if self._changes else 0

    def save_progress(self) -> None:
        """Write into the state what an interrupted sync need not read again."""
        if self._changes is None:
            return
        coverage = Coverage(self._coverage.spans)
        known = max([self._settled, *(span.as_of for span in coverage.spans)])
        for section in self._done:
            until = known if section.until is None else section.until
            coverage.cover(section.since, min(until, known), known)
        if self._section is not None and self._second is not None:
            coverage.cover(self._section.since, min(self._second, known), known)
        self._write(coverage, self._changes.seen())
        spans = self._coverage.spans
        if not spans or (self._second is not None and self._second >= spans[-1].until):
            self._write_highest_id()  # before, imports that are still to be met would count as sent

    def complete(self, now: int | None = None) -> None:
        """Write into the state that everything has been read.

        Args:
            now: The present by the server's clock; None where it shows none.
        """
        last = None if now is None else self.horizon.last_change(now)
        if last is not None:
            self._state[LAST_CHANGE] = [*map(from_unix, last)]
        as_of = max(
            (span.as_of for span in self._coverage.spans),
            default=None,
        )
        newest = self._changes.as_of() if self._changes else None
        if newest is not None:
            as_of = newest if as_of is None else max(as_of, newest)
        if as_of is None:
            return
        coverage = Coverage(self._coverage.spans)
        for section in self._done:
            until = as_of if section.until is None else min(section.until, as_of)
            coverage.cover(section.since, until, as_of)
        self._write(coverage, self._changes.seen(coverage) if self._changes else self._seen)
        self._write_highest_id()

    def report(self, overfull: OverfullSecond) -> bool:
        """Note a second to be told of; False when one was before: a look-back meets it again."""
        known = [*self._told, *(from_unix(found.second) for found in self.untold)]
        if from_unix(overfull.second) in known:
            return False
        self.untold.append(overfull)
        self._state[UNTOLD] = [[from_unix(second), shown] for second, shown in self.untold]
        return True

    def tell(self) -> list[OverfullSecond]:
        """The seconds to fail a complete sync with, those of broken off ones included, once."""
        untold, self.untold = self.untold, []
        if untold:
            self._state[OVERFULL] = self._told + [from_unix(found.second) for found in untold]
            self._state[UNTOLD] = []
        return untold

    def _write(self, coverage: Coverage, seen: list[str]) -> None:
        self._state[COVERAGE] = coverage.to_state()
        self._state[SEEN] = seen
        if self._page_size.full < USUAL_SMALLEST_PAGE:
            self._state[SMALLEST_PAGE] = self._page_size.full

    def _write_highest_id(self) -> None:
        if self._changes is not None and self._changes.highest_id is not None:
            self._state[HIGHEST_ID] = self._changes.highest_id


def _part(state: MutableMapping[str, Any], name: str, read: Callable[[Any], PartT]) -> PartT:
    try:
        return read(state.get(name))
    except (ValueError, TypeError, OverflowError):
        message = f"its '{name}' is not what the tap writes there"
        raise ValueError(message) from None


def _texts(value: Iterable[object] | None) -> list[str]:
    return [str(item) for item in value or ()]


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)


def _last_change(row: Iterable[object] | None) -> LastChange | None:
    return None if row is None else LastChange(*(int(to_utc(at).timestamp()) for at in row))


def _overfull(rows: Iterable[Any] | None) -> list[OverfullSecond]:
    return [
        OverfullSecond(int(to_utc(second).timestamp()), int(shown)) for second, shown in rows or ()
    ]


def _read_coverage(
    state: MutableMapping[str, Any], replication_key: str, now: int
) -> tuple[Coverage, int | None]:
    """Coverage and bookmark; a bookmark alone covers all before it, as of itself.

    One of another replication key says nothing, and is dropped.
    """
    if state.get("replication_key", replication_key) != replication_key:
        state.clear()
    value = state.get(BOOKMARK)
    if value is not None and not isinstance(value, str):
        raise ValueError("its bookmark is not a time")
    bookmark = None if value is None else int(to_utc(value).timestamp())
    if state.get(COVERAGE) is not None:
        return Coverage.from_state(state[COVERAGE]), bookmark
    if bookmark is None:
        return Coverage(), None
    known = min(bookmark, now)  # an older tap lets a record dated in the future become the bookmark
    return Coverage([Span(BEGINNING, known, known)]), bookmark
