"""The rules that decide which requests fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from threading import Event, Lock
from typing import Any
from urllib.parse import unquote

from connector_sandbox.faults import FAULTS, Call, Proceed
from connector_sandbox.web.messages import Reply, Request


@dataclass
class Rule:
    """One fault that is switched on.

    `seen` counts the requests that match; `hits` counts those that failed.
    """

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

    def applies_to(self, request: Request) -> bool:
        """Decide whether one request fails, and count it."""
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
    """The faults that are switched on. They never apply to the control API or the page."""

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
        """Switch on a fault.

        Args:
            name: A key of `connector_sandbox.faults.FAULTS`.
            share: The share of requests that fail. Defaults to 1 if `times` or `record_id` is
                given, else to 0.1.
            times: The largest number of failures.
            after: The number of matching requests that succeed first.
            path: Limits the fault to paths that contain this text, such as `/oauth/token`.
            seed: The seed of the random choice.
            api: Limits the fault to `wootric` or `birdie`.
            record_id: Limits the fault to paths that end with this segment, decoded.
            details: Arguments of the fault itself, such as `seconds`.

        Raises:
            ValueError: No fault has this name.
        """
        if name not in FAULTS:
            message = f"There is no fault {name!r}. Faults: {', '.join(FAULTS)}."
            raise ValueError(message)
        if share is None:
            share = 0.1 if times is None and record_id is None else 1.0
        rule = Rule(name, share, times, after, path, api, record_id, details, Random(seed))
        with self._lock:
            self._rules.append(rule)
        return rule

    def off(self, name: str | None = None) -> None:
        """Switch off one fault, or all faults."""
        with self._lock:
            self._rules = [rule for rule in self._rules if name not in {None, rule.name}]

    def active(self) -> list[Rule]:
        """Return the faults that are switched on."""
        with self._lock:
            return list(self._rules)

    def describe(self) -> dict[str, Any]:
        """Return the active faults with their counts, and the descriptions of all faults."""
        names = ("name", "share", "times", "api", "path", "record_id", "hits")
        on = [{name: getattr(rule, name) for name in names} for rule in self.active()]
        known = {name: (fault.__doc__ or f"{name}.").strip() for name, fault in FAULTS.items()}
        return {"on": on, "known": known}

    def apply(self, request: Request, proceed: Proceed) -> Reply:
        """Return the reply of `proceed`, or that of the first fault that applies."""
        with self._lock:
            rule = next((rule for rule in self._rules if rule.applies_to(request)), None)
        if rule is None:
            return proceed()
        request.fault = rule.name
        call = Call(request, proceed, self.revoke_all, self.stopping)
        return FAULTS[rule.name](call, **rule.details)
