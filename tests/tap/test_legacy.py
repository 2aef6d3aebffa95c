"""States that other versions and other taps have left are understood or refused, never guessed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tap_wootric.legacy import upgraded

BOOKMARK = {
    "replication_key": "created_at",
    "replication_key_value": "2024-01-31T09:00:00+00:00",
}


@pytest.mark.parametrize(
    "value",
    ["2024-01-31T09:00:00Z", "2024-01-31 01:00:00 -0800", "2024-01-31T09:00:00", "1706691600"],
)
@pytest.mark.parametrize("nested", [True, False])
def test_a_plain_time_becomes_a_bookmark(value: str, nested: bool) -> None:
    """The form of the tap that was there before, at the top level or below `bookmarks`."""
    state = {"bookmarks": {"responses": value}} if nested else {"responses": value}

    assert upgraded(state)["bookmarks"] == {"responses": BOOKMARK}


def test_each_stream_gets_its_own_replication_key() -> None:
    """End users are walked by their last change."""
    state = {"responses": "2024-01-31", "declines": "2024-01-31", "end_users": "2024-01-31"}

    keys = {k: v["replication_key"] for k, v in upgraded(state)["bookmarks"].items()}

    assert keys == {"responses": "created_at", "declines": "created_at", "end_users": "updated_at"}


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda state: {"type": "STATE", "value": state},
        lambda state: {"singer_state": state},
        lambda state: {"completed": {"singer_state": state}, "partial": {}},
    ],
    ids=["message", "meltano", "meltano's own"],
)
def test_a_state_is_found_in_what_it_is_kept_in(wrapped: Callable[[Any], Any]) -> None:
    """What `tail -1` of the output or `meltano state get` leaves in a file."""
    state = {"bookmarks": {"responses": BOOKMARK}}

    assert upgraded(wrapped(state))["bookmarks"] == {"responses": BOOKMARK}


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"bookmarks": None},
        {"bookmarks": {}},
        {"type": "STATE"},
        {"type": "STATE", "value": None},
    ],
)
def test_an_empty_state_is_none(state: dict[str, object]) -> None:
    """Whatever it is empty of."""
    assert upgraded(state)["bookmarks"] == {}


def test_a_missing_part_is_an_empty_bookmark() -> None:
    """The SDK would stumble over null."""
    assert upgraded({"bookmarks": {"responses": None}})["bookmarks"] == {"responses": {}}


def test_a_bookmark_in_another_offset_is_brought_to_utc() -> None:
    """Bookmarks are compared as texts."""
    other = {**BOOKMARK, "replication_key_value": "2024-01-31T01:00:00-08:00"}

    assert upgraded({"bookmarks": {"responses": other}})["bookmarks"]["responses"] == BOOKMARK


def test_a_bookmark_written_by_hand_needs_no_more_than_its_value() -> None:
    """A day stays a day, and a time becomes one in the tap's own form."""
    days = {"replication_key_value": "2024-01-31"}
    state = {"bookmarks": {"nps_summary": days, "responses": days}}

    assert upgraded(state)["bookmarks"] == {
        "nps_summary": days,
        "responses": {"replication_key_value": "2024-01-31T00:00:00+00:00"},
    }


def test_what_it_need_not_understand_is_kept() -> None:
    """Streams and keys of others, and the days of `nps_summary`."""
    days = {"replication_key": "date", "replication_key_value": "2024-01-31"}
    others = {"invoices": {"replication_key_value": 5}, "nps_summary": days}
    state = {"bookmarks": {"responses": {**BOOKMARK, "seen": ["1@2"]}, **others}, "note": 1}

    assert upgraded(state) == state


@pytest.mark.parametrize(
    "state",
    [
        {"responses": "last Tuesday"},
        {"bookmarks": {"responses": {"replication_key_value": "last Tuesday"}}},
        {"bookmarks": {"responses": [1, 2]}},
        {"bookmarks": {"invoices": 5}},
        {"bookmarks": 5},
        {"bookmarks": ["responses"]},
        {"bookmarks": []},
        {"bookmark": {"responses": "2024-01-31T09:00:00Z"}},
    ],
)
def test_what_cannot_be_understood_is_refused(state: dict[str, object]) -> None:
    """Rather than begin anew without a word."""
    with pytest.raises((ValueError, TypeError)):
        upgraded(state)
