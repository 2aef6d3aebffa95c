"""Ways in which a server or the network fails, switched on by name."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from threading import Event, Lock
from typing import Any

from connector_sandbox.messages import Reply, Request, json_reply

Proceed = Callable[[], Reply]
HTML = "text/html; charset=utf-8"


@dataclass
class Rule:
    """One fault and when it strikes."""

    name: str
    share: float
    times: int | None
    after: int
    path: str | None
    api: str | None
    details: dict[str, Any]
    random: Random = field(repr=False)
    seen: int = 0
    hits: int = 0

    def strikes(self, request: Request) -> bool:
        """Whether this request is hit; counts it either way."""
        if self.path is not None and self.path not in request.path:
            return False
        if self.api is not None and self.api != request.api:
            return False
        self.seen += 1
        if self.seen <= self.after or (self.times is not None and self.hits >= self.times):
            return False
        hit = self.random.random() < self.share
        self.hits += hit
        return hit


class Faults:
    """The faults that are on. They never touch the control address or the page."""

    def __init__(self, revoke_all: Callable[[], None]) -> None:
        self._revoke_all = revoke_all
        self._lock = Lock()
        self._rules: list[Rule] = []
        self.stopping = Event()

    def on(
        self,
        name: str,
        share: float | None = None,
        times: int | None = None,
        after: int = 0,
        path: str | None = None,
        seed: int = 0,
        api: str | None = None,
        **details: Any,
    ) -> Rule:
        """Let a share of the requests fail (a tenth; every one where `times` is given).

        `after` requests are spared first, at most `times` are hit; `path` is a part of the path,
        `api` is `wootric` or `birdie`. The details are named at each fault.

        Raises:
            ValueError: no fault has this name.
        """
        if name not in FAULTS:
            message = f"no fault is called {name!r}; there are {', '.join(FAULTS)}"
            raise ValueError(message)
        if share is None:
            share = 0.1 if times is None else 1.0
        rule = Rule(name, share, times, after, path, api, details, Random(seed))  # noqa: S311
        with self._lock:
            self._rules.append(rule)
        return rule

    def off(self, name: str | None = None) -> None:
        """Switch off one fault, or all."""
        with self._lock:
            self._rules = [rule for rule in self._rules if name not in {None, rule.name}]

    def active(self) -> list[Rule]:
        """What is switched on."""
        with self._lock:
            return list(self._rules)

    def apply(self, request: Request, proceed: Proceed) -> Reply:
        """The reply that `proceed` gives, or what the first fault that strikes makes of it."""
        with self._lock:
            rule = next((rule for rule in self._rules if rule.strikes(request)), None)
        if rule is None:
            return proceed()
        return FAULTS[rule.name](self, proceed, **rule.details)

    def reset(self, proceed: Proceed) -> Reply:
        """The connection is reset (RST) before anything happens."""
        del proceed
        return Reply(delivery="reset")

    def lost_reply(self, proceed: Proceed) -> Reply:
        """The request takes effect, then the connection is reset and the reply never arrives."""
        proceed()
        return Reply(delivery="reset")

    def cut(self, proceed: Proceed) -> Reply:
        """The request takes effect; half of the reply arrives, then the connection ends."""
        return replace(proceed(), delivery="cut")

    def html(self, proceed: Proceed) -> Reply:
        """200 with a page for people, as a proxy shows it."""
        del proceed
        return Reply(200, b"<html><body>Please try again later</body></html>", content_type=HTML)

    def object(self, proceed: Proceed) -> Reply:
        """200 with a JSON object where an array was due."""
        del proceed
        return json_reply(200, {"error": "temporarily unavailable"})

    def hang(self, proceed: Proceed, seconds: float = 30.0) -> Reply:
        """Nothing happens and no answer comes; after `seconds` the connection ends."""
        del proceed
        self.stopping.wait(seconds)
        return Reply(delivery="silent")

    def slow(self, proceed: Proceed, seconds: float = 1.0) -> Reply:
        """The right reply arrives little by little over `seconds`."""
        return replace(proceed(), delivery="slow", seconds=seconds)

    def revoke(self, proceed: Proceed) -> Reply:
        """Every access token is revoked before its time."""
        self._revoke_all()
        return proceed()

    def retry_after(self, proceed: Proceed, seconds: int = 1, status: int = 503) -> Reply:
        """503 (or another `status`) with `Retry-After`."""
        del proceed
        return _status(status, {"Retry-After": str(seconds)})

    def too_many(self, proceed: Proceed, reset_in: float | None = None) -> Reply:
        """429; with `X-Rate-Limit-*` headers where `reset_in` seconds are given, else without any."""
        del proceed
        if reset_in is None:
            return _status(429)
        reset = str(int(time.time() + reset_in))
        names = ("Limit", "Remaining", "Reset")
        values = ("100", "0", reset)
        return _status(429, {f"X-Rate-Limit-{n}": v for n, v in zip(names, values, strict=True)})


def _status(status: int, headers: dict[str, str] | None = None) -> Reply:
    if status in {502, 503, 504}:
        body = f"<html><body><h1>{status}</h1></body></html>".encode()
        return Reply(status, body, headers or {}, HTML)
    return json_reply(status, {"message": f"fault {status}"}, headers)


def _plain(status: int) -> Callable[..., Reply]:
    def fault(_faults: Faults, _proceed: Proceed) -> Reply:
        return _status(status)

    return fault


FAULTS: dict[str, Callable[..., Reply]] = {
    "429": Faults.too_many,
    **{str(status): _plain(status) for status in (400, 408, 413, 422, 500, 502, 503, 504)},
    **{
        function.__name__: function
        for function in (
            Faults.reset,
            Faults.lost_reply,
            Faults.cut,
            Faults.html,
            Faults.object,
            Faults.hang,
            Faults.slow,
            Faults.revoke,
            Faults.retry_after,
        )
    },
}
