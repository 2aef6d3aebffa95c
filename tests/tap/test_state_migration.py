"""States of other taps become bookmarks of the SDK; unknown forms are rejected."""

from __future__ import annotations

from typing import Any

import pytest

from tap_wootric.state_migration import REPLICATION_KEYS, migrate_state

from .helpers import Account, assert_complete

TIME = "2024-01-31T09:00:00+00:00"


@pytest.mark.parametrize(
    "state",
    [
        {"responses": "2024-01-31T09:00:00Z"},
        {"bookmarks": {"responses": "2024-01-31 01:00:00 -0800"}},
        {"bookmarks": {"responses": {"created_at": TIME}}},
        {"bookmarks": {"responses": {"created_at": 1_706_691_600}}},
        {"bookmarks": {"responses": {"replication_key": "created_at", "created_at": TIME}}},
        {
            "bookmarks": {
                "responses": {"replication_key": "created_at", "replication_key_value": TIME}
            }
        },
    ],
)
def test_every_supported_form_becomes_the_same_bookmark(state: dict[str, Any]) -> None:
    """The time is in UTC, because bookmarks are compared as text."""
    bookmark = {"replication_key": "created_at", "replication_key_value": TIME}

    assert migrate_state(state)["bookmarks"] == {"responses": bookmark}


def test_each_stream_gets_its_replication_key() -> None:
    """End users are sorted by their last change."""
    migrated = migrate_state(dict.fromkeys(REPLICATION_KEYS, "2024-01-31"))["bookmarks"]

    assert {name: bookmark["replication_key"] for name, bookmark in migrated.items()} == {
        "responses": "created_at",
        "declines": "created_at",
        "end_users": "updated_at",
    }


@pytest.mark.parametrize("state", [{}, {"bookmarks": None}, {"bookmarks": {"responses": None}}])
def test_a_state_without_bookmarks_is_empty(state: dict[str, Any]) -> None:
    """The SDK would fail on null."""
    assert not any(migrate_state(state)["bookmarks"].values())


def test_other_streams_and_keys_are_kept() -> None:
    """A state can belong to a pipeline of several taps."""
    state = {
        "bookmarks": {
            "invoices": {"replication_key_value": 5},
            "responses": {"replication_key_value": TIME, "recent": [1]},
        },
        "currently_syncing": "responses",
    }

    assert migrate_state(state) == state


@pytest.mark.parametrize(
    "state",
    [
        {"responses": "last week"},
        {"bookmarks": {"responses": {"created_at": "last week"}}},
        {"bookmarks": {"responses": [1]}},
        {"bookmarks": {"invoices": 5}},
        {"bookmarks": [1]},
        {"bookmark": {"responses": TIME}},
        {"type": "STATE", "value": {}},
    ],
)
def test_an_unknown_form_ends_the_run_in_one_line(account: Account, state: dict[str, Any]) -> None:
    """The tap does not guess, and does not start over."""
    output = account.sync(state=state)

    assert output.code == 1
    assert "Cannot read the state: " in output.error
    assert list(account.sandbox.requests) == []


@pytest.mark.parametrize("state", ["", "\n", {}])
def test_an_empty_state_file_starts_from_the_beginning(account: Account, state: Any) -> None:
    """`tail -1` leaves an empty file if a run wrote no state."""
    output = account.sync(state=state)

    assert output.code == 0
    assert_complete(account, output.records())
