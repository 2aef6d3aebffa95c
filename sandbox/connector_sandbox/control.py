"""Everything that a test can do in Python, for commands and for the page: `/_control/...`, JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from connector_sandbox.messages import Reply, json_reply
from connector_sandbox.store import STREAMS

if TYPE_CHECKING:
    from collections.abc import Callable

    from connector_sandbox.messages import Request
    from connector_sandbox.sandbox import Sandbox

MOUNT = "/_control"
HELP = {
    "GET /_control/state": "counts of what is held, received and asked",
    "GET /_control/wootric/{stream}[?newest=N]": "records as stored, times in UTC",
    "GET /_control/wootric/{stream}/{id}": "one record as the API shows it",
    "GET /_control/birdie/{kind}": "stored records by id",
    "GET /_control/birdie/{kind}/{id}": "one stored record",
    "GET /_control/birdie/history[?since=N]": "PUTs that were stored, in order",
    "GET /_control/requests[?since=N]": "requests in order, without headers and bodies",
    "POST /_control/receive": 'let {"n": ...} new responses arrive',
    "POST /_control/store/{method}": "change the data; the method's arguments as a JSON object",
    "GET or POST /_control/options": "read or set options",
    "GET or POST or DELETE /_control/faults[/name]": "read, switch on, switch off faults",
    "POST /_control/tokens/revoke": "revoke every access token",
    "GET /_control/page": "what the page shows: the newest of everything",
    "GET /_control/page/{kind}/{id}": "a response beside its feedback, a person beside its user",
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
    """Answers the requests below its mount."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def answer(self, request: Request, body: bytes) -> Reply:
        """The reply to one request; what is wrong with it comes back as 400 or 404."""
        if request.method != "GET" and is_foreign(request):
            return json_reply(403, {"message": "Another site's page may change nothing here."})
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
            ("POST", "receive"): self._receive,
            ("POST", "store"): self._store,
            ("GET", "options"): self._options,
            ("POST", "options"): self._options,
            ("GET", "faults"): self._faults,
            ("POST", "faults"): self._fault_on,
            ("DELETE", "faults"): self._fault_off,
            ("POST", "tokens"): self._revoke,
        }

    def _state(self, *_: object) -> Reply:
        sandbox = self._sandbox
        wootric = {stream: sandbox.store.count(stream) for stream in STREAMS}
        birdie = {kind: sandbox.birdie.count(kind) for kind in ("feedbacks", "users")}
        counts = {"wootric": wootric, "birdie": birdie, "puts": sandbox.birdie.puts}
        return json_reply(200, counts | {"requests": len(sandbox.requests)})

    def _wootric(self, rest: list[str], query: dict[str, str], _body: object) -> Reply:
        stream = rest[0]
        if len(rest) > 1:
            return Reply(body=self._sandbox.store.rendered(int(rest[1]), stream))
        if stream == "segments":
            return json_reply(200, self._sandbox.store.segments())
        if "newest" in query:
            return json_reply(200, self._sandbox.store.newest(stream, int(query["newest"])))
        return json_reply(200, self._sandbox.store.records(stream))

    def _birdie(self, rest: list[str], query: dict[str, str], _body: object) -> Reply:
        if rest[0] == "history":
            rows = self._sandbox.birdie.history[int(query.get("since", 0)) :]
            return json_reply(200, [row._asdict() for row in rows])
        records = self._sandbox.birdie.records(rest[0])
        return json_reply(200, records["/".join(rest[1:])] if len(rest) > 1 else records)

    def _requests(self, _rest: list[str], query: dict[str, str], _body: object) -> Reply:
        rows = map(asdict, self._sandbox.requests[int(query.get("since", 0)) :])
        return json_reply(200, [{k: v for k, v in row.items() if k != "headers"} for row in rows])

    def _store(self, rest: list[str], _query: object, arguments: dict[str, Any]) -> Reply:
        if rest[0] not in CHANGES:
            message = f"the store has no method {rest[0]!r}; it has {', '.join(CHANGES)}"
            raise ValueError(message)
        return json_reply(200, getattr(self._sandbox.store, rest[0])(**arguments))

    def _receive(self, _rest: object, _query: object, arguments: dict[str, Any]) -> Reply:
        return json_reply(200, self._sandbox.receive(**arguments))

    def _options(self, _rest: object, _query: object, arguments: dict[str, Any]) -> Reply:
        for name, value in arguments.items():
            setattr(self._sandbox.options, name, tuple(value) if isinstance(value, list) else value)
        return json_reply(200, asdict(self._sandbox.options))

    def _faults(self, *_: object) -> Reply:
        return json_reply(200, self._sandbox.faults.describe())

    def _fault_on(self, _rest: object, _query: object, arguments: dict[str, Any]) -> Reply:
        self._sandbox.faults.on(**arguments)
        return self._faults()

    def _fault_off(self, rest: list[str], *_: object) -> Reply:
        self._sandbox.faults.off(rest[0] if rest else None)
        return self._faults()

    def _revoke(self, *_: object) -> Reply:
        self._sandbox.tokens.revoke_all()
        return json_reply(200, {"message": "revoked"})


def is_foreign(request: Request) -> bool:
    """Whether a page of another site asks, which its browser tells; other clients tell nothing."""
    origin, host = request.headers.get("origin"), request.headers.get("host", "")
    # A name that is made to resolve to this machine is foreign too, although both headers agree.
    ours = host.rpartition(":")[0] in LOOPBACK and origin == f"http://{host}"
    return origin is not None and not ours
