"""Whole syncs over a model of the source: whatever happens, what is delivered is what it holds."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tap_wootric.times import from_unix

from .helpers import WALK_KEYS
from .source_model import DAY, START, Json, Run, Source, sync

KEY = "replication_key_value"


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


BUSY = [
    ("declines", False, [(1, 1), (1, 9), (1, 320)], [(0.0, 1, None)], 394),
    (
        "end_users",
        True,
        [(1, 320), (1, 1), (DAY, 2), (30, 320), (DAY, 25)],
        [(1.0, 1, None), (0.0, 1, ("stop", 63)), (1.0, 2, None)],
        7375,
    ),
    (
        "responses",
        False,
        [(30, 2), (30, 9), (4000, 25), (30, 3), (1, 25), (2, 2), (2, 320)],
        [(61.0, 0, None), (0.0, 10, None), (0.0, 8, None), (2.0 * DAY, 7, None)],
        7163,
    ),
]


@pytest.mark.parametrize(("stream", "honours_updates", "shape", "runs", "seed"), BUSY)
def test_a_busy_account_is_no_reason_to_call_a_crowded_second_overfull(
    stream: str, honours_updates: bool, shape: Any, runs: Any, seed: int
) -> None:
    """Histories in which another walk has given up seconds that the API does show."""
    history = {
        "stream": stream,
        "honours_updates": honours_updates,
        "lookback_days": 3650 if stream == "end_users" else 1,
        "shape": shape,
        "bustle": 0.6,
        "runs": runs,
        "seed": seed,
    }
    story = Story(history)

    story.go_on(history)

    story.assert_complete()
    story.assert_nothing_twice()
    assert story.source.requests < 500


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
