"""The table of accounts, from the delivery store."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from database import transaction
from target_birdie.delivery.store import account_number

_RUN = "*"
"""The row of a whole run among the streams of an account. The runner writes it, because the target
does not see whether the tap failed."""
_NOTE = sa.text("""
    INSERT INTO birdie_streams VALUES (:account, :run, :now, '{}', '')
    ON CONFLICT (account, stream) DO UPDATE SET completed_at = :now
""")
_RUNS = sa.text("""
    SELECT account, max(CASE WHEN stream = :run THEN completed_at END) AS last_success,
        nullif(max(newest_posted_at), '') AS newest_response
    FROM birdie_streams GROUP BY account
""")
_COUNTS = sa.text("""
    SELECT account, count(*) FILTER (WHERE fingerprint <> '') AS records,
        count(*) FILTER (WHERE reason <> '') AS rejected
    FROM birdie_records GROUP BY account
""")
_COLUMNS = ("account", "last success", "records", "rejected", "newest response")


def note_success(name: str) -> None:
    """Note that a run of an account has succeeded.

    Raises:
        AccountsError: The database failed.
    """
    with transaction() as connection:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        connection.execute(_NOTE, {"account": name, "run": _RUN, "now": now})


def overview(names: Iterable[str]) -> list[dict[str, Any]]:
    """Return a row for each account.

    Times are RFC 3339 texts, or None; `records` are at Birdie, `rejected` wait in the store.

    Raises:
        AccountsError: The database failed.
    """
    runs: dict[Any, dict[str, Any]] = {}
    counts: dict[Any, dict[str, Any]] = {}
    with transaction() as connection:
        if sa.inspect(connection).has_table("birdie_records"):  # else no run has begun yet
            for query, found in ((_RUNS, runs), (_COUNTS, counts)):
                rows = connection.execute(query, {"run": _RUN}).mappings()
                found |= {row["account"]: dict(row) for row in rows}
    nothing = {"last_success": None, "records": 0, "rejected": 0, "newest_response": None}
    return [
        nothing | counts.get(account_number(name), {}) | runs.get(name, {}) | {"account": name}
        for name in names
    ]


def stale(rows: Iterable[dict[str, Any]], hours: float) -> list[str]:
    """Return the accounts whose last success is longer ago, or missing."""
    earliest = datetime.now(UTC) - timedelta(hours=hours)
    return [
        row["account"]
        for row in rows
        if not row["last_success"] or datetime.fromisoformat(row["last_success"]) < earliest
    ]


def text(rows: Iterable[dict[str, Any]]) -> str:
    """Return the rows as a table, with ages instead of times."""
    lines = [
        _COLUMNS,
        *(
            (
                row["account"],
                _age(row["last_success"]),
                str(row["records"]),
                str(row["rejected"]),
                _age(row["newest_response"]),
            )
            for row in rows
        ),
    ]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = ("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)
    return "\n".join(padded)


def _age(moment: str | None) -> str:
    if not moment:
        return "never"
    hours = (datetime.now(UTC) - datetime.fromisoformat(moment)) / timedelta(hours=1)
    return f"{hours:.1f} h ago" if hours < 48 else f"{hours / 24:.0f} d ago"  # noqa: PLR2004
