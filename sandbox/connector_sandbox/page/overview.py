"""The content of the page: the newest records and requests, limited in number."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, TypeVar
from urllib.parse import unquote, urlencode

from connector_sandbox.account.store import STREAMS
from connector_sandbox.account.surveys import kind_of
from connector_sandbox.account.table import Data
from connector_sandbox.birdie import Stored
from connector_sandbox.parts import Parts
from connector_sandbox.web.messages import Request
from connector_sandbox.wootric import nps_summary

Item = TypeVar("Item")

ROWS = 50
REQUESTS = 100
LONGEST_TEXT = 300
APIS = {"wootric", "birdie"}
COUNTERPARTS = {"feedbacks": "responses", "users": "end_users"}
"""Birdie's kinds of record, and the Wootric streams that they come from."""


def overview(parts: Parts) -> Data:
    """Return counts, the newest responses, PUTs and requests, and the faults."""
    store, birdie = parts.store, parts.birdie
    return {
        "wootric": {stream: store.count(stream) for stream in STREAMS},
        "birdie": {kind: birdie.count(kind) for kind in COUNTERPARTS},
        "puts": birdie.puts,
        "nps": nps_summary.read(store, {}, parts.options.time_zone),
        "responses": [_response(parts, row) for row in store.newest("responses", ROWS)],
        "received": {
            "feedbacks": _received(birdie.history, lambda kind: kind == "feedbacks"),
            "others": _received(birdie.history, lambda kind: kind != "feedbacks"),
        },
        "requests": _requests(parts.requests),
        "faults": parts.faults.describe(),
    }


def pair(parts: Parts, kind: str, record_id: str) -> Data:
    """Return a record of Birdie and its source, each as formatted JSON or None.

    They are texts because JavaScript rounds large numbers.

    Raises:
        KeyError: Birdie has no such kind.
    """
    stored = parts.birdie.latest(kind, record_id)
    return {
        "wootric": _source(parts, COUNTERPARTS.get(kind), record_id),
        "birdie": _pretty(stored.body) if stored else None,
    }


def _response(parts: Parts, row: Data) -> Data:
    stored = parts.birdie.latest("feedbacks", str(row["id"]))
    tags = row.get("tags") or []
    return {
        "id": row["id"],
        "score": row.get("score"),
        "group": _group(row.get("score"), kind_of(row.get("survey_id"))),
        "text": _short(row.get("text")),
        "tags": tags if isinstance(tags, list) else [tags],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        "feedback": _state(parts, row, stored),
    }


def _state(parts: Parts, row: Data, stored: Stored | None) -> str:
    """Return `missing`, `current`, or `outdated` if the response changed after the last PUT."""
    if stored is None:
        return "missing"
    ahead = timedelta(seconds=parts.options.utc_offset_seconds_clock)
    return "current" if row["updated_at"] <= _moment(stored.time) + ahead else "outdated"


def _received(history: list[Stored], wanted: Callable[[str], bool]) -> list[Data]:
    """Return the newest PUTs of some kinds only: thousands of users would hide the feedbacks."""
    found = ((n, put) for n, put in _newest_first(history) if wanted(put.path.split("/", 2)[1]))
    return [_put(number, put) for number, put in islice(found, ROWS)]


def _newest_first(items: list[Item]) -> Iterator[tuple[int, Item]]:
    """Yield the items that exist now, last one first, each with its number."""
    return ((number, items[number]) for number in range(len(items) - 1, -1, -1))


def _put(number: int, stored: Stored) -> Data:
    _, collection, record_id = stored.path.split("/", 2)
    kind = stored.body.get("kind")
    kind = kind if isinstance(kind, dict) else {}
    fields = kind.get("fields")
    rating = fields.get("rating") if isinstance(fields, dict) else None
    return {
        "number": number,
        "kind": collection,
        "id": unquote(record_id),
        "rating": rating,
        "group": _group(rating, kind.get("name")),
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


def _source(parts: Parts, stream: str | None, record_id: str) -> str | None:
    if stream is None or not record_id.isdecimal():
        return None
    try:
        return _pretty(json.loads(parts.store.rendered(int(record_id), stream)))
    except KeyError:
        return None


def _pretty(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _group(score: Any, kind: object) -> str | None:
    return nps_summary.group(score) if isinstance(score, int) and kind == "nps" else None


def _short(text: Any) -> str:
    text = "" if text is None else str(text)
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…"


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
