"""Whole syncs over a model of the source: whatever happens, what is delivered is what it holds.

The tap's own streams read a list in memory instead of HTTP, at a clock that only moves when the
model says so. Everything else is the product: walk, sections, changes, bookmark, STATE.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from copy import deepcopy
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from singer_sdk.singerlib import RecordMessage, StateMessage

from tap_wootric.incremental import IncrementalStream, Query
from tap_wootric.pages import MAX_PAGE
from tap_wootric.tap import TapWootric
from tap_wootric.times import from_unix

from .helpers import WALK_KEYS, process_kept

Json = dict[str, Any]

START = 1_700_000_000
DAY = 86_400
PAGE = 10
RECORDS_BETWEEN_STATES = 7
KEY = "replication_key_value"
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
    """A filter on updates that is ignored made no difference, as if it were honoured."""

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
        if updated_since is not None and not self.honours_updates:
            self.seems_to_honour |= all(int(row.updated) >= updated_since for row in rows)
        if page.order == "desc":
            rows = rows[::-1] if self.reverses_ties else sorted(rows, key=lambda r: -place(r))
        return [row.shown() for row in rows[(page.number - 1) * page.size :][: page.size]]

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
            "page_size": PAGE,
            "max_concurrency": 1,
            **config,
        },
        state=deepcopy(state),
        catalog=None,
        message_writer=recorder,  # type: ignore[arg-type]
    )
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


def bookmark(state: Json | None, stream: str) -> str:
    return str(((state or {}).get("bookmarks") or {}).get(stream, {}).get(KEY) or "")


def populate(source: Source, shape: list[tuple[int, int]]) -> None:
    """A history: groups of records, some in one second, up to the present."""
    moment = source.now - 9 * DAY
    for gap, n in shape:
        moment += gap
        if moment < source.now - 1:
            source.burst(n, int(moment))


shapes = st.lists(
    st.tuples(
        st.sampled_from([1, 2, 30, 4000, DAY]), st.sampled_from([1, 1, 2, 3, 9, 25, 60, 320])
    ),
    max_size=25,
)
strikes = st.one_of(st.none(), st.tuples(st.sampled_from(["kill", "stop"]), st.integers(0, 120)))
pauses = st.sampled_from([0.0, 0.3, 1.0, 20.0, 59.0, 61.0, 300.0, 2.0 * DAY])


@st.composite
def histories(draw: st.DrawFn) -> Json:
    """A source, what happens to it, and how the runs end."""
    return {
        "stream": draw(st.sampled_from(sorted(WALK_KEYS))),
        "honours_updates": draw(st.booleans()),
        "lookback_days": draw(st.sampled_from([1, 3650])),
        "shape": draw(shapes),
        "bustle": draw(st.sampled_from([0.0, 0.2, 0.6])),
        "runs": draw(
            st.lists(st.tuples(pauses, st.integers(0, 12), strikes), min_size=1, max_size=5)
        ),
        "seed": draw(st.integers(0, 10_000)),
    }


class Story:
    """The runs of a history, and what has become of it."""

    def __init__(self, history: Json, **config: Any) -> None:
        self.source = Source(
            history["stream"], random.Random(history["seed"]), history["honours_updates"]
        )
        self.config = {"lookback_days": history["lookback_days"], **config}
        self.state: Json | None = None
        self.seen: list[Json | None] = [None]
        self.sent: Counter[tuple[int, int]] = Counter()
        self.unsaved = 0
        populate(self.source, history["shape"])

    def run(self, state: Json | None, strike: tuple[str, int] | None = None) -> Run:
        run = sync(self.source, state, strike, **self.config)
        assert len(run.delivered) == len(set(run.delivered))
        assert run.end == "killed" or run.unsaved == 0
        self.sent.update(run.delivered)
        self.seen += run.states
        self.unsaved += run.unsaved
        self.state = run.states[-1] if run.states else state
        return run

    def go_on(self, history: Json, *, any_state: bool = False) -> None:
        """Play the runs, then a last one in peace."""
        for pause, changes, strike in history["runs"]:
            self.source.now += pause
            self.source.bustle = history["bustle"]
            for _ in range(changes):
                self.source.change()
            self.run(self.source.chance.choice(self.seen) if any_state else self.state, strike)
        self.source.now += 100
        self.source.bustle = 0
        self.run(self.source.chance.choice(self.seen) if any_state else self.state)

    def assert_nothing_twice(self) -> None:
        assert self.source.seems_to_honour or self.twice <= self.unsaved

    @property
    def twice(self) -> int:
        return sum(n - 1 for n in self.sent.values())

    def assert_complete(self) -> None:
        newest = dict(sorted(self.sent))
        due = {row.id: row.version for row in self.source.due(self.config["lookback_days"])}
        assert due.items() <= newest.items()


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(histories())
def test_runs_interrupted_anywhere_deliver_all_and_nothing_twice(history: Json) -> None:
    """New, changed, deleted, imported records at any time; kills and signals between any two lines.

    What is sent twice is what a kill cut off from its STATE.
    """
    story = Story(history)

    story.go_on(history)

    story.assert_complete()
    story.assert_nothing_twice()


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(histories(), st.sampled_from([0.0, 30.0, 2.0 * DAY]))
def test_an_idle_run_sends_nothing_and_keeps_the_bookmark(history: Json, pause: float) -> None:
    """Whatever came before it, and however soon it comes."""
    story = Story(history)
    story.go_on(history)
    before = story.state
    story.source.now += pause

    idle = story.run(before)

    assert idle.delivered == []
    assert bookmark(idle.states[-1], story.source.stream) == bookmark(before, story.source.stream)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(histories())
def test_the_bookmark_never_goes_back_nor_into_the_future(history: Json) -> None:
    """In no STATE of no run, whatever is imported, changed or dated in the future."""
    story = Story(history)

    story.go_on(history)

    bookmarks = [bookmark(state, story.source.stream) for state in story.seen]
    assert bookmarks == sorted(bookmarks)
    assert bookmarks[-1] <= from_unix(int(story.source.now))


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(histories())
def test_any_state_ever_seen_leads_to_the_whole(history: Json) -> None:
    """Not the last STATE alone: each that was written is true."""
    story = Story(history)

    story.go_on(history, any_state=True)

    story.assert_complete()


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(histories())
def test_reading_side_by_side_changes_none_of_it(history: Json) -> None:
    """Threads read ahead; what leaves, and every STATE, is as true as without them."""
    story = Story(history, max_concurrency=4)

    story.go_on(history)

    story.assert_complete()
    story.assert_nothing_twice()


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(histories(), st.floats(0.1, 8.9))
def test_a_start_moved_earlier_brings_the_older_records_once(history: Json, days: float) -> None:
    """What was synced before is not sent again for it."""
    story = Story(history)
    story.config["start_date"] = from_unix(int(START - days * DAY))
    story.go_on(history)
    del story.config["start_date"]

    story.run(story.state)

    story.assert_complete()
    story.assert_nothing_twice()


@pytest.mark.long
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(histories(), st.sampled_from([1, 4]))
def test_many_more_histories_keep_all_of_these_promises(history: Json, concurrency: int) -> None:
    """The same again, far more often than an everyday run has time for."""
    story = Story(history, max_concurrency=concurrency)

    story.go_on(history)

    story.assert_complete()
    story.assert_nothing_twice()
    assert story.run(story.state).delivered == []
