"""Decide which days of figures to request and to emit, for two streams of one request per day."""

import abc
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import ClassVar

from singer_sdk.helpers.types import Context
from typing_extensions import override

from tap_wootric.config import moment
from tap_wootric.errors import InvalidStateError
from tap_wootric.state.fingerprints import content_hash
from tap_wootric.state.sync_state import RECENT
from tap_wootric.streams.base import BOOKMARK, Json, WootricStream
from tap_wootric.timestamps import parse

DAY = timedelta(days=1)
FIRST_DAY = "first_day"

SENDS = {"email_stats": "all", "initial_send": "initial", "reminder_send": "reminder"}
"""Keys of a reply of the e-mail statistics (documented), and the value of `send` for each."""

TIME_ZONE_MARGIN = timedelta(hours=12)
"""The API counts days in the account's time zone; then a day of UTC has ended everywhere."""


class DailyStream(WootricStream):
    """A request per day: days that are new, and the last ones again if their figures changed.

    The state holds the bookmark (the last day read), `first_day`, and fingerprints of the days
    that `lookback_days` reads again. All days between the first and the last were read.
    """

    cursor: ClassVar[str] = "date"
    selected_by_default = False
    STATE_MSG_FREQUENCY = 30

    @abc.abstractmethod
    def day(self, day: date) -> Iterable[Json]:
        """Request the records of one day."""

    @override
    def records(self, context: Context | None) -> Iterator[Json]:
        state = self.get_context_state(context) if self.replication_method == "INCREMENTAL" else {}
        first, last, recent = self._known(state)
        if (start := self._start(first)) is None:
            return
        if first and last and (self._end < first or start - DAY > last):
            first, last, recent = None, None, {}  # a gap would look like days that were read
        for day in self._days(start, first, last):
            records = list(self.day(day))
            if day >= self._end:  # the server's clock is known only after the first reply
                continue
            digest = content_hash(records)
            new = records if recent.get(day.isoformat()) != digest else []
            state.setdefault(RECENT, [])  # without it, the bookmark would cover the whole day
            yield from new[:-1]
            recent[day.isoformat()] = digest
            first = min(first or day, day)
            kept = sorted(recent)[-self.config["lookback_days"] - 1 :]
            state[RECENT] = [[name, recent[name]] for name in kept]
            state[FIRST_DAY] = first.isoformat()
            yield from new[-1:]
            self.state_manager.is_flushed = False

    def _known(self, state: Json) -> tuple[date | None, date | None, dict[str, str]]:
        """Return the first and the last day that was read, and the fingerprints of days."""
        try:
            recent = dict(state.get(RECENT) or ())
            newest = max(recent, default=None if RECENT in state else state.get(BOOKMARK))
            last = date.fromisoformat(newest[:10]) if newest else None
            first = date.fromisoformat(state[FIRST_DAY]) if state.get(FIRST_DAY) else last
        except (TypeError, ValueError) as error:
            raise InvalidStateError(problem=f"'{self.name}': {error}") from None
        return first, last, recent

    def _days(self, start: date, first: date | None, last: date | None) -> Iterator[date]:
        """Yield the days to read: older ones backwards, so that the days read have no gap."""
        day = first or start
        while (day := day - DAY) >= start:
            yield day
        if last is not None:
            look_back = self.config["lookback_days"] * DAY
            day = max(start - DAY, min(last, self._today - DAY) - look_back)
        while (day := day + DAY) < self._end:
            yield day

    @property
    def _end(self) -> date:
        """The first day that is incomplete, or that `end_date` excludes."""
        end = moment(self.config, "end_date")
        return self._today if end is None else min(self._today, end.date())

    @property
    def _today(self) -> date:
        """The first day that is incomplete somewhere."""
        return (datetime.fromtimestamp(self.client.server_now, UTC) - TIME_ZONE_MARGIN).date()

    def _start(self, first: date | None) -> date | None:
        """Return the day of `start_date`, or a day before the first response (its day is UTC)."""
        if start := moment(self.config, "start_date"):
            return start.date()
        params = {"sort_key": "created_at", "sort_order": "asc", "per_page": 25, "page": 1}
        for sent in self.client.get("/v1/responses", params, expected=list):
            with suppress(LookupError, TypeError, ValueError):  # the next one may have a time
                return parse(sent["created_at"]).date() - DAY
        return first


class NpsSummary(DailyStream):
    """NPS, response counts and response rates of each complete day."""

    name = "nps_summary"
    path = "/v1/nps_summary"
    keys = ("date",)

    @override
    def day(self, day: date) -> Iterator[Json]:
        params = {"date[start]": day, "date[end]": day}
        sent = self.client.get(self.path, params, expected=dict)
        yield {**self.normalize(sent), "date": day.isoformat()}


class EmailStats(DailyStream):
    """Counts of the survey e-mails of each complete day: a record per kind of e-mail."""

    name = "email_stats"
    path = "/v2/email_stats"
    keys = ("date", "send")

    @override
    def day(self, day: date) -> Iterator[Json]:
        """Yield the counts of `raw_results`: they replace texts such as `"2 (29%)"`."""
        params = {"date_range[start_date]": day, "date_range[end_date]": day}
        reply = self.client.get(self.path, params, expected=dict)
        for key, send in SENDS.items():
            if isinstance(stats := reply.get(key), dict):
                counts = stats.pop("raw_results", {})
                stats |= counts if isinstance(counts, dict) else {"raw_results": counts}
                yield {**self.normalize(stats), "date": day.isoformat(), "send": send}
