"""State files: understood or refused in one line, whatever somebody gives the tap for one."""

from __future__ import annotations

from typing import Any

import pytest

from .helpers import WALK_KEYS, Account, assert_complete, invoke

BROKEN: list[Any] = [
    "{",
    "not JSON",
    "[]",
    "5",
    '"text"',
    {"bookmarks": 5},
    {"bookmarks": []},
    {"bookmark": {"responses": "2024-01-31"}},
    "null",
    {"bookmarks": {"responses": 5}},
    {"bookmarks": {"responses": [1]}},
    {"bookmarks": {"responses": "last week"}},
    {"responses": "last week"},
    '{"bookmarks": {"responses": {"seen": ["\\ud800"]}}}',
    '{"bookmarks": {"responses": {"seen": [NaN]}}}',
    "[" * 100_000,
]

MENDABLE: list[Any] = [
    "",
    "\n",
    {},
    {"bookmarks": None},
    {"bookmarks": {}},
    {"bookmarks": {"responses": None}},
    {"bookmarks": {"responses": {}}},
    {"bookmarks": {"another_stream": {"replication_key_value": "2024-01-01"}}},
    {"currently_syncing": "responses"},
    {"bookmarks": {"responses": {"created_at": "2099-01-01"}}},
    {"bookmarks": {"responses": {"replication_key": "id", "replication_key_value": 5}}},
]

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


@pytest.mark.parametrize("state", BROKEN, ids=lambda state: str(state)[:40])
def test_what_is_no_state_is_refused_in_one_line(account: Account, state: Any) -> None:
    """Rather than syncing everything again, or nothing."""
    output = account.sync(state=state)

    assert output.code == 1
    assert "state" in output.error
    assert account.lists() == []


@pytest.mark.parametrize("state", MENDABLE, ids=str)
def test_a_state_without_a_bookmark_of_the_stream_syncs_from_the_beginning(
    account: Account, state: Any
) -> None:
    """An empty file is what `tail -1` leaves of a run that wrote no state."""
    output = account.sync(state=state)

    assert output.code == 0
    assert_complete(account, output.records())


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


def test_a_state_file_that_is_not_text_is_refused_in_one_line(account: Account) -> None:
    """A file of another kind, by mistake."""
    path = account.folder / "my-state.bin"
    path.write_bytes(b"\xff\xfe{}")

    output = invoke([*account.options(), "--state", str(path)])

    assert output.code == 1
    assert "my-state.bin: not a JSON object" in output.error


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


@pytest.mark.parametrize("value", ["2025-12-01T00:00:00.000000Z", "2025-11-30 16:00:00 -0800"])
def test_a_bookmark_in_any_form_of_time_is_understood(account: Account, value: str) -> None:
    """And compared as a moment, not as a text."""
    bookmarks = {"responses": {"replication_key": "created_at", "replication_key_value": value}}

    output = account.sync(state={"bookmarks": bookmarks})

    late = [row for row in account.truth().values() if str(row["updated_at"]) >= "2025-12-01"]
    assert set(output.ids()) == {row["id"] for row in late}


def test_other_streams_and_unknown_keys_of_a_state_are_kept(account: Account) -> None:
    """A state is shared by all streams of a pipeline."""
    state = account.sync().state
    state["bookmarks"]["responses"]["note"] = "kept"
    state["bookmarks"]["gone"] = {"replication_key_value": "2024-01-01T00:00:00+00:00"}

    bookmarks = account.sync("declines", state=state).state["bookmarks"]

    assert bookmarks["gone"] == state["bookmarks"]["gone"]
    assert bookmarks["responses"]["note"] == "kept"
    assert bookmarks["declines"]["replication_key_value"]


def test_a_state_file_that_is_missing_is_named(account: Account) -> None:
    """One line, and no request."""
    output = invoke([*account.options(), "--state", "/nowhere/state.json"])

    assert output.code != 0
    assert "/nowhere/state.json" in output.log
    assert account.sandbox.requests == []
