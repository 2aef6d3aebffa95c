"""The routes of the Wootric API."""

from __future__ import annotations

from connector_sandbox.account.store import STREAMS, Store
from connector_sandbox.options import Options
from connector_sandbox.times import Clock
from connector_sandbox.web.limits import FixedWindow
from connector_sandbox.web.messages import Reply, Request, json_reply
from connector_sandbox.wootric import email_stats, nps_summary, query
from connector_sandbox.wootric.tokens import Tokens

MOUNT = "/wootric"
V1 = (*STREAMS, "segments", "nps_summary", "survey_templates")
DATA = {f"/v1/{name}": name for name in V1} | {"/v2/email_stats": "email_stats"}
"""The paths that return data, and the name of that data."""
SUMMARIES = {"nps_summary": nps_summary.read, "email_stats": email_stats.read}


class Wootric:
    """Answers the requests below `/wootric`."""

    def __init__(self, store: Store, tokens: Tokens, options: Options, clock: Clock) -> None:
        self._store = store
        self._tokens = tokens
        self._options = options
        self._limit = FixedWindow(options, clock)

    def answer(self, request: Request, body: bytes) -> Reply:
        """Return the reply to one request."""
        route = (request.method, request.path.removeprefix(MOUNT))
        if route == ("POST", "/oauth/token"):
            return self._tokens.answer(request, body)
        if route[0] != "GET" or not is_data(request.path):
            return _not_found()
        if not self._tokens.valid(request.headers.get("authorization", "")):
            return _unauthorized()
        passes, headers = self._limit.take()
        if not passes:
            return json_reply(429, {"error": "Rate limit exceeded"}, headers)
        try:
            content = self._content(DATA[route[1]], request.query)
        except query.BadQueryError as error:
            return json_reply(400, {"error": str(error)}, headers)
        return Reply(200, content, headers)

    def _content(self, name: str, parameters: dict[str, str]) -> bytes:
        if name in STREAMS:
            selection = query.read(name, parameters, self._options)
            return self._store.page(name, selection)
        if name in SUMMARIES:
            read = SUMMARIES[name]
            return self._store.dumps(read(self._store, parameters, self._options.time_zone))
        if name == "survey_templates":
            return self._store.dumps(self._store.survey_templates)
        rows = self._store.segments()
        if self._options.segments_paged:
            size, offset = query.page_of(parameters, self._options)
            rows = rows[offset : offset + size]
        return self._store.dumps(rows)


def is_data(path: str) -> bool:
    """Return whether a path, including the mount, returns data."""
    return path.startswith(MOUNT) and path.removeprefix(MOUNT) in DATA


def _not_found() -> Reply:
    error = {
        "status": "record_not_found",
        "message": "The record could not be found",
        "field": None,
    }
    return json_reply(404, {"type": "error_list", "errors": [error]})


def _unauthorized() -> Reply:
    challenge = {"WWW-Authenticate": 'Bearer realm="Doorkeeper", error="invalid_token"'}
    return json_reply(
        401,
        {"error": "invalid_token", "error_description": "The access token is invalid or expired."},
        challenge,
    )
