"""Ways in which a server or the network fails, each under its name.

A fault is called with `proceed`, which lets the request take effect and gives the right reply; it
returns what arrives instead.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from connector_sandbox.messages import Reply, json_reply

if TYPE_CHECKING:
    from threading import Event

Proceed = Callable[[], Reply]

HTML = "text/html; charset=utf-8"
PROXY_STATUSES = {502, 503, 504}
STATUSES = (400, 408, 413, 422, 500, *sorted(PROXY_STATUSES))


class Scene(Protocol):
    """What a fault can reach of the sandbox."""

    stopping: Event
    revoke_all: Callable[[], None]


def reset(_proceed: Proceed, _scene: Scene) -> Reply:
    """The connection is reset (RST) before the request takes effect."""
    return Reply(delivery="reset")


def lost_reply(proceed: Proceed, _scene: Scene) -> Reply:
    """The request takes effect, then the connection is reset: the reply never arrives."""
    proceed()
    return Reply(delivery="reset")


def cut(proceed: Proceed, _scene: Scene) -> Reply:
    """The request takes effect; half of the reply's body arrives, then the connection ends."""
    return replace(proceed(), delivery="cut")


def html(_proceed: Proceed, _scene: Scene) -> Reply:
    """200 with a page for people, as a proxy shows one; the request takes no effect."""
    return Reply(200, b"<html><body>Please try again later</body></html>", content_type=HTML)


def object_reply(_proceed: Proceed, _scene: Scene) -> Reply:
    """200 with a JSON object where an array was due; the request takes no effect."""
    return json_reply(200, {"error": "temporarily unavailable"})


def hang(_proceed: Proceed, scene: Scene, seconds: float = 30.0) -> Reply:
    """No effect and no answer; after `seconds` the connection ends."""
    scene.stopping.wait(seconds)
    return Reply(delivery="silent")


def slow(proceed: Proceed, _scene: Scene, seconds: float = 1.0) -> Reply:
    """The right reply, little by little over `seconds`."""
    return replace(proceed(), delivery="slow", seconds=seconds)


def trickle(proceed: Proceed, _scene: Scene, seconds: float = 0.2) -> Reply:
    """The right reply, from its status line on, a byte every `seconds`: far too late."""
    return replace(proceed(), delivery="trickle", seconds=seconds)


def revoke(proceed: Proceed, scene: Scene) -> Reply:
    """Every access token is revoked before its time, this request's first."""
    scene.revoke_all()
    return proceed()


def retry_after(_proceed: Proceed, _scene: Scene, seconds: int = 1, status: int = 503) -> Reply:
    """503, or another `status`, with `Retry-After: seconds`; the request takes no effect."""
    return _error(status, {"Retry-After": str(seconds)})


def too_many(_proceed: Proceed, _scene: Scene, reset_in: float | None = None) -> Reply:
    """429; only where `reset_in` seconds are given, with the three headers of the limit."""
    if reset_in is None:
        return _error(429)
    headers = {"Limit": "100", "Remaining": "0", "Reset": str(int(time.time() + reset_in))}
    return _error(429, {f"X-Rate-Limit-{name}": value for name, value in headers.items()})


def _error(status: int, headers: dict[str, str] | None = None) -> Reply:
    if status in PROXY_STATUSES:
        page = f"<html><body><h1>{status} {HTTPStatus(status).phrase}</h1></body></html>"
        return Reply(status, page.encode(), headers or {}, HTML)
    return json_reply(status, {"message": HTTPStatus(status).phrase}, headers)


def _plain(status: int) -> Callable[..., Reply]:
    def fault(_proceed: Proceed, _scene: Scene) -> Reply:
        return _error(status)

    fault.__doc__ = f"{status} {HTTPStatus(status).phrase}; the request takes no effect."
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
    "retry_after": retry_after,
}
"""Every fault by the name under which it is switched on."""
