"""What earlier syncs have read, as of when, and what is left to read.

Coverage is a list of time ranges of the replication key, each with the moment as of which its
records are known. From it follows which parts of the history a sync must read and which of the
records it then meets have changed. It grows while a sync runs, so an interrupted one resumes.

Pure: no HTTP, no clock. All times are UNIX seconds in UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from tap_wootric.times import from_unix, to_utc

MAX_SPANS = 12
"""More would make every STATE line long; the oldest are then joined."""

BEGINNING = -(2**62)
END = 2**62


class Span(NamedTuple):
    """Records with `since <= second < until` are known as of `as_of`.

    Those of each second also as of `lag` seconds after it: so look-backs leave their spans, and a
    joined span that would keep the earliest moment alone would take old records for changed.
    """

    since: int
    until: int
    as_of: int
    lag: int = 0

    def known_as_of(self, second: int) -> int:
        """As of when the records of a second are known."""
        return max(self.as_of, second + self.lag) if self.lag else self.as_of

    def joined(self, after: Span) -> Span:
        """This span and the one that follows it: rather something is asked for again than lost."""
        as_of = min(self.as_of, after.as_of)
        lag = min(max(span.lag, span.as_of - span.until) for span in (self, after))
        return Span(self.since, after.until, as_of, lag if lag > max(as_of - after.until, 0) else 0)


class Section(NamedTuple):
    """A part of the history to read, whole or only what was updated since a moment."""

    since: int | None
    until: int | None
    updated_since: int | None = None


class Coverage:
    """The spans that are covered: disjoint and ascending."""

    def __init__(self, spans: Iterable[Span] = ()) -> None:
        """Take disjoint, ascending spans."""
        self.spans = list(spans)

    @classmethod
    def from_state(cls, rows: Iterable[Iterable[object]]) -> Coverage:
        """Read what `to_state` wrote.

        Raises:
            ValueError: The rows are not of that form.
        """
        spans = []
        for row in rows:
            try:
                since, until, as_of, *more = row
                (lag,) = more or [0]
                seconds = int(lag)  # type: ignore[call-overload]
            except (TypeError, ValueError, OverflowError):
                message = "a time range is not a list of since, until, as of"
                raise ValueError(message) from None
            begin = BEGINNING if since is None else _second(since)
            spans.append(Span(begin, _second(until), _second(as_of), seconds))
        if any(a.until > b.since for a, b in pairwise(spans)):
            message = "time ranges overlap"
            raise ValueError(message)
        return cls(spans)

    def to_state(self) -> list[list[str | int | None]]:
        """Rows of since (null: from the beginning), until, as of; RFC 3339 texts; lag, if any."""
        return [
            [
                None if s.since == BEGINNING else from_unix(s.since),
                from_unix(s.until),
                from_unix(s.as_of),
                *([s.lag] if s.lag else []),
            ]
            for s in self.spans
        ]

    def as_of(self, second: int) -> int | None:
        """As of when the records of a second are known; None when it is not covered."""
        for span in reversed(self.spans):
            if second >= span.since:
                return span.known_as_of(second) if second < span.until else None
        return None

    def cover(self, since: int | None, until: int, as_of: int) -> None:
        """Note that `since <= second < until` is known as of `as_of`."""
        begin = BEGINNING if since is None else since
        if begin >= until:
            return
        left = [s._replace(until=min(s.until, begin)) for s in self.spans if s.since < begin]
        right = [s._replace(since=max(s.since, until)) for s in self.spans if s.until > until]
        self.spans = _join([*left, Span(begin, until, as_of), *right])

    def sections(self, since: int | None, until: int | None) -> Iterator[Section]:
        """What a sync of `since <= second < until` has to read, ascending.

        Where a stretch is covered only what was updated meanwhile, elsewhere everything.
        """
        position, end = BEGINNING if since is None else since, END if until is None else until
        for span in self.spans:
            begin, stop = max(span.since, position), min(span.until, end)
            if begin >= stop:
                continue
            if position < begin:
                yield _section(position, begin)
            yield _section(begin, stop, span.known_as_of(begin))
            position = stop
        if position < end:
            yield _section(position, end)


def join_updates(sections: Iterable[Section]) -> list[Section]:
    """Join neighbouring sections that ask for updates, as of the earliest, to save requests."""
    joined: list[Section] = []
    for section in sections:
        last = joined[-1] if joined else None
        if (
            last is not None
            and last.updated_since is not None
            and section.updated_since is not None
            and last.until == section.since
        ):
            since = min(last.updated_since, section.updated_since)
            joined[-1] = Section(last.since, section.until, since)
        else:
            joined.append(section)
    return joined


def look_back(sections: Iterable[Section], begin: int) -> list[Section]:
    """Where updates can't be asked for: read all of what is not older than `begin` again."""
    plain: list[Section] = []
    for section in sections:
        since, until, is_update = section.since, section.until, section.updated_since is not None
        if is_update:
            since = begin if since is None else max(since, begin)
        if until is not None and since is not None and since >= until:
            continue
        if plain and plain[-1].until == since:
            since = plain.pop().since
        plain.append(Section(since, until))
    return plain


def _section(since: int, until: int, updated_since: int | None = None) -> Section:
    return Section(
        None if since == BEGINNING else since, None if until == END else until, updated_since
    )


def _join(spans: list[Span]) -> list[Span]:
    """Join neighbours that are equally known, and the oldest of too many."""
    joined: list[Span] = []
    for span in spans:
        last = joined[-1] if joined else None
        if last is not None and last.until == span.since and last.as_of == span.as_of:
            joined[-1] = last.joined(span)
        else:
            joined.append(span)
    while len(joined) > MAX_SPANS:
        at = next((i for i, (a, b) in enumerate(pairwise(joined)) if a.until == b.since), None)
        if at is None:
            break
        first, second = joined[at : at + 2]
        joined[at : at + 2] = [first.joined(second)]
    return joined


def _second(value: object) -> int:
    return int(to_utc(value).timestamp())
