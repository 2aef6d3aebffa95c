"""Which requests a fault strikes."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from threading import Event, Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from connector_sandbox.faults import FAULTS, Call

if TYPE_CHECKING:
    from collections.abc import Callable

    from connector_sandbox.faults import Proceed
    from connector_sandbox.messages import Reply, Request


@dataclass
class Rule:
    """One fault that is on, how often it has been passed (`seen`) and has struck (`hits`)."""

    name: str
    share: float
    times: int | None
    after: int
    path: str | None
    api: str | None
    record_id: str | None
    details: dict[str, Any]
    random: Random = field(repr=False)
    seen: int = 0
    hits: int = 0

    def strikes(self, request: Request) -> bool:
        """Decide on one request, and count it."""
        if self.path is not None and self.path not in request.path:
            return False
        if self.api is not None and self.api != request.api:
            return False
        if (
            self.record_id is not None
            and unquote(request.path.rpartition("/")[2]) != self.record_id
        ):
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
        self.revoke_all = revoke_all
        self.stopping = Event()
        self._lock = Lock()
        self._rules: list[Rule] = []

    def on(
        self,
        name: str,
        share: float | None = None,
        times: int | None = None,
        after: int = 0,
        path: str | None = None,
        seed: int = 0,
        api: str | None = None,
        record_id: str | None = None,
        **details: Any,
    ) -> Rule:
        """Let requests fail.

        Args:
            name: a key of `connector_sandbox.faults.FAULTS`.
            share: of the requests; defaults to 1 if `times` or `record_id` is given, else to 0.1.
            times: how often at most.
            after: how many requests are spared first.
            path: a part of the paths that are meant, such as `/oauth/token`.
            seed: of the choice of requests.
            api: `wootric` or `birdie`; both unless given.
            record_id: the last segment of the path, such as the id of one feedback.
            details: what the fault itself takes, such as `seconds`.

        Raises:
            ValueError: no fault has this name.
        """
        if name not in FAULTS:
            message = f"no fault is called {name!r}; there are {', '.join(FAULTS)}"
            raise ValueError(message)
        if share is None:
            share = 0.1 if times is None and record_id is None else 1.0
        rule = Rule(name, share, times, after, path, api, record_id, details, Random(seed))
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

    def describe(self) -> dict[str, Any]:
        """What is switched on and how often it has struck; every known fault, explained."""
        names = ("name", "share", "times", "api", "path", "record_id", "hits")
        on = [{name: getattr(rule, name) for name in names} for rule in self.active()]
        known = {name: (fault.__doc__ or f"{name}.").strip() for name, fault in FAULTS.items()}
        return {"on": on, "known": known}

    def apply(self, request: Request, proceed: Proceed) -> Reply:
        """The reply that `proceed` gives, or what the first fault that strikes makes of it."""
        with self._lock:
            rule = next((rule for rule in self._rules if rule.strikes(request)), None)
        if rule is None:
            return proceed()
        request.fault = rule.name
        call = Call(request, proceed, self.revoke_all, self.stopping)
        return FAULTS[rule.name](call, **rule.details)
