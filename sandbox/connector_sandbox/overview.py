"""What the page shows: the newest of everything, no more of it in a large account."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote, urlencode

from connector_sandbox import summary
from connector_sandbox.store import STREAMS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from connector_sandbox.birdie import Stored
    from connector_sandbox.messages import Request
    from connector_sandbox.sandbox import Sandbox
    from connector_sandbox.table import Data

Item = TypeVar("Item")

ROWS = 50
REQUESTS = 100
LONGEST_TEXT = 300
APIS = {"wootric", "birdie"}
COUNTERPARTS = {"feedbacks": "responses", "users": "end_users"}
"""Birdie's kinds of record and the Wootric streams that they come from."""


def overview(sandbox: Sandbox) -> Data:
    """Counts, the responses changed last, the PUTs stored last, the last requests, the faults."""
    return {
        "wootric": {stream: sandbox.store.count(stream) for stream in STREAMS},
        "birdie": {kind: sandbox.birdie.count(kind) for kind in COUNTERPARTS},
        "puts": sandbox.birdie.puts,
        "nps": summary.read(sandbox.store, {}, sandbox.options.time_zone),
        "responses": [_response(sandbox, row) for row in sandbox.store.newest("responses", ROWS)],
        "received": {
            "feedbacks": _received(sandbox.birdie.history, lambda kind: kind == "feedbacks"),
            "others": _received(sandbox.birdie.history, lambda kind: kind != "feedbacks"),
        },
        "requests": _requests(sandbox.requests),
        "faults": sandbox.faults.describe(),
    }


def pair(sandbox: Sandbox, kind: str, record_id: str) -> Data:
    """A record of Birdie and what it comes from, each as JSON to be read, or None.

    They are texts because a browser would round the large numbers in them.

    Raises:
        KeyError: Birdie has no such kind.
    """
    stored = sandbox.birdie.latest(kind, record_id)
    return {
        "wootric": _raw(sandbox, COUNTERPARTS.get(kind), record_id),
        "birdie": _pretty(stored.body) if stored else None,
    }


def _response(sandbox: Sandbox, row: Data) -> Data:
    stored = sandbox.birdie.latest("feedbacks", str(row["id"]))
    tags = row.get("tags") or []
    return {
        "id": row["id"],
        "score": row.get("score"),
        "group": _group(row.get("score")),
        "text": _short(row.get("text")),
        "tags": tags if isinstance(tags, list) else [tags],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        "feedback": _state(sandbox, row, stored),
    }


def _state(sandbox: Sandbox, row: Data, stored: Stored | None) -> str:
    """Whether Birdie holds the response: `missing`, `current`, or `outdated` by a later change."""
    if stored is None:
        return "missing"
    ahead = timedelta(seconds=sandbox.options.utc_offset_seconds_clock)
    return "current" if row["updated_at"] <= _moment(stored.time) + ahead else "outdated"


def _received(history: list[Stored], meant: Callable[[str], bool]) -> list[Data]:
    """The PUTs of some kinds of record, apart: thousands of users would hide every feedback."""
    found = ((n, put) for n, put in _newest_first(history) if meant(put.path.split("/", 2)[1]))
    return [_put(number, put) for number, put in islice(found, ROWS)]


def _newest_first(items: list[Item]) -> Iterator[tuple[int, Item]]:
    """Each with its number; what is appended meanwhile is left for the next time."""
    return ((number, items[number]) for number in range(len(items) - 1, -1, -1))


def _put(number: int, stored: Stored) -> Data:
    _, kind, record_id = stored.path.split("/", 2)
    nature = stored.body.get("kind")
    fields = nature.get("fields") if isinstance(nature, dict) else None
    rating = fields.get("rating") if isinstance(fields, dict) else None
    return {
        "number": number,
        "kind": kind,
        "id": unquote(record_id),
        "rating": rating,
        "group": _group(rating),
        "text": _short(stored.body.get("text")),
        "outcome": stored.outcome,
        "received_at": _moment(stored.time),
    }


def _requests(requests: list[Request]) -> list[Data]:
    shown = ((n, request) for n, request in _newest_first(requests) if request.api in APIS)
    return [_request(number, request) for number, request in islice(shown, REQUESTS)]


def _request(number: int, request: Request) -> Data:
    return {
        "number": number,
        "at": _moment(request.started),
        "api": request.api,
        "method": request.method,
        "path": request.path.removeprefix(f"/{request.api}"),
        "query": urlencode(request.query, safe="[]:-"),
        "status": request.status,
        "ms": round(1000 * (request.finished - request.started), 1),
        "fault": request.fault,
    }


def _raw(sandbox: Sandbox, stream: str | None, record_id: str) -> str | None:
    if stream is None or not record_id.isdecimal():
        return None
    try:
        return _pretty(json.loads(sandbox.store.rendered(int(record_id), stream)))
    except KeyError:
        return None


def _pretty(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _group(score: Any) -> str | None:
    return summary.group(score) if isinstance(score, int) else None


def _short(text: Any) -> str:
    text = "" if text is None else str(text)
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…"


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
