"""States of other taps become bookmarks of the SDK; unknown forms are rejected."""

import json
from pathlib import Path
from typing import Any

import pytest

from tap_wootric.state_migration import migrate_state

from .helpers import REPLICATION_KEYS, Account, Json, assert_complete

TIME = "2024-01-31T09:00:00+00:00"
STATES = json.loads(Path(__file__).with_name("states.json").read_text())


@pytest.mark.parametrize("state", STATES["supported"], ids=str)
def test_every_supported_form_becomes_the_same_bookmark(state: Json) -> None:
    """The time is in UTC, because bookmarks are compared as text."""
    bookmark = {"replication_key": "created_at", "replication_key_value": TIME}

    assert migrate_state(state)["bookmarks"] == {"responses": bookmark}


def test_each_stream_gets_its_replication_key() -> None:
    """End users are sorted by their last change."""
    bookmarks = migrate_state(dict.fromkeys(REPLICATION_KEYS, "2024-01-31"))["bookmarks"]

    assert {name: found["replication_key"] for name, found in bookmarks.items()} == REPLICATION_KEYS


def test_other_streams_and_keys_are_kept() -> None:
    """A state can belong to a pipeline of several taps."""
    known = {"replication_key_value": TIME, "recent": [1]}
    bookmarks = {"invoices": {"replication_key_value": 5}, "responses": known}
    state = {"bookmarks": bookmarks, "currently_syncing": "responses"}

    assert migrate_state(state) == state


@pytest.mark.parametrize("state", STATES["unknown"], ids=str)
def test_an_unknown_form_ends_the_run_in_one_line(account: Account, state: Json) -> None:
    """The tap does not guess, and does not start over."""
    stream = "nps_summary" if "nps_summary" in str(state) else "responses"

    output = account.sync(stream, state=state, start_date="2026-11-01")

    assert output.code == 1
    assert "Cannot read the state: " in output.error
    assert account.lists(stream) == []


@pytest.mark.parametrize("state", STATES["empty"], ids=repr)
def test_an_empty_state_starts_from_the_beginning(account: Account, state: Any) -> None:
    """`tail -1` leaves an empty file if a run wrote no state."""
    output = account.sync(state=state)

    assert output.code == 0
    assert_complete(account, output.records())
