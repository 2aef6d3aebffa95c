"""Sync a list in full once, then what is new or has changed, for the streams in `lists`."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any, ClassVar

import msgspec
from singer_sdk.helpers.types import Context
from typing_extensions import override

from tap_wootric.config import moment
from tap_wootric.errors import InvalidStateError, ListOrderError, StreamError
from tap_wootric.pagination.pages import MAX_PAGE, IncompleteSecond, PageOrderError, PageRequest
from tap_wootric.pagination.windows import read_windows
from tap_wootric.state.fingerprints import Record, content_hash
from tap_wootric.state.intervals import Range
from tap_wootric.state.sync_state import SyncState
from tap_wootric.streams.base import Json, WootricStream
from tap_wootric.streams.normalizer import to_integer
from tap_wootric.timestamps import from_unix, unix_second

MAX_RECORD_BYTES = 3_000
"""Mean size up to which windows buffer thousands of records within the promised memory."""


class FilterRefusedError(Exception):
    """The API refuses the filter `updated`."""


class FilterIgnoredError(FilterRefusedError):
    """The API ignores the filter `updated`."""


class IncrementalStream(WootricStream):
    """A list of the API that is read in the order of its replication key.

    The API may ignore `updated[gte]` on responses and declines without an error. A record that is
    older than requested reveals that.
    """

    cursor: ClassVar[str] = "created_at"

    _sync: SyncState | None = None
    _page: Sequence[Any] = ()

    @override
    def records(self, context: Context | None) -> Iterable[Json]:
        if self.replication_method == "INCREMENTAL":
            return self._new_records(context)
        return self._emitted(self._read(Range(*self._extent)))

    @property
    def _extent(self) -> tuple[int | None, int | None]:
        moments = (moment(self.config, name) for name in ("start_date", "end_date"))
        since, until = (None if m is None else int(m.timestamp()) for m in moments)
        return since, until

    def _new_records(self, context: Context | None) -> Iterator[Json]:
        self._sync = sync = self._open_state(context)
        since, until = self._extent
        pending = deque(sync.ranges(since, until, asks_updates=self.cursor == "created_at"))
        while pending:
            sync.start(pending[0])
            try:
                yield from self._emitted(filter(sync.is_new, self._read(pending[0])))
            except FilterRefusedError as error:
                is_ignored = isinstance(error, FilterIgnoredError)
                seconds = self.config["lookback_days"] * 86_400
                pending = deque(sync.look_back(until, seconds, is_ignored=is_ignored))
                continue
            sync.finish()
            pending.popleft()
        sync.save()
        self._sync = None
        self.state_manager.is_flushed = False

    def _open_state(self, context: Context | None) -> SyncState:
        try:
            state = self.get_context_state(context)
            return SyncState(state, self.cursor, self.client.server_now)
        except (ValueError, TypeError) as error:
            raise InvalidStateError(problem=f"'{self.name}': {error}") from None

    def _read(self, range_: Range) -> Iterator[Record]:
        """Read a range in ascending order."""
        since, until, updated_since = range_
        fetch = partial(self._fetch, updated_since=updated_since)

        def report(second: IncompleteSecond) -> None:
            is_known = self._sync is not None and self._sync.is_known(second.timestamp)
            self._report_incomplete(second, fails=updated_since is not None or not is_known)

        size = self.config["page_size"]
        # Changed records are few, and their density does not predict the next window.
        workers = 1 if updated_since is not None else self._workers
        now = self.client.server_now
        found = read_windows(
            fetch, since, until, page_size=size, workers=workers, newest=now, report=report
        )
        try:
            for record in self.interruptible(found):
                self.progress.reached = record.timestamp
                yield record
        except PageOrderError as error:
            raise ListOrderError(stream=self.name, detail=error) from None

    def _emitted(self, records: Iterable[Record]) -> Iterator[Json]:
        """Normalize records. Those that cannot be delivered are reported instead."""
        for record in records:
            if record.error:
                self.reject(record.id, record.error)
            else:
                self.progress.changed = self._sync.changed if self._sync else 0
                yield self.normalize(record.sent)

    def _workers(self) -> int:
        """Return 1 if a rate limit makes requests the bottleneck, or if records are very large."""
        is_large = len(msgspec.json.encode(self._page)) > MAX_RECORD_BYTES * len(self._page)
        return 1 if is_large or self.client.rate_limiter.limit else self.config["max_concurrency"]

    def _fetch(self, page: PageRequest, updated_since: int | None = None) -> list[Record]:
        """Request one page. Any thread may call this.

        Raises:
            FilterRefusedError: The API does not honor `updated_since`.
            TapError: The API cannot be brought to answer.
        """
        try:
            params = self._params(page, updated_since)
            sent = self.client.get(self.path, params, expected=list)
        except StreamError:
            if updated_since is None:
                raise
            # The look-back shows whether the list works without the filter.
            raise FilterRefusedError from None
        self._page = sent
        records: list[Record] = []
        for item in sent:
            before = records[-1].timestamp if records else page.since or 0
            records.append(self._place(item, before))
        readable = [record for record in records if not record.error]
        if page.number == MAX_PAGE and records and not readable:
            raise PageOrderError(f"{MAX_PAGE} pages contain no readable '{self.cursor}'")
        if updated_since is not None and any(r.updated < updated_since for r in readable):
            raise FilterIgnoredError
        if self._sync is not None:
            self._sync.saw_reply(self.client.server_now)
        return records

    def _params(self, page: PageRequest, updated_since: int | None) -> dict[str, Any]:
        name = self.cursor.removesuffix("_at")
        updated = {} if updated_since is None else {"updated[gte]": updated_since}
        return {
            **updated,
            f"{name}[gte]": page.since,
            f"{name}[lt]": page.until,
            "sort_key": self.cursor,
            "sort_order": "desc" if page.descending else "asc",
            "per_page": page.size,
            "page": page.number,
        }

    def _place(self, sent: Any, before: int) -> Record:
        """Determine identity and times of an object.

        Args:
            sent: What the API lists; not always an object.
            before: Timestamp of the record in front of it. A record without a readable time keeps
                its place on the page, as a shorter page would look like the last one.
        """
        fields = sent if isinstance(sent, dict) else {}
        timestamp, error = unix_second(fields.get(self.cursor)), None
        if timestamp is None:
            timestamp, error = before, f"'{self.cursor}' is not a time"
        updated = fields.get("updated_at")
        updated = timestamp if updated is None else unix_second(updated)
        if updated is None:
            updated = self.client.server_now  # it may have changed at any time
        try:
            id_: int | str = to_integer(fields.get("id"))
        except ValueError:
            id_, error = content_hash(sent), "'id' is not an integer"
        return Record(id_, timestamp, updated, sent, error)

    def _report_incomplete(self, second: IncompleteSecond, *, fails: bool) -> None:
        line = (
            f"'{self.name}' is incomplete in the second {from_unix(second.timestamp)} "
            f"({second.reason}): the API returned {second.shown} records of it. All other records "
            "were delivered. Ask Wootric for an export of that second."
        )
        self.logger.warning("%s", line)
        if fails:
            self.failures.append(line)

    @override
    def _write_state_message(self) -> None:
        """Add the progress: the SDK's bookmark alone cannot describe an interrupted sync."""
        if self._sync is not None:
            self._sync.save()
        super()._write_state_message()
