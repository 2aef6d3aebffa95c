"""What to run next in a Meltano project that is configured for the sandbox."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

DATABASE = Path(".meltano/meltano.db")
STATE_ID = "sandbox:tap-wootric-to-target-birdie"
"""The state of `RUN` in the environment `sandbox`."""
RUN = ".venv/bin/meltano run tap-wootric target-birdie"
START_OVER = "make sandbox RESET=1"


def next_step(project: Path, addresses: dict[str, str]) -> str:
    """Return the command to run next, as text for the terminal.

    Args:
        project: The folder of the Meltano project.
        addresses: Environment variables that select this sandbox; empty for the default port.
    """
    if has_state(project):
        return (
            "The sample data is new, but Meltano's state belongs to an earlier sandbox.\n"
            f"Stop this sandbox (Ctrl-C) and start over:\n\n  {START_OVER}\n"
        )
    variables = "".join(f"{name}={value} " for name, value in addresses.items())
    return f"Run next, in another terminal:\n\n  {variables}{RUN}\n"


def has_state(project: Path) -> bool:
    """Return whether Meltano stored a state of an earlier run."""
    path = project / DATABASE
    if not path.is_file():
        return False
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            query = "SELECT 1 FROM state WHERE state_id = ?"
            return database.execute(query, (STATE_ID,)).fetchone() is not None
    except sqlite3.Error:  # a database without that table has no state either
        return False
