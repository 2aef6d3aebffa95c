"""The data of the Wootric account, and the changes that can happen during a sync."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from threading import RLock
from typing import Any, Literal

from connector_sandbox.account.table import Data, Range, Record, Selection, Table
from connector_sandbox.options import Options
from connector_sandbox.times import Clock, Moment, as_datetime, renderer

STREAMS = ("responses", "declines", "end_users")

END_USER: Data = {
    "id": 1,
    "email": "person@example.com",
    "external_id": None,
    "phone_number": None,
    "properties": {},
}
HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})

DEFAULTS: dict[str, Data] = {
    "responses": {
        "end_user_id": 1,
        "survey_id": 1,
        "score": 9,
        "text": None,
        "completed": True,
        "excluded_from_calculations": False,
        "ip_address": "192.0.2.1",
        "origin_url": "https://app.example.com/",
        "tags": [],
        "notes": [],
        "end_user": END_USER,
    },
    "declines": {
        "end_user_id": 1,
        "survey_id": 1,
        "ip_address": "192.0.2.1",
        "origin_url": "https://app.example.com/",
        "end_user": END_USER,
    },
    "end_users": {
        "email": None,
        "last_surveyed": None,
        "external_created_at": None,
        "last_seen_at": None,
        "properties": {},
        "phone_number": None,
        "external_id": None,
        "last_response": None,
        "settings": {
            "email_nps": True,
            "mobile_nps": True,
            "web_nps": True,
            "force_mobile_survey": None,
            "force_web_survey": None,
            "surveys_disabled_by_end_user": None,
        },
    },
}


class Store:
    """The records of the account. All methods are thread-safe.

    Methods return copies whose times are datetimes in UTC with microseconds. A change sets
    `updated_at` to the present time unless it is given, and never changes `created_at`.
    """

    def __init__(self, options: Options, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self._lock = RLock()
        orders = ("created_at", "updated_at")
        self._tables = {
            "responses": Table(orders),
            "declines": Table(orders),
            "end_users": Table((*orders, "email")),
        }
        self._segments: list[Data] = []
        self.survey_templates: Data = {"default_survey_template_id": None, "survey_templates": []}

    def now(self) -> datetime:
        """Return the time of the server."""
        return self._clock.now()

    def records(self, stream: str = "responses") -> list[Data]:
        """Return all records of a stream in order of insertion."""
        with self._lock:
            return self._tables[stream].all()

    def responses(self) -> list[Data]:
        """Return all responses."""
        return self.records("responses")

    def declines(self) -> list[Data]:
        """Return all declines."""
        return self.records("declines")

    def end_users(self) -> list[Data]:
        """Return all end users."""
        return self.records("end_users")

    def segments(self) -> list[Data]:
        """Return the definitions of the custom properties."""
        with self._lock:
            return [dict(row) for row in self._segments]

    def get(self, record_id: int, stream: str = "responses") -> Data:
        """Return one record.

        Raises:
            KeyError: No record has this id.
        """
        with self._lock:
            return dict(self._tables[stream].get(record_id).data)

    def count(self, stream: str = "responses") -> int:
        """Return the number of records of a stream."""
        with self._lock:
            return len(self._tables[stream])

    def newest(self, stream: str, n: int) -> list[Data]:
        """Return the n records with the newest `updated_at`, newest first."""
        with self._lock:
            selection = Selection("updated_at", descending=True, limit=n)
            return [dict(record.data) for record in self._tables[stream].select(selection)]

    def load(self, stream: str, rows: Iterable[Data]) -> None:
        """Add many complete rows, whose times must be datetimes in UTC."""
        with self._lock:
            if stream == "segments":
                self._segments.extend(rows)
            else:
                self._tables[stream].load(rows)

    def add(self, stream: str, created_at: Moment | None = None, **fields: Any) -> Data:
        """Add a record. Fields have defaults; both times default to the present time."""
        with self._lock:
            now, table = self.now(), self._tables[stream]
            created = now if created_at is None else as_datetime(created_at)
            updated = as_datetime(fields.pop("updated_at", now))
            row = {"id": fields.pop("id", None) or table.next_id()}
            row |= {"created_at": created, "updated_at": updated} | DEFAULTS[stream] | fields
            return dict(table.insert(row).data)

    def add_response(self, created_at: Moment | None = None, **fields: Any) -> Data:
        """Add a response; an old `created_at` makes it a back-dated import."""
        return self.add("responses", created_at, **fields)

    def add_decline(self, created_at: Moment | None = None, **fields: Any) -> Data:
        """Add a decline: a survey that was shown but not answered."""
        return self.add("declines", created_at, **fields)

    def add_end_user(self, created_at: Moment | None = None, **fields: Any) -> Data:
        """Add an end user."""
        return self.add("end_users", created_at, **fields)

    def add_segment(self, name: str, data_type: str, created_at: Moment | None = None) -> Data:
        """Define a custom property of type `string`, `date` or `integer`."""
        created = self.now() if created_at is None else as_datetime(created_at)
        row: Data = {"name": name, "data_type": data_type, "created_at": created}
        self.load("segments", [row])
        return dict(row)

    def change(self, record_id: int, stream: str = "responses", **fields: Any) -> Data:
        """Set fields of a record; without fields, only `updated_at` changes.

        Raises:
            KeyError: No record has this id.
        """
        with self._lock:
            table = self._tables[stream]
            record = table.get(record_id)
            updated = as_datetime(fields.pop("updated_at", None) or self.now())
            table.replace(record, record.data | fields | {"updated_at": updated})
            return dict(record.data)

    def comment(self, response_id: int, text: str, updated_at: Moment | None = None) -> Data:
        """Set the comment."""
        return self.change(response_id, text=text, updated_at=updated_at)

    def score(self, response_id: int, score: int, updated_at: Moment | None = None) -> Data:
        """Correct the score."""
        return self.change(response_id, score=score, updated_at=updated_at)

    def tag(self, response_id: int, tag: str, updated_at: Moment | None = None) -> Data:
        """Add a tag."""
        return self._append(response_id, "tags", tag, updated_at)

    def note(self, response_id: int, note: object, updated_at: Moment | None = None) -> Data:
        """Add a note."""
        return self._append(response_id, "notes", note, updated_at)

    def _append(self, response_id: int, name: str, item: object, updated_at: Moment | None) -> Data:
        with self._lock:
            items = [*(self.get(response_id).get(name) or []), item]
            fields: Data = {name: items, "updated_at": updated_at}
            return self.change(response_id, **fields)

    def update_end_user(self, end_user_id: int, **fields: Any) -> Data:
        """Set fields of an end user; existing responses keep their copy of the properties."""
        return self.change(end_user_id, "end_users", **fields)

    def delete(self, stream: str, record_id: int) -> Data:
        """Delete a record.

        Raises:
            KeyError: No record has this id.
        """
        with self._lock:
            return dict(self._tables[stream].delete(record_id).data)

    def import_past(
        self, n: int, created_at: Moment, stream: str = "responses", **fields: Any
    ) -> list[Data]:
        """Add n records with old `created_at`, one second apart, and the present `updated_at`."""
        first = as_datetime(created_at)
        moments = (first + timedelta(seconds=i) for i in range(n))
        return [self.add(stream, moment, **fields) for moment in moments]

    def burst(
        self,
        n: int,
        second: Moment,
        fractions: Literal["same", "spread"] = "same",
        stream: str = "responses",
        **fields: Any,
    ) -> list[Data]:
        """Add n records within one second, all at its middle or evenly spread.

        The second is that of the replication key: `updated_at` for end users, else `created_at`.
        """
        start = as_datetime(second).replace(microsecond=0)
        step = 1_000_000 / n if fractions == "spread" else 0
        added = []
        for i in range(n):
            moment = start + timedelta(microseconds=int(i * step) if step else 500_000)
            given = {"updated_at": moment} | fields if stream == "end_users" else fields
            added.append(self.add(stream, moment, **given))
        return added

    def within(self, stream: str, bounds: Range) -> list[Data]:
        """Return the records created within a time range, in ascending order."""
        with self._lock:
            return self._tables[stream].within("created_at", bounds)

    def page(self, stream: str, selection: Selection) -> bytes:
        """Return the JSON array that the API sends for a selection."""
        with self._lock:
            records = self._tables[stream].select(selection)
            return b"[" + b",".join(map(self._render, records)) + b"]"

    def rendered(self, record_id: int, stream: str = "responses") -> bytes:
        """Return one record as the API sends it, as JSON.

        Raises:
            KeyError: No record has this id.
        """
        with self._lock:
            return self._render(self._tables[stream].get(record_id))

    def dumps(self, value: object) -> bytes:
        """Return JSON whose times have the form that the options select."""
        show = renderer(self._options.time_format, self._options.time_zone)
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=show)
        return text.encode()

    def _render(self, record: Record) -> bytes:
        escape = self._options.html_text
        style = (self._options.time_format, self._options.time_zone, escape)
        if record.rendered is None or record.rendered[0] != style:
            shown = with_html_text(record.data) if escape else record.data
            record.rendered = (style, self.dumps(shown))
        return record.rendered[1]


def with_html_text(data: Data) -> Data:
    """Return a copy with HTML-escaped comments, also that of the last response.

    Rails escapes these five characters.
    """
    data = dict(data)
    if isinstance(data.get("text"), str):
        data["text"] = data["text"].translate(HTML)
    if isinstance(data.get("last_response"), dict):
        data["last_response"] = with_html_text(data["last_response"])
    return data
