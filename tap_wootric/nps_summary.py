"""Wootric's own NPS figures, a record a day."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar

from singer_sdk.helpers.types import Context

from tap_wootric import schemas
from tap_wootric.client import Json
from tap_wootric.config import moment
from tap_wootric.errors import StateError
from tap_wootric.incremental import IncrementalStream
from tap_wootric.stream import WootricStream
from tap_wootric.sync import BOOKMARK, COVERAGE, SEEN
from tap_wootric.times import to_utc

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

Days = tuple[date, date]
"""The first and the last of a range."""

DAY = timedelta(days=1)

LAST_MIDNIGHT = timedelta(hours=12)
"""After midnight UTC, a day has ended everywhere; the account's time zone is not known."""


class NpsSummary(WootricStream):
    """NPS, responses and response rates of each complete day; each day is a request."""

    name = "nps_summary"
    path = "/nps_summary"
    declared_schema = schemas.NPS_SUMMARY
    primary_keys: ClassVar[Sequence[str]] = ("date",)
    replication_key = "date"
    is_sorted = True
    selected_by_default = False
    records_per_day = 1
    STATE_MSG_FREQUENCY = 30

    @override
    def get_url_params(
        self, context: Context | None, next_page_token: date | None
    ) -> dict[str, Any]:
        return {"date[start]": next_page_token, "date[end]": next_page_token}

    @override
    def is_expected(self, page: object) -> bool:
        return isinstance(page, dict) and "nps" in page

    @override
    def parse_response(self, response: Any) -> Iterable[Json]:
        yield response.page

    @override
    def records(self, context: Context | None) -> Iterator[Json]:
        """Emit days that are new, and those of the look-back that late answers have changed."""
        is_incremental = self.replication_method == "INCREMENTAL"
        state = self.get_context_state(context) if is_incremental else {}
        bookmark, marks, covered = self._known(state)
        begin = self._first_day or bookmark
        if begin is None:
            return
        if bookmark and not covered:  # left by a version that kept none
            covered = [(min(begin, bookmark), bookmark)]
        again = _before(bookmark, self.config["lookback_days"] - 1) if bookmark else None
        for day in self._days(begin, again, covered):
            found = list(map(self.shaped, self.records_of(day, self.get(day)[0])))
            if day >= self._end:  # the server's clock is known now
                break
            new = []
            for record in found:
                name = "/".join(record[key] for key in self.primary_keys)
                mark = f"{name}#{_digest(record)}"
                if marks.get(name) != mark:
                    marks[name] = mark
                    new.append(record)
            covered = _joined([*covered, (day, day)])
            kept = (self.config["lookback_days"] + 1) * self.records_per_day
            state[SEEN] = sorted(marks.values())[-kept:]
            state[COVERAGE] = [[first.isoformat(), last.isoformat()] for first, last in covered]
            yield from new

    def records_of(self, day: date, reply: Json) -> Iterable[Json]:
        """Return the records of a day."""
        return [{**reply, "date": day.isoformat()}]

    def _known(self, state: Json) -> tuple[date | None, dict[str, str], list[Days]]:
        """What earlier syncs have left: bookmark, marks of the last days, and the days read."""
        try:
            bookmark = date.fromisoformat(state[BOOKMARK]) if state.get(BOOKMARK) else None
            marks = {mark.partition("#")[0]: mark for mark in state.get(SEEN) or ()}
            covered = [
                (date.fromisoformat(first), date.fromisoformat(last))
                for first, last in state.get(COVERAGE) or ()
            ]
        except (AttributeError, TypeError, ValueError):
            wrong = "it holds no dates where they belong"
            message = (
                f"The state of '{self.name}' can't be understood: {wrong}. Give the tap a state "
                "that it wrote, or none to begin anew."
            )
            raise StateError(message) from None
        if bookmark:
            state[BOOKMARK] = bookmark.isoformat()  # texts are compared
        return bookmark, marks, covered

    def _days(self, begin: date, again: date | None, covered: list[Days]) -> Iterator[date]:
        """The days that no sync has read, and from `again` on all of them."""
        day = begin
        while day < self._end:
            if (again and day >= again) or not any(a <= day <= b for a, b in covered):
                yield day
            day += DAY

    @property
    def _end(self) -> date:
        """The first day that is not complete, or that `end_date` lies in."""
        end = moment(self.config, "end_date")
        now = (datetime.fromtimestamp(self._tap.server_now, UTC) - LAST_MIDNIGHT).date()
        return now if end is None else min(now, end.date())

    @property
    def _first_day(self) -> date | None:
        """The day of `start_date`, without one that of the first response, None without either."""
        start = moment(self.config, "start_date")
        return start.date() if start else self._day_of_first_response()

    def _day_of_first_response(self) -> date | None:
        stream = self._tap.streams["responses"]
        first = stream.first_record() if isinstance(stream, IncrementalStream) else None
        if first is None:
            return None
        day: date = to_utc(str(first["created_at"])).date()
        return day - DAY


def _digest(record: Json) -> str:
    return hashlib.blake2b(json.dumps(record, sort_keys=True).encode(), digest_size=9).hexdigest()


def _before(day: date, days: int) -> date:
    """So many days before a day, as far as there are any."""
    return date.fromordinal(max(day.toordinal() - days, 1))


def _joined(covered: Iterable[Days]) -> list[Days]:
    """The same days in as few ranges as there can be, ascending."""
    joined: list[Days] = []
    for first, last in sorted(covered):
        if joined and first.toordinal() <= joined[-1][1].toordinal() + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return joined
