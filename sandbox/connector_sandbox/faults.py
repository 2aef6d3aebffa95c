"""The faults of a server or of the network, by name.

A fault gets a `Call`, whose `proceed` performs the request and returns the right reply. The fault
returns the reply that arrives instead.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from threading import Event

from connector_sandbox.web.messages import Reply, Request, json_reply

Proceed = Callable[[], Reply]

HTML = "text/html; charset=utf-8"
PROXY_STATUSES = {502, 503, 504}
STATUSES = (201, 400, 401, 403, 404, 405, 408, 413, 422, 500, *sorted(PROXY_STATUSES))
LAST_PAGE = 30


@dataclass(frozen=True)
class Call:
    """One request that fails, and the parts of the sandbox that a fault may use."""

    request: Request
    proceed: Proceed
    revoke_all: Callable[[], None]
    stopping: Event


def reset(_call: Call) -> Reply:
    """The connection is reset (RST) before the request takes effect."""
    return Reply(delivery="reset")


def lost_reply(call: Call) -> Reply:
    """The request takes effect, then the connection is reset: the reply never arrives."""
    call.proceed()
    return Reply(delivery="reset")


def cut(call: Call) -> Reply:
    """The request takes effect; the connection ends after half of the reply's body."""
    return replace(call.proceed(), delivery="cut")


def html(_call: Call) -> Reply:
    """200 with an HTML page, as from a proxy; the request takes no effect."""
    return Reply(200, b"<html><body>Please try again later</body></html>", content_type=HTML)


def object_reply(_call: Call) -> Reply:
    """200 with a JSON object instead of an array; the request takes no effect."""
    return json_reply(200, {"error": "temporarily unavailable"})


def hang(call: Call, seconds: float = 30.0) -> Reply:
    """No effect and no reply; the connection ends after `seconds`."""
    call.stopping.wait(seconds)
    return Reply(delivery="silent")


def slow(call: Call, seconds: float = 1.0) -> Reply:
    """The right reply, sent in parts over `seconds`."""
    return replace(call.proceed(), delivery="slow", seconds=seconds)


def trickle(call: Call, seconds: float = 0.2) -> Reply:
    """The right reply, one byte every `seconds`, from the status line on."""
    return replace(call.proceed(), delivery="trickle", seconds=seconds)


def revoke(call: Call) -> Reply:
    """All access tokens are revoked before the request is answered."""
    call.revoke_all()
    return call.proceed()


def retry_after(_call: Call, seconds: int = 1, status: int = 503) -> Reply:
    """503, or another `status`, with `Retry-After: seconds`; the request takes no effect."""
    return _error(status, {"Retry-After": str(seconds)})


def firewall(_call: Call) -> Reply:
    """403 with an HTML page, as from a firewall; the request takes no effect."""
    return Reply(403, b"<html><body><h1>Request blocked</h1></body></html>", content_type=HTML)


def page_limit(call: Call) -> Reply:
    """400 for page 31 and later; every other request gets the right reply."""
    page = call.request.query.get("page", "1")
    late = page.isdecimal() and int(page) > LAST_PAGE
    return json_reply(400, {"error": "page is invalid"}) if late else call.proceed()


def too_many(_call: Call, reset_in: float | None = None) -> Reply:
    """429; with the three rate-limit headers only if `reset_in` (seconds) is given."""
    if reset_in is None:
        return _error(429)
    headers = {"Limit": "100", "Remaining": "0", "Reset": str(int(time.time() + reset_in))}
    return _error(429, {f"X-Rate-Limit-{name}": value for name, value in headers.items()})


def _error(status: int, headers: dict[str, str] | None = None, message: str = "") -> Reply:
    if status in PROXY_STATUSES:
        page = f"<html><body><h1>{status} {HTTPStatus(status).phrase}</h1></body></html>"
        return Reply(status, page.encode(), headers or {}, HTML)
    return json_reply(status, {"message": message or HTTPStatus(status).phrase}, headers)


def _plain(status: int) -> Callable[..., Reply]:
    def fault(_call: Call, message: str = "") -> Reply:
        return _error(status, message=message)

    fault.__doc__ = f"Status {status}; the request takes no effect."
    return fault


FAULTS: dict[str, Callable[..., Reply]] = {
    **{str(status): _plain(status) for status in STATUSES},
    "429": too_many,
    "reset": reset,
    "lost_reply": lost_reply,
    "cut": cut,
    "html": html,
    "object": object_reply,
    "hang": hang,
    "slow": slow,
    "trickle": trickle,
    "revoke": revoke,
    "firewall": firewall,
    "page_limit": page_limit,
    "retry_after": retry_after,
}
"""All faults by name."""
