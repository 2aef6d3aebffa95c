"""Birdie's Ingestion API: one PUT per record. Tests can read the stored records."""

from __future__ import annotations

import json
import time
from threading import Lock
from typing import Any, NamedTuple
from urllib.parse import unquote

from connector_sandbox.credentials import Credentials
from connector_sandbox.options import Options
from connector_sandbox.schemas import SCHEMAS, fault_in
from connector_sandbox.web.limits import SlidingSecond
from connector_sandbox.web.messages import Reply, Request, json_reply

MOUNT = "/birdie/ingestion"
COLLECTIONS = {f"{name}s": name for name in SCHEMAS}
"""Record types by path segment. All paths are assumptions."""


class Stored(NamedTuple):
    """One stored PUT: UNIX time, path below the mount, body, `created` or `updated`."""

    time: float
    path: str
    body: dict[str, Any]
    outcome: str


class Birdie:
    """The records at Birdie, and the API that stores them."""

    def __init__(self, options: Options, credentials: Credentials) -> None:
        self._options = options
        self._key = credentials.api_key
        self._limit = SlidingSecond(options)
        self._lock = Lock()
        self._latest: dict[str, dict[str, Stored]] = {name: {} for name in COLLECTIONS}
        self.history: list[Stored] = []
        self.puts = 0
        """The number of PUT requests, stored or not."""

    def records(self, kind: str = "feedbacks") -> dict[str, dict[str, Any]]:
        """Return the last version of each record of a kind such as `feedbacks`, by id."""
        with self._lock:
            return {record_id: stored.body for record_id, stored in self._latest[kind].items()}

    def count(self, kind: str = "feedbacks") -> int:
        """Return the number of stored records of a kind."""
        return len(self._latest[kind])

    def latest(self, kind: str, record_id: str) -> Stored | None:
        """Return the last stored PUT of a record, or None."""
        return self._latest[kind].get(record_id)

    def answer(self, request: Request, body: bytes) -> Reply:
        """Return the reply to one request."""
        below = request.path.removeprefix(MOUNT).strip("/")
        kind, _, rest = below.partition("/")
        if kind == "schemas" and request.method == "GET":
            return self._schema(rest)
        if not request.path.startswith(f"{MOUNT}/") or kind not in COLLECTIONS or not rest:
            return self._refused(404, "There is nothing at this path.")
        if request.method != "PUT":
            return self._refused(405, "Records are sent by PUT.", {"Allow": "PUT"})
        with self._lock:
            self.puts += 1
        if request.headers.get("authorization") != f"ApiKey {self._key}" and (
            self._options.birdie_key_first or _parsed(body) is not None
        ):
            return self._refused(401, "The API key is not valid.")
        if not self._limit.take():
            return self._refused(503, "Too many requests.")
        return self._put(kind, unquote(rest), f"/{below}", body)

    def _put(self, kind: str, record_id: str, path: str, body: bytes) -> Reply:
        record = _parsed(body)
        if record is None:
            return self._refused(400, "The body is not a JSON object.")
        fault = _fault_in(kind, record_id, record) if self._options.birdie_strict else None
        if fault is not None:
            return self._refused(400, fault)
        with self._lock:
            outcome = "updated" if record_id in self._latest[kind] else "created"
            stored = Stored(time.time(), path, record, outcome)
            self._latest[kind][record_id] = stored
            self.history.append(stored)
        return json_reply(201, {"message": "stored"})

    def _schema(self, name: str) -> Reply:
        name = name.removesuffix(".json")
        if not name:
            return json_reply(200, sorted(SCHEMAS))
        if name not in SCHEMAS:
            return self._refused(404, "There is no such schema.")
        return json_reply(200, SCHEMAS[name])

    def _refused(self, status: int, reason: str, headers: dict[str, str] | None = None) -> Reply:
        """Return an error reply; the option `birdie_reason` selects the form of the reason."""
        forms: dict[str, dict[str, Any]] = {
            "message": {"message": reason},
            "error": {"error": reason},
            "errors": {"errors": [reason]},
            "error_objects": {"errors": [{"message": reason}]},
        }
        return json_reply(status, forms[self._options.birdie_reason], headers)


def _fault_in(kind: str, record_id: str, record: dict[str, Any]) -> str | None:
    fault = fault_in(record, SCHEMAS[COLLECTIONS[kind]])
    if fault is None and kind == "feedbacks" and record["feedback_id"] != record_id:
        return "body.feedback_id differs from the id in the path"
    return fault


def _parsed(body: bytes) -> dict[str, Any] | None:
    """Return the record in a body, or None if the body is not a JSON object."""
    try:
        record = json.loads(body)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None
