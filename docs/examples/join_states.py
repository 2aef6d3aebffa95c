"""Join the states of several syncs of different time ranges, for one sync to go on from.

Usage: join_states.py STATE ... > state.json, with the states in the order of their time ranges.
"""

# ruff: noqa: INP001 - it stands alone

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

BOOKMARK = "replication_key_value"


def join(states: list[dict[str, Any]]) -> dict[str, Any]:
    """The state of one sync that has read what these have read."""
    bookmarks: dict[str, dict[str, Any]] = {}
    for state in states:
        for stream, bookmark in state.get("bookmarks", {}).items():
            known = bookmarks.setdefault(stream, {})
            highest = {
                name: max(part[name] for part in (known, bookmark) if name in part)
                for name in (BOOKMARK, "highest_id")
                if name in known or name in bookmark
            }
            lists = {
                name: [*known.get(name, []), *bookmark.get(name, [])]
                for name in ("coverage", "seen", "overfull", "overfull_untold")
                if name in known or name in bookmark
            }
            known |= bookmark | lists | highest
    return {"bookmarks": bookmarks}


def read(name: str) -> dict[str, Any]:
    """The state in a file; an empty one is what a run leaves that has come to none."""
    try:
        state = json.loads(Path(name).read_text().strip() or "{}")
    except (OSError, ValueError) as error:
        sys.exit(f"join_states.py: {name} can't be read: {error}")
    if not isinstance(state, dict):
        sys.exit(f"join_states.py: {name} is no state: give the last line that the tap wrote")
    return state


if __name__ == "__main__":
    if len(sys.argv) == 1:
        sys.exit("join_states.py: name the states to join, in the order of their time ranges")
    sys.stdout.write(json.dumps(join([read(name) for name in sys.argv[1:]])) + "\n")
