"""Whole syncs over a model of the source: whatever happens, what is delivered is what it holds.

The tap's own streams read a list in memory instead of HTTP, at a clock that only moves when the
model says so. Everything else is the product: walk, sections, changes, bookmark, STATE.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from copy import deepcopy
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from singer_sdk.singerlib import RecordMessage, StateMessage

from tap_wootric.incremental import IncrementalStream, Query
from tap_wootric.pages import MAX_PAGE
from tap_wootric.tap import TapWootric
from tap_wootric.times import to_utc

from .helpers import WALK_KEYS

Json = dict[str, Any]

START = 1_700_000_000
DAY = 86_400
PAGE = 10
RECORDS_BETWEEN_STATES = 7
KEY = "replication_key_value"


@dataclass
class Stored:
    """A record of the source; times have fractions, and the version counts its changes."""

    id: int
    created: float
    updated: float
    version: int = 1

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

    def add(self, created: float, updated: float | None = None) -> None:
        self.last_id += 1
        moment = self.now if updated is None else updated
        self.rows[self.last_id] = Stored(self.last_id, created, moment)

    def burst(self, n: int, second: int) -> None:
        spread = self.chance.random() < 0.5
        for i in range(n):
            self.add(second + (i / n if spread else 0.5), second + (i / n if spread else 0.5))

    def change(self) -> None:
        """One event of the life of an account."""
        kind = self.chance.choice(["new", "new", "update", "update", "delete", "import", "future"])
        known = self.chance.choice(list(self.rows.values())) if self.rows else None
        if kind == "new":
            self.add(self.now)
        elif kind == "import":
            self.add(self.now - self.chance.uniform(0, 9 * DAY))
        elif kind == "future" and self.stream != "end_users" and self.chance.random() < 0.3:
            self.add(self.now + self.chance.choice([90, 2 * DAY]))
        elif kind == "update" and known:
            known.updated, known.version = self.now, known.version + 1
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
        return [row.shown() for row in rows[(page.number - 1) * page.size :][: page.size]]

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


def sync(source: Source, state: Json | None, strike: tuple[str, int] | None = None, **config: Any) -> Run:
    """One run of the tap over the source."""
    recorder = Recorder()
    tap = TapWootric(
        config={
            "client_id": "id",
            "client_secret": "-",
            "page_size": PAGE,
            "lookback_days": 3650,
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
        assert stop.code == 128 + 15
        end = "stopped"
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
    st.tuples(st.sampled_from([1, 2, 30, 4000, DAY]), st.sampled_from([1, 1, 2, 3, 9, 25, 60, 320])),
    max_size=25,
)
strikes = st.one_of(
    st.none(), st.tuples(st.sampled_from(["kill", "stop"]), st.integers(0, 120))
)
pauses = st.sampled_from([0.0, 0.3, 1.0, 20.0, 59.0, 61.0, 300.0, 2.0 * DAY])


@st.composite
def histories(draw: st.DrawFn) -> Json:
    """A source, what happens to it, and how the runs end."""
    return {
        "stream": draw(st.sampled_from(sorted(WALK_KEYS))),
        "honours_updates": draw(st.booleans()),
        "shape": draw(shapes),
        "bustle": draw(st.sampled_from([0.0, 0.2, 0.6])),
        "runs": draw(st.lists(st.tuples(pauses, st.integers(0, 12), strikes), min_size=1, max_size=5)),
        "seed": draw(st.integers(0, 10_000)),
    }


def play(history: Json, *, any_state: bool = False, **config: Any) -> None:
    """Play the runs, then a last one in peace; and compare."""
    chance = random.Random(history["seed"])
    source = Source(history["stream"], chance, history["honours_updates"])
    populate(source, history["shape"])
    state: Json | None = None
    seen: list[Json | None] = [None]
    sent: Counter[tuple[int, int]] = Counter()
    allowed, highest = 0, ""
    for pause, changes, strike in [*history["runs"], (100.0, 0, None)]:
        is_last = strike is None and pause == 100.0
        source.now += pause
        source.bustle = 0.0 if is_last else history["bustle"]
        for _ in range(changes):
            source.change()
        run = sync(source, chance.choice(seen) if any_state else state, strike, **config)
        assert Counter(run.delivered).most_common(1)[0:1] == [] or max(Counter(run.delivered).values()) == 1
        sent.update(run.delivered)
        allowed += run.unsaved
        seen += run.states
        for found in run.states:
            if not any_state:
                assert bookmark(found, source.stream) >= highest
                highest = bookmark(found, source.stream)
        state = run.states[-1] if run.states else state
    newest = {number: version for number, version in sorted(sent)}

    assert {row.id: row.version for row in source.rows.values()}.items() <= newest.items()
    if not any_state:
        assert sum(n - 1 for n in sent.values()) <= allowed
        source.now += chance.choice([0.0, 30.0, 2.0 * DAY])
        idle = sync(source, state, **config)
        assert idle.delivered == []
        assert bookmark(idle.states[-1], source.stream) == highest


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(histories())
def test_runs_interrupted_anywhere_deliver_all_and_nothing_twice(history: Json) -> None:
    """New, changed, deleted, imported records at any time; kills and signals between any two lines.

    What is sent twice is what a kill cut off from its STATE; an idle run sends nothing.
    """
    play(history)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(histories())
def test_any_state_ever_seen_leads_to_the_whole(history: Json) -> None:
    """Not the last STATE alone: each that was written is true."""
    play(history, any_state=True)
