"""Whole syncs over a source that changes: what was delivered equals what the source holds."""

import json
import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tap_wootric.timestamps import from_unix

from ..helpers import REPLICATION_KEYS, Json
from .source import DAY, START, Run, Source, sync

HOUR = 3_600
INTERRUPTIONS = st.tuples(st.sampled_from(["kill", "stop"]), st.integers(0, 120))
RUNS = st.tuples(
    st.sampled_from([0.0, 0.3, 1.0, 20.0, 300.0, 601.0, 2.0 * DAY]),  # pause before the run
    st.integers(0, 12),  # changes before the run
    st.none() | INTERRUPTIONS,
)
GROUPS = st.tuples(
    st.sampled_from([1, 2, 30, 4000, DAY]), st.sampled_from([1, 1, 2, 3, 9, 25, 60, 320])
)


@st.composite
def histories(draw: st.DrawFn) -> Json:
    """A source, what happens to it, and how the runs end."""
    return {
        "stream": draw(st.sampled_from(sorted(REPLICATION_KEYS))),
        "updated_filter": draw(st.sampled_from(["honored", "ignored", "rejected"])),
        "clock_error": draw(st.sampled_from([0, 0, -HOUR, HOUR, 1e8])),
        "lookback_days": draw(st.sampled_from([1, 3650])),
        "groups": draw(st.lists(GROUPS, max_size=25)),
        "churn": draw(st.sampled_from([0.0, 0.2, 0.6])),
        "runs": draw(st.lists(RUNS, min_size=1, max_size=5)),
        "seed": draw(st.integers(0, 10_000)),
    }


class Scenario:
    """The runs of a history, and what they delivered."""

    def __init__(self, history: Json, **config: Any) -> None:
        self.history = history
        self.config = {"lookback_days": history["lookback_days"], **config}
        chance = random.Random(history["seed"])
        self.source = Source(history["stream"], chance, history["updated_filter"])
        self.source.clock_error = history["clock_error"]
        self.states: list[Json | None] = [None]
        self.delivered: Counter[tuple[int, int]] = Counter()
        self.unsaved = 0
        self.incomplete: set[str] = set()
        moment = START - 9 * DAY
        for gap, n in history["groups"]:
            moment += gap
            if moment < START - 1:
                self.source.add_group(n, moment)

    def run(self, state: Json | None, interruption: tuple[str, int] | None = None) -> Run:
        run = sync(self.source, state, interruption, **self.config)
        assert len(run.delivered) == len(set(run.delivered))
        assert run.end == "killed" or run.unsaved == 0
        self.delivered.update(run.delivered)
        self.states += run.states
        self.unsaved += run.unsaved
        self.incomplete |= run.incomplete
        return run

    def play(self, *, from_any_state: bool = False) -> None:
        """Start the runs, and then one without changes and interruptions."""
        for pause, changes, interruption in [*self.history["runs"], (100.0, 0, None)]:
            self.source.now += pause
            is_last = interruption is None and not changes
            self.source.churn = 0 if is_last else self.history["churn"]
            for _ in range(changes):
                self.source.change()
            states = self.states if from_any_state else self.states[-1:]
            self.run(self.source.chance.choice(states), interruption)

    def assert_complete(self) -> None:
        """Assert that the newest version of each record was delivered or reported."""
        source = self.source
        finds_all = source.updated_filter == "honored" or source.stream == "end_users"
        newest = dict(sorted(self.delivered))
        missing = {
            row.id
            for row in source.rows.values()
            if newest.get(row.id) != row.version
            and from_unix(int(source.place(row))) not in self.incomplete
            and (finds_all or self.config["lookback_days"] > 9 or not row.is_late)
        }
        assert missing == set()

    def assert_nothing_twice(self) -> None:
        """Assert that a version is repeated only if a kill cut it off from its STATE."""
        repeated = sum(n - 1 for n in self.delivered.values())
        assert self.source.seems_honored or repeated <= self.unsaved

    def bookmarks(self) -> list[str]:
        found = [(state or {}).get("bookmarks", {}) for state in self.states]
        return [
            state.get(self.source.stream, {}).get("replication_key_value") or "" for state in found
        ]


def check(scenario: Scenario) -> None:
    """Assert what every history has to fulfill."""
    scenario.play()
    scenario.assert_complete()
    scenario.assert_nothing_twice()
    bookmarks = scenario.bookmarks()
    assert bookmarks == sorted(bookmarks)
    assert bookmarks[-1] <= from_unix(int(scenario.source.now + scenario.source.clock_error))
    idle = scenario.run(scenario.states[-1])
    assert idle.delivered == []
    assert scenario.bookmarks()[-1] == bookmarks[-1]
    if not scenario.unsaved:
        intervals = idle.states[-1]["bookmarks"][scenario.source.stream].get("intervals", [])
        assert len(json.dumps(intervals)) < 1_000


def property_test(examples: int) -> Any:
    return settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("examples", [60, pytest.param(400, marks=pytest.mark.soak)])
def test_every_record_is_delivered_in_its_newest_version_and_only_once(examples: int) -> None:
    @property_test(examples)
    @given(histories(), st.sampled_from([1, 4]))
    def check_history(history: Json, concurrency: int) -> None:
        check(Scenario(history, max_concurrency=concurrency))

    check_history()


@property_test(20)
@given(histories())
def test_every_state_that_was_written_resumes_without_loss(history: Json) -> None:
    scenario = Scenario(history)

    scenario.play(from_any_state=True)

    scenario.assert_complete()


@property_test(15)
@given(histories(), st.floats(0.1, 8.9))
def test_an_earlier_start_date_delivers_the_older_records_once(history: Json, days: float) -> None:
    scenario = Scenario(history, start_date=from_unix(int(START - days * DAY)))
    scenario.play()
    del scenario.config["start_date"]

    scenario.run(scenario.states[-1])

    scenario.assert_complete()
    scenario.assert_nothing_twice()
