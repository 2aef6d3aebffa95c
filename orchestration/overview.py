"""The table of accounts, from the delivery store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from database import transaction
from target_birdie.delivery.store import account_number

_RUN = "*"
"""The row of a whole run among the streams of an account. The runner writes it, because the target
does not see whether the tap failed."""
_NOTE = sa.text(
    "INSERT INTO birdie_streams VALUES (:account, :run, :now, '{}', '') "
    "ON CONFLICT (account, stream) DO UPDATE SET completed_at = :now"
)
_RUNS = sa.text(
    "SELECT account, max(CASE WHEN stream = :run THEN completed_at END) AS last_success, "
    "nullif(max(newest_posted_at), '') AS newest_response FROM birdie_streams GROUP BY account"
)
_COUNTS = sa.text(
    "SELECT account, count(*) FILTER (WHERE fingerprint <> '') AS records, "
    "count(*) FILTER (WHERE reason <> '') AS rejected FROM birdie_records GROUP BY account"
)


def note_success(name: str) -> None:
    """Note that a run of an account has succeeded.

    Raises:
        AccountsError: The database failed.
    """
    with transaction() as connection:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        connection.execute(_NOTE, {"account": name, "run": _RUN, "now": now})


def overview(names: Sequence[str]) -> list[dict[str, Any]]:
    """Return a row for each account.

    Times are RFC 3339 texts, or None; `records` are at Birdie, `rejected` wait in the store.

    Raises:
        AccountsError: The database failed.
    """
    found: dict[Any, dict[str, Any]] = {}
    with transaction() as connection:
        if sa.inspect(connection).has_table("birdie_records"):  # else no run has begun yet
            for query in (_RUNS, _COUNTS):
                rows = connection.execute(query, {"run": _RUN}).mappings()
                found |= {row["account"]: dict(row) for row in rows}
    nothing = {"last_success": None, "records": 0, "rejected": 0, "newest_response": None}
    counts = [found.get(account_number(name), {}) for name in names]
    return [
        {"account": name} | nothing | count | found.get(name, {}) | {"account": name}
        for name, count in zip(names, counts, strict=True)
    ]


def stale(rows: Iterable[dict[str, Any]], hours: float) -> list[str]:
    """Return the accounts whose last success is longer ago; infinity never is."""
    return [row["account"] for row in rows if _age(row["last_success"]) > hours]


def text(rows: Sequence[dict[str, Any]]) -> str:
    """Return the rows as a table, with ages instead of times."""
    lines = [[name.replace("_", " ") for name in rows[0]]]
    lines += [[_shown(*item) for item in row.items()] for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def _shown(name: str, value: Any) -> str:
    if name not in {"last_success", "newest_response"}:
        return str(value)
    return f"{_age(value) / 24:.1f} days ago" if value else "never"


def _age(moment: str | None) -> float:
    """Return the age of a moment in hours."""
    if not moment:
        return float("inf")
    return (datetime.now(UTC) - datetime.fromisoformat(moment)) / timedelta(hours=1)
