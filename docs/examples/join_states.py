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


if __name__ == "__main__":
    texts = [Path(name).read_text() for name in sys.argv[1:]]
    joined = join([json.loads(text) for text in texts if text.strip()])
    sys.stdout.write(json.dumps(joined) + "\n")
