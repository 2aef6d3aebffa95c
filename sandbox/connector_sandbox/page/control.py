"""The control API: everything that a test can do in Python, as JSON over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from connector_sandbox.account import seed
from connector_sandbox.account.store import STREAMS
from connector_sandbox.parts import Parts
from connector_sandbox.web.messages import Reply, Request, json_reply

MOUNT = "/_control"
HELP = {
    "GET /_control/state": "numbers of records and requests",
    "GET /_control/wootric/{stream}[?newest=N]": "records as stored, times in UTC",
    "GET /_control/wootric/{stream}/{id}": "one record as the API returns it",
    "GET /_control/birdie/{kind}": "stored records by id",
    "GET /_control/birdie/{kind}/{id}": "one stored record",
    "GET /_control/birdie/history[?since=N]": "the PUTs that were stored, in order",
    "GET /_control/requests[?since=N]": "requests in order, without headers and bodies",
    "POST /_control/responses": 'add {"n": ...} new responses',
    "POST /_control/store/{method}": "change the data; the body holds the method's arguments",
    "GET or POST /_control/options": "read or set options",
    "GET or POST or DELETE /_control/faults[/name]": "list, switch on, switch off faults",
    "POST /_control/tokens/revoke": "revoke every access token",
    "GET /_control/page": "the content of the page",
    "GET /_control/page/{kind}/{id}": "a record of Birdie next to its source",
}
LOOPBACK = {"127.0.0.1", "localhost"}
CHANGES = (
    "add",
    "add_response",
    "add_decline",
    "add_end_user",
    "add_segment",
    "change",
    "comment",
    "tag",
    "note",
    "score",
    "update_end_user",
    "delete",
    "import_past",
    "burst",
)


class Control:
    """Answers the requests below `/_control`, except those of the page."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def answer(self, request: Request, body: bytes) -> Reply:
        """Return the reply to one request: 400 or 404 with a message if it is invalid."""
        if request.method != "GET" and is_foreign(request):
            return json_reply(403, {"message": "Pages of other sites may not change anything."})
        first, *rest = request.path.removeprefix(MOUNT).strip("/").split("/")
        route = self._routes().get((request.method, first))
        if route is None:
            return json_reply(404, {"message": "There is nothing at this path.", "paths": HELP})
        try:
            arguments = json.loads(body) if body else {}
            return route(rest, request.query, arguments)
        except KeyError as error:
            return json_reply(404, {"message": f"There is no {error.args[0]!r}."})
        except (AttributeError, TypeError, ValueError) as error:
            return json_reply(400, {"message": str(error)})

    def _routes(self) -> dict[tuple[str, str], Callable[[list[str], dict[str, str], Any], Reply]]:
        return {
            ("GET", ""): lambda *_: json_reply(200, HELP),
            ("GET", "state"): self._state,
            ("GET", "wootric"): self._wootric,
            ("GET", "birdie"): self._birdie,
            ("GET", "requests"): self._requests,
            ("POST", "responses"): self._add_responses,
            ("POST", "store"): self._store,
            ("GET", "options"): self._options,
            ("POST", "options"): self._options,
            ("GET", "faults"): self._faults,
            ("POST", "faults"): self._fault_on,
            ("DELETE", "faults"): self._fault_off,
            ("POST", "tokens"): self._revoke,
        }

    def _state(self, *_: object) -> Reply:
        parts = self._parts
        wootric = {stream: parts.store.count(stream) for stream in STREAMS}
        birdie = {kind: parts.birdie.count(kind) for kind in ("feedbacks", "users")}
        counts = {"wootric": wootric, "birdie": birdie, "puts": parts.birdie.puts}
        return json_reply(200, counts | {"requests": len(parts.requests)})

    def _wootric(self, rest: list[str], query: dict[str, str], _body: object) -> Reply:
        stream, store = rest[0], self._parts.store
        if len(rest) > 1:
            return Reply(body=store.rendered(int(rest[1]), stream))
        if stream == "segments":
            return json_reply(200, store.segments())
        if "newest" in query:
            return json_reply(200, store.newest(stream, int(query["newest"])))
        return json_reply(200, store.records(stream))

    def _birdie(self, rest: list[str], query: dict[str, str], _body: object) -> Reply:
        if rest[0] == "history":
            rows = self._parts.birdie.history[int(query.get("since", 0)) :]
            return json_reply(200, [row._asdict() for row in rows])
        records = self._parts.birdie.records(rest[0])
        return json_reply(200, records["/".join(rest[1:])] if len(rest) > 1 else records)

    def _requests(self, _rest: list[str], query: dict[str, str], _body: object) -> Reply:
        rows = map(asdict, self._parts.requests[int(query.get("since", 0)) :])
        return json_reply(200, [{k: v for k, v in row.items() if k != "headers"} for row in rows])

    def _store(self, rest: list[str], _query: object, arguments: dict[str, Any]) -> Reply:
        if rest[0] not in CHANGES:
            message = f"The store has no method {rest[0]!r}. Methods: {', '.join(CHANGES)}."
            raise ValueError(message)
        return json_reply(200, getattr(self._parts.store, rest[0])(**arguments))

    def _add_responses(self, _rest: object, _query: object, arguments: dict[str, Any]) -> Reply:
        added = seed.add_responses(self._parts.store, self._parts.random, **arguments)
        return json_reply(200, added)

    def _options(self, _rest: object, _query: object, arguments: dict[str, Any]) -> Reply:
        options = self._parts.options
        for name, value in arguments.items():
            setattr(options, name, tuple(value) if isinstance(value, list) else value)
        return json_reply(200, asdict(options))

    def _faults(self, *_: object) -> Reply:
        return json_reply(200, self._parts.faults.describe())

    def _fault_on(self, _rest: object, _query: object, arguments: dict[str, Any]) -> Reply:
        self._parts.faults.on(**arguments)
        return self._faults()

    def _fault_off(self, rest: list[str], *_: object) -> Reply:
        self._parts.faults.off(rest[0] if rest else None)
        return self._faults()

    def _revoke(self, *_: object) -> Reply:
        self._parts.tokens.revoke_all()
        return json_reply(200, {"message": "revoked"})


def is_foreign(request: Request) -> bool:
    """Return whether the request comes from a page of another site.

    Browsers send the header `Origin` with such requests; other clients do not.
    """
    origin, host = request.headers.get("origin"), request.headers.get("host", "")
    # A foreign host name can resolve to this machine, and then both headers agree.
    ours = host.rpartition(":")[0] in LOOPBACK and origin == f"http://{host}"
    return origin is not None and not ours
