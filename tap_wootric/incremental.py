"""Streams that are synced incrementally: all of it once, afterwards what is new or changed."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

from singer_sdk.helpers.types import Context

from tap_wootric.changes import Row
from tap_wootric.client import Json
from tap_wootric.config import moment
from tap_wootric.coverage import Section
from tap_wootric.errors import RefusedRequestError, ServerError, StateError
from tap_wootric.pages import OrderError, PageRequest, PageSize
from tap_wootric.readers import Readers
from tap_wootric.slices import Slices
from tap_wootric.stream import WootricStream
from tap_wootric.sync import USUAL_SMALLEST_PAGE, Sync
from tap_wootric.times import from_unix, unix_second
from tap_wootric.walk import OverfullSecond, Walk

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override


WORTH_SLICING = 7_500
"""Records still to come, as far as can be told, from which on slices save more than they cost."""

PAGES_BEFORE_SLICES = 4
"""Pages after which a history counts as long; they tell how dense it is."""

BYTES_IN_FLIGHT = 2_000_000
"""Of replies that are read at a time; read, each takes several times as much memory."""


class Query(NamedTuple):
    """A page, narrowed to records that were updated since a UNIX second."""

    page: PageRequest
    updated_since: int | None = None


class UpdatesIgnoredError(Exception):
    """The API does not honour the filter on the time of the last change."""


class IncrementalStream(WootricStream):
    """A list that is walked by its replication key.

    Subclasses name the API's filter and, where it differs, the sort key for that.
    """

    primary_keys: ClassVar[Sequence[str]] = ("id",)
    is_sorted = True
    STATE_MSG_FREQUENCY = 1_000

    walk_key: ClassVar[str] = "created_at"
    """The replication key, the sort key and, without `_at`, the filter."""

    @cached_property
    def _page_size_found(self) -> PageSize:
        """What is known of the length of a full page; each list may have its own."""
        return PageSize(self.config["page_size"])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Start without a sync under way."""
        self._overfull: list[OverfullSecond] = []
        self._began = 0
        self._settled = 0
        self._sync: Sync | None = None
        super().__init__(*args, **kwargs)
        self.replication_key = self.walk_key

    @override
    def get_url_params(
        self, context: Context | None, next_page_token: Query | None
    ) -> dict[str, Any]:
        assert next_page_token is not None
        page, updated_since = next_page_token
        name = self.walk_key.removesuffix("_at")
        params = {
            f"{name}[gte]": page.since,
            f"{name}[lt]": page.until,
            "sort_key": self.walk_key,
            "sort_order": page.order,
            "per_page": page.size,
            "page": page.number,
        }
        if updated_since is not None:
            params["updated[gte]"] = updated_since
        return {key: value for key, value in params.items() if value is not None}

    @override
    def records(self, context: Context | None) -> Iterable[Json]:
        is_incremental = self.replication_method == "INCREMENTAL"
        rows = self._changed(context) if is_incremental else self._read(Section(*self._extent))
        return (row.record for row in rows)

    def first_record(self) -> Json | None:
        """The oldest record that the API holds, None where there is none."""
        oldest = PageRequest(None, None, 1, self.config["page_size"])
        return next((self.shaped(sent, self.walk_key) for sent in self.get(Query(oldest))), None)

    @property
    def _extent(self) -> tuple[int | None, int | None]:
        moments = (moment(self.config, name) for name in ("start_date", "end_date"))
        since, until = (None if m is None else int(m.timestamp()) for m in moments)
        return since, until

    def _changed(self, context: Context | None) -> Iterator[Row]:
        self._sync = sync = self._open(context)
        sections = sync.sections(*self._extent, moves_on_update=self.walk_key == "updated_at")
        while sections:
            section = sections.pop(0)
            sync.begin(section)
            try:
                for row in self._read(section):
                    if sync.is_new(row, self._settled):
                        self.progress.changed = sync.changed
                        yield row
            except UpdatesIgnoredError:
                sections = sync.look_back([section, *sections], self.config["lookback_days"])
                continue
            sync.end()
        is_dated = self._tap.adapter.clock.latest is not None
        sync.complete(self._tap.server_now if is_dated else None)
        self._overfull = sync.tell()
        self._sync = None
        self.state_manager.is_flushed = False

    def _open(self, context: Context | None) -> Sync:
        try:
            state, size = self.get_context_state(context), self._page_size_found
            return Sync(state, self.walk_key, size, self._tap.server_now)
        except (ValueError, TypeError) as error:
            message = (
                f"The state of '{self.name}' can't be understood: {error}. Give the tap a state "
                "that it wrote, or none to begin anew."
            )
            raise StateError(message) from None

    def _read(self, section: Section) -> Iterator[Row]:
        walk: Walk[Row] = Walk(section.since, section.until, self._page_size_found)
        self.progress.begin(section.since)
        try:
            for row in self._walk(walk, section.updated_since):
                self.progress.reach(row.second, section.until or self._newest)
                yield row
        except OrderError as error:
            message = f"Wootric's list of '{self.name}' can't be read: {error}."
            raise ServerError(message) from None

    def _walk(self, walk: Walk[Row], updated_since: int | None) -> Iterator[Row]:
        """Read page after page, and side by side once that is worth it."""
        pages = 0
        while (page := walk.page) is not None:
            if pages >= PAGES_BEFORE_SLICES and updated_since is None and self._may_slice(walk):
                yield from self._walk_side_by_side(walk)
                return
            with self._waiting():
                rows = self._rows(Query(page, updated_since))
            is_open = updated_since is None and walk.until is None
            walk.newest = self._ending if is_open else ()
            fresh = walk.feed(rows)
            self._note_overfull(walk.overfull)
            yield from fresh
            pages += 1

    @property
    def _ending(self) -> Sequence[Row]:
        """The end of the list, unless changes move records: one could come to lie behind it."""
        sync = None if self.walk_key == "updated_at" else self._sync
        return sync.horizon.ending(self._tap.server_now) if sync else ()

    def _may_slice(self, walk: Walk[Row]) -> bool:
        """Where a rate limit is announced, requests are the cost, and slices need a few more."""
        if self._readers == 1 or self._tap.adapter.pace.limit is not None:
            return False
        if walk.density is None or walk.second is None:
            return False
        end = self._newest if walk.until is None else walk.until
        return (end - walk.second) * walk.density >= WORTH_SLICING

    def _walk_side_by_side(self, walk: Walk[Row]) -> Iterator[Row]:
        newest = walk.newest = self._ending if walk.until is None else ()
        end = newest[0].second + 1 if newest else 0
        if walk.second is None or walk.second >= end:
            yield from self._read_slices(walk)
            return
        walk.shorten(end)
        yield from self._read_slices(walk)
        if self._ending:
            yield from (row for row in newest if row.second >= end)
        else:
            yield from self._walk(Walk(end, None, self._page_size_found), None)

    def _read_slices(self, walk: Walk[Row]) -> Iterator[Row]:
        slices = Slices(
            walk,
            self._page_size_found,
            now=self._newest,
            readers=self._readers,
            record_bytes=self.record_bytes,
        )
        reader = Readers(slices, lambda page: self._rows(Query(page)))
        for row in reader.records(self._waiting):
            self._note_overfull(slices.overfull)
            yield row
        self._note_overfull(slices.overfull)

    @property
    def _readers(self) -> int:
        """How many may read side by side: fewer where pages are large."""
        page_bytes = self.record_bytes * self._page_size_found.full
        return min(int(self.config["max_concurrency"]), max(BYTES_IN_FLIGHT // page_bytes, 1))

    def _waiting(self) -> AbstractContextManager[None]:
        """A wait for Wootric: what has been read goes out before it, and a signal breaks it off."""
        self._tap.message_writer.flush()
        return self._tap.stop.interruptible()

    def _note_overfull(self, seconds: Iterable[OverfullSecond]) -> None:
        """Say at once what is missing: should this run break off, no later one comes by again."""
        for found in seconds:
            if found not in self._overfull and (self._sync is None or self._sync.report(found)):
                self._overfull.append(found)
                self.logger.error("%s", self._shortfall(found))

    def _rows(self, query: Query) -> list[Row]:
        try:
            sent = self.fetch(query)
        except RefusedRequestError as error:
            if query.updated_since is not None and error.status in {400, 422}:
                raise UpdatesIgnoredError from None
            raise
        rows = self._placed(sent)
        since = query.updated_since
        if since is not None and any(row.updated < since for row in rows):
            raise UpdatesIgnoredError
        if self._sync is not None:
            self._find_horizon(self._sync, query, rows)
        self.bookmark_limit = from_unix(self._tap.server_now + 1)
        return rows

    def _find_horizon(self, sync: Sync, query: Query, rows: list[Row]) -> None:
        """Learn from each page, and from the newest one as soon as a page may not reach it."""
        now = self._tap.server_now
        self._began = self._began or now
        if not rows:
            return
        horizon = sync.horizon
        horizon.meet(now, (row.updated for row in rows))
        is_dated = self._tap.adapter.clock.latest is not None  # else the local clock has to do
        is_short = len(rows) < USUAL_SMALLEST_PAGE  # a longer page may be one that the server caps
        if horizon.needs_newest(may_be_all=is_short and is_dated):
            sent = self.fetch(Query(PageRequest(None, None, 1, query.page.size, "desc")))
            horizon.meet_newest(now, self._placed(sent)[::-1])
        self._settled = max(self._settled, horizon.settled(self._began, is_dated=is_dated))

    @property
    def _newest(self) -> int:
        """The second up to which there are records, as far as is known."""
        now = self._tap.server_now
        return now if self._sync is None else self._sync.horizon.newest(now)

    def _placed(self, sent: Iterable[Json]) -> list[Row]:
        return [self._row(self.shaped(record, "id", self.walk_key)) for record in sent]

    def _row(self, record: Json) -> Row:
        second = unix_second(record[self.walk_key])
        updated = record["updated_at"]
        changed = unix_second(updated) if updated else second
        return Row((record["id"], second), second, changed, record)

    @override
    def shortfalls(self) -> Iterator[str]:
        return map(self._shortfall, self._overfull)

    def _shortfall(self, overfull: OverfullSecond) -> str:
        second, shown = overfull
        return (
            f"'{self.name}' has too many records in the second {from_unix(second)}: the API "
            f"shows {shown} of them, any others are missing. Everything else was delivered. "
            "To get them, ask Wootric for an export of that second."
        )

    @override
    def _write_state_message(self) -> None:
        """The SDK's bookmark alone can't tell how far an interrupted sync has come."""
        if self._sync is not None:
            self._sync.save_progress()
        super()._write_state_message()
