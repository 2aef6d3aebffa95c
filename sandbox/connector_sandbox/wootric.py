"""The Wootric API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector_sandbox import query, summary
from connector_sandbox.limits import FixedWindow
from connector_sandbox.messages import Reply, json_reply
from connector_sandbox.store import STREAMS, Store

if TYPE_CHECKING:
    from connector_sandbox.messages import Request
    from connector_sandbox.options import Options
    from connector_sandbox.times import Clock
    from connector_sandbox.tokens import Tokens

MOUNT = "/wootric"


class Wootric:
    """Answers the requests below its mount."""

    def __init__(self, store: Store, tokens: Tokens, options: Options, clock: Clock) -> None:
        self._store = store
        self._tokens = tokens
        self._options = options
        self._limit = FixedWindow(options, clock)

    def answer(self, request: Request, body: bytes) -> Reply:
        """The reply to one request."""
        route = (request.method, request.path.removeprefix(MOUNT))
        if route == ("POST", "/oauth/token"):
            return self._tokens.answer(request, body)
        if route[0] != "GET" or not is_list(request.path):
            return json_reply(404, {"error": "Not found"})
        if not self._tokens.valid(request.headers.get("authorization", "")):
            return _unauthorised()
        passes, headers = self._limit.take()
        if not passes:
            return json_reply(429, {"error": "Rate limit exceeded"}, headers)
        try:
            content = self._content(route[1].rpartition("/")[2], request.query)
        except query.BadQueryError as error:
            return json_reply(400, {"error": str(error)}, headers)
        return Reply(200, content, headers)

    def _content(self, name: str, parameters: dict[str, str]) -> bytes:
        if name in STREAMS:
            selection = query.read(name, parameters, self._options)
            return self._store.page(name, selection)
        if name == "nps_summary":
            zone = self._options.time_zone
            return self._store.dumps(summary.read(self._store, parameters, zone))
        rows = self._store.segments()
        if self._options.segments_paged:
            size, offset = query.page_of(parameters, self._options)
            rows = rows[offset : offset + size]
        return self._store.dumps(rows)


def is_list(path: str) -> bool:
    """Whether a path, with its mount, is one that gives data."""
    name = path.removeprefix(f"{MOUNT}/v1/")
    return name != path and name in {*STREAMS, "segments", "nps_summary"}


def _unauthorised() -> Reply:
    challenge = {"WWW-Authenticate": 'Bearer realm="Doorkeeper", error="invalid_token"'}
    return json_reply(
        401,
        {"error": "invalid_token", "error_description": "The access token is invalid or expired."},
        challenge,
    )
