"""States as other versions and other taps for Wootric have left them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tap_wootric.times import to_rfc3339, to_utc

REPLICATION_KEYS = {
    "responses": "created_at",
    "declines": "created_at",
    "end_users": "updated_at",
}


def upgraded(state: Mapping[str, Any]) -> dict[str, Any]:
    """Bring a state into the form in which the SDK keeps bookmarks.

    Understood are a STATE message instead of its value, what Meltano keeps a state in, a missing
    or null part, and the form `{"responses": "2024-01-31T09:00:00Z"}` of the tap that was there
    before.

    Raises:
        ValueError: A part is of another form.
    """
    if state.get("type") == "STATE":
        state = state.get("value") or {}
    for wrapping in ("completed", "singer_state"):
        state = state.get(wrapping, state) or {}
    if state and not state.keys() & {"bookmarks", "currently_syncing", *REPLICATION_KEYS}:
        message = "it holds no bookmarks"
        raise ValueError(message)
    if not isinstance(state.get("bookmarks"), Mapping | None):
        message = "its bookmarks are not an object"
        raise ValueError(message)  # noqa: TRY004
    bookmarks = dict(state.get("bookmarks") or {})
    for stream, replication_key in REPLICATION_KEYS.items():
        value = state.get(stream, bookmarks.get(stream))
        if isinstance(value, str):
            bookmarks[stream] = {
                "replication_key": replication_key,
                "replication_key_value": value,
            }
    for stream, bookmark in bookmarks.items():
        if not isinstance(bookmark or {}, Mapping):
            message = f"the bookmark of '{stream}' is not an object"
            raise ValueError(message)  # noqa: TRY004
    return {**state, "bookmarks": {k: _upgraded(k, v or {}) for k, v in bookmarks.items()}}


def _upgraded(stream: str, bookmark: Mapping[str, Any]) -> dict[str, Any]:
    """The bookmark's time in the tap's own form, which texts are compared in."""
    value = bookmark.get("replication_key_value")
    if not isinstance(value, str) or stream not in REPLICATION_KEYS:
        return dict(bookmark)
    try:
        return {**bookmark, "replication_key_value": to_rfc3339(to_utc(value))}
    except ValueError:
        message = f"the bookmark of '{stream}' is not a time"
        raise ValueError(message) from None
