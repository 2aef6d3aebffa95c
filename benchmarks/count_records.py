"""How many different records a file of Singer messages holds, and how many records in all.

A process of its own: what it takes would count as memory of the commands that are started next.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main() -> None:
    """Print both counts as JSON."""
    with Path(sys.argv[1]).open() as lines:
        messages = map(json.loads, lines)
        ids = [message["record"]["id"] for message in messages if message["type"] == "RECORD"]
    print(json.dumps([len(set(ids)), len(ids)]))


if __name__ == "__main__":
    main()
