"""State files: understood or refused in one line, whatever somebody gives the tap for one."""

from __future__ import annotations

from typing import Any

import pytest

from .helpers import WALK_KEYS, Account

WRONG_PARTS: list[dict[str, Any]] = [
    {"coverage": 5},
    {"coverage": [5]},
    {"coverage": [["2024-01-01"]]},
    {"coverage": [[None, "soon", "late"]]},
    {"seen": 5},
    {"overfull": 5},
    {"overfull_untold": [5]},
    {"highest_id": "x"},
    {"smallest_page": "few"},
    {"replication_key_value": "soon"},
    {"replication_key_value": 5},
    {"replication_key_value": {"a": 1}},
]


@pytest.mark.parametrize("part", WRONG_PARTS, ids=str)
def test_a_state_of_which_a_part_is_broken_is_refused_in_one_line(
    account: Account, part: dict[str, Any]
) -> None:
    """The stream is named; nothing is sent on a guess."""
    state = account.sync().state
    state["bookmarks"]["responses"].update(part)

    output = account.sync(state=state)

    if output.code == 0:  # a number is a UNIX time
        assert part == {"replication_key_value": 5}
    else:
        assert "state" in output.error
        (name,) = part
        assert (
            name in {"coverage", "replication_key_value"} or f"its '{name}' is not" in output.error
        )
        assert output.records() == []


@pytest.mark.parametrize("value", [5, [1], [[None]], {"a": 1}, True], ids=str)
def test_a_bookmark_that_is_no_text_is_refused_beside_a_start_too(
    account: Account, value: Any
) -> None:
    """The SDK would compare the two as times."""
    state = account.sync(start_date="2025-06-01").state
    state["bookmarks"]["responses"]["replication_key_value"] = value

    output = account.sync(state=state, start_date="2025-06-01")

    assert output.code == 1
    assert "its bookmark is not a time" in output.error


def test_a_bookmark_alone_is_what_another_tap_or_version_leaves(
    account: Account, stream: str
) -> None:
    """What is before it counts as synced as of then; what has changed since comes too."""
    key = WALK_KEYS[stream]
    rows = sorted(account.truth(stream).values(), key=lambda row: row[key])
    bookmark = rows[40][key].replace(microsecond=0)
    state = {
        "bookmarks": {
            stream: {"replication_key": key, "replication_key_value": bookmark.isoformat()}
        }
    }

    first = account.sync(stream, state=state)
    second = account.sync(stream, state=first.state)

    expected = {row["id"] for row in rows if row["updated_at"] >= bookmark}
    assert expected <= set(first.ids(stream))
    assert set(first.ids(stream)) <= {r["id"] for r in rows if r["updated_at"] >= bookmark}
    assert second.ids(stream) == []


def test_other_streams_and_unknown_keys_of_a_state_are_kept(account: Account) -> None:
    """A state is shared by all streams of a pipeline."""
    state = account.sync().state
    state["bookmarks"]["responses"]["note"] = "kept"
    state["bookmarks"]["gone"] = {"replication_key_value": "2024-01-01T00:00:00+00:00"}

    bookmarks = account.sync("declines", state=state).state["bookmarks"]

    assert bookmarks["gone"] == state["bookmarks"]["gone"]
    assert bookmarks["responses"]["note"] == "kept"
    assert bookmarks["declines"]["replication_key_value"]
