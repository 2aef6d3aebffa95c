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
from tap_wootric.errors import StateError
from tap_wootric.incremental import IncrementalStream
from tap_wootric.settings import moment
from tap_wootric.stream import WootricStream
from tap_wootric.sync import BOOKMARK, SEEN
from tap_wootric.times import to_utc

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

DAY = timedelta(days=1)

LAST_MIDNIGHT = timedelta(hours=12)
"""After midnight UTC, a day has ended everywhere; the account's time zone is not known."""


class NpsSummary(WootricStream):
    """NPS, responses and response rates of each complete day; each day is a request."""

    name = "nps_summary"
    path = "/nps_summary"
    schema = schemas.NPS_SUMMARY
    primary_keys: ClassVar[Sequence[str]] = ("date",)
    replication_key = "date"
    is_sorted = True
    selected_by_default = False
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
        sent = {mark.partition("#")[0]: mark for mark in state.get(SEEN) or ()}
        kept: dict[str, str] = {}
        for day in self._days(state.get(BOOKMARK)):
            name = day.isoformat()
            record = {**self.shaped(self.get(day)[0]), "date": name}
            if day > self._last_day:  # the server's clock is known now
                break
            kept[name] = f"{name}#{_digest(record)}"
            if sent.get(name) != kept[name]:
                yield record
            state[SEEN] = list({**sent, **kept}.values())[-self.config["lookback_days"] - 1 :]
        self.state_manager.is_flushed = not kept

    def _days(self, bookmark: str | None) -> Iterator[date]:
        day = self._first_day(bookmark)
        while day is not None and day <= self._last_day:
            yield day
            day += DAY

    @property
    def _last_day(self) -> date:
        end = moment(self.config, "end_date")
        last = (datetime.fromtimestamp(self._tap.server_now, UTC) - LAST_MIDNIGHT - DAY).date()
        return last if end is None else min(last, end.date() - DAY)

    def _first_day(self, bookmark: str | None) -> date | None:
        """The first day to ask for; without a start that of the first response, None without."""
        start = moment(self.config, "start_date")
        begin = start.date() if start else None
        if bookmark is None:
            return begin or self._day_of_first_response()
        try:
            days = int(self.config["lookback_days"])
            again = date.fromisoformat(bookmark) - days * DAY + DAY
        except (TypeError, ValueError):
            message = f"The state of '{self.name}' holds a bookmark that is not a date."
            raise StateError(message) from None
        return again if begin is None else max(again, begin)

    def _day_of_first_response(self) -> date | None:
        stream = self._tap.streams["responses"]
        first = stream.first_record() if isinstance(stream, IncrementalStream) else None
        if first is None:
            return None
        day: date = to_utc(str(first["created_at"])).date()
        return day - DAY


def _digest(record: Json) -> str:
    return hashlib.blake2b(json.dumps(record, sort_keys=True).encode(), digest_size=9).hexdigest()
