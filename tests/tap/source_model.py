"""A source in memory, and runs of the tap over it.

The tap's own streams read a list in memory instead of HTTP, at a clock that only moves when the
model says so. Everything else is the product: walk, sections, changes, bookmark, STATE.
"""

from __future__ import annotations

import json
import random
import threading
import time
from copy import deepcopy
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

from singer_sdk.singerlib import RecordMessage, StateMessage

from tap_wootric.incremental import IncrementalStream, Query
from tap_wootric.pages import MAX_PAGE
from tap_wootric.tap import TapWootric

from .helpers import process_kept

Json = dict[str, Any]

START = 1_700_000_000
DAY = 86_400
PAGE = 10
RECORDS_BETWEEN_STATES = 7
EVENTS = ("new", "new", "update", "update", "delete", "import", "future", "tag all")


@dataclass
class Stored:
    """A record of the source; times have fractions, and the version counts its changes."""

    id: int
    created: float
    updated: float
    version: int = 1
    is_late: bool = False
    """Changed or imported after its time, so that a look-back of days may not reach it."""

    def change(self, now: float) -> None:
        self.updated, self.version, self.is_late = now, self.version + 1, True

    def shown(self) -> Json:
        return {
            "id": self.id,
            "created_at": int(self.created),
            "updated_at": int(self.updated),
            "external_id": str(self.version),
            "origin_url": str(self.version),
        }


@dataclass
class Source:
    """The documented list, with a clock, and life between any two requests."""

    stream: str
    chance: random.Random
    honours_updates: bool
    reverses_ties: bool = True
    now: float = START
    rows: dict[int, Stored] = field(default_factory=dict)
    bustle: float = 0.0
    requests: int = 0
    last_id: int = 0
    seems_to_honour: bool = False
    """A filter on updates that is ignored made no difference to a page, as if it were honoured."""

    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, created: float, updated: float | None = None, *, is_late: bool = False) -> None:
        self.last_id += 1
        moment = self.now if updated is None else updated
        self.rows[self.last_id] = Stored(self.last_id, created, moment, is_late=is_late)

    def burst(self, n: int, second: int) -> None:
        spread = self.chance.random() < 0.5
        for i in range(n):
            self.add(second + (i / n if spread else 0.5), second + (i / n if spread else 0.5))

    def change(self) -> None:
        """One event of the life of an account."""
        kind = self.chance.choice(EVENTS)
        known = self.chance.choice(list(self.rows.values())) if self.rows else None
        if kind == "new":
            self.add(self.now)
        elif kind == "import":
            self.add(self.now - self.chance.uniform(0, 9 * DAY), is_late=True)
        elif kind == "future" and self.stream != "end_users" and self.chance.random() < 0.3:
            self.add(self.now + self.chance.choice([90, 2 * DAY]))
        elif kind == "update" and known:
            known.change(self.now)
        elif kind == "tag all" and self.chance.random() < 0.2:
            for row in sorted(self.rows.values(), key=self.created)[: self.chance.choice([9, 25])]:
                row.change(self.now)
        elif kind == "delete" and known:
            del self.rows[known.id]

    def fetch(self, query: Query) -> list[Json]:
        self.requests += 1
        assert self.requests < 5000
        self.now += self.chance.choice([0, 0.01, 0.4])
        while self.chance.random() < self.bustle:
            self.change()
        page, updated_since = query
        assert 1 <= page.number <= MAX_PAGE
        place = self.updated if self.stream == "end_users" else self.created
        rows = [
            row
            for row in self.rows.values()
            if (page.since is None or place(row) >= page.since)
            and (page.until is None or place(row) < page.until)
            and (updated_since is None or not self.honours_updates or row.updated >= updated_since)
        ]
        rows.sort(key=place)
        if page.order == "desc":
            rows = rows[::-1] if self.reverses_ties else sorted(rows, key=lambda r: -place(r))
        rows = rows[(page.number - 1) * page.size :][: page.size]
        if updated_since is not None and not self.honours_updates:
            self.seems_to_honour |= all(int(row.updated) >= updated_since for row in rows)
        return [row.shown() for row in rows]

    def due(self, lookback_days: int) -> list[Stored]:
        """What a sync has to know when the tap has done what it can."""
        finds_all = self.honours_updates or self.stream == "end_users" or lookback_days > 9
        return [row for row in self.rows.values() if finds_all or not row.is_late]

    @staticmethod
    def created(row: Stored) -> float:
        return row.created

    @staticmethod
    def updated(row: Stored) -> float:
        return row.updated


class KilledError(BaseException):
    """The process ends here, without a further word."""


class Recorder:
    """Takes the tap's messages, and strikes after some of them."""

    def __init__(self) -> None:
        self.tap: TapWootric
        self.delivered: list[tuple[int, int]] = []
        self.states: list[Json] = []
        self.since_state = 0
        self.strike: tuple[str, int] | None = None

    def write_message(self, message: object) -> None:
        if isinstance(message, RecordMessage):
            record = message.record
            version = record.get("external_id") or record["origin_url"]
            self.delivered.append((record["id"], int(version)))
            self.since_state += 1
        if isinstance(message, StateMessage):
            self.states.append(deepcopy(json.loads(json.dumps(message.value))))
            self.since_state = 0
        if self.strike is not None:
            kind, after = self.strike
            self.strike = (kind, after - 1)
            if after <= 0:
                self.strike = None
                if kind == "kill":
                    raise KilledError
                self.tap.stop.request(15)

    def flush(self) -> None:
        """Nothing is held back."""


@dataclass
class Run:
    """What a run delivered and how it ended."""

    delivered: list[tuple[int, int]]
    states: list[Json]
    unsaved: int
    end: str


def sync(
    source: Source, state: Json | None, strike: tuple[str, int] | None = None, **config: Any
) -> Run:
    """One run of the tap over the source."""
    with process_kept():
        return _sync(source, state, strike, config)


def _sync(source: Source, state: Json | None, strike: tuple[str, int] | None, config: Json) -> Run:
    recorder = Recorder()
    tap = TapWootric(
        config={
            "client_id": "id",
            "client_secret": "-",
            "max_concurrency": 1,
            **config,
        },
        state=deepcopy(state),
        catalog=None,
        message_writer=recorder,  # type: ignore[arg-type]
    )
    tap._config["page_size"] = PAGE  # smaller than users may choose, so that little data is enough
    recorder.tap, recorder.strike = tap, strike
    stream = tap.streams[source.stream]
    assert isinstance(stream, IncrementalStream)
    stream.STATE_MSG_FREQUENCY = RECORDS_BETWEEN_STATES

    def fetch(query: Query) -> list[Json]:
        with source.lock:
            rows = source.fetch(query)
        tap.adapter.clock.observe(formatdate(source.now, usegmt=True), time.monotonic())
        return rows

    stream.fetch = fetch  # type: ignore[method-assign, assignment]
    end = "complete"
    try:
        stream.sync()
    except KilledError:
        end = "killed"
    except SystemExit as stop:
        end = "stopped" if stop.code == 128 + 15 else str(stop.code)
    return Run(recorder.delivered, recorder.states, recorder.since_state, end)
