"""States that other taps for Wootric have written, in the form of the SDK.

Supported are singer-io's tap (`{"responses": "2024-01-31T09:00:00Z"}`, also below `bookmarks`), and
a bookmark under its replication key (`{"bookmarks": {"responses": {"created_at": "…"}}}`).
"""

from collections.abc import Mapping
from typing import Any

from tap_wootric.errors import InvalidStateError
from tap_wootric.timestamps import canonical

REPLICATION_KEYS = {"responses": "created_at", "declines": "created_at", "end_users": "updated_at"}


def migrate_state(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return a state with SDK bookmarks; other keys are kept.

    Raises:
        InvalidStateError: The state or a bookmark has an unknown form.
    """
    if state and not state.keys() & {"bookmarks", "currently_syncing", *REPLICATION_KEYS}:
        raise InvalidStateError(problem="it contains no bookmarks")
    bookmarks = state.get("bookmarks", {})
    if not isinstance(bookmarks, Mapping | None):
        raise InvalidStateError(problem="'bookmarks' is not an object")
    plain = {stream: state[stream] for stream in REPLICATION_KEYS if stream in state}
    found = {**plain, **(bookmarks or {})}
    return {**state, "bookmarks": {name: _bookmark(name, value) for name, value in found.items()}}


def _bookmark(stream: str, value: Any) -> dict[str, Any]:
    key = REPLICATION_KEYS.get(stream)
    if isinstance(value, str) and key:
        value = {key: value}
    if not isinstance(value or {}, Mapping):
        raise InvalidStateError(problem=f"the bookmark of '{stream}' is not an object")
    bookmark = dict(value or {})
    # Bookmarks are compared as text, so that their format must be that of the records.
    if key in bookmark and "replication_key_value" not in bookmark:
        bookmark = {"replication_key": key, "replication_key_value": bookmark[key]}
    if key and isinstance(bookmark.get("replication_key_value"), str | int):
        try:
            bookmark["replication_key_value"] = canonical(bookmark["replication_key_value"])
        except ValueError:
            raise InvalidStateError(problem=f"the bookmark of '{stream}' is not a time") from None
    return bookmark
