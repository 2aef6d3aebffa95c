"""What comes in and what goes out over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Literal

Delivery = Literal["whole", "cut", "reset", "silent", "slow", "trickle"]


@dataclass(slots=True)
class Request:
    """One request as the sandbox remembers it.

    `status` 0: it was never answered; `fault`: the name of the one that struck it.
    """

    method: str
    path: str
    query: dict[str, str]
    api: str
    started: float
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    status: int = 0
    finished: float = 0.0
    fault: str | None = None


def most_at_once(requests: Iterable[Request]) -> int:
    """The most of these requests that were under way at one moment."""
    moments = [m for r in requests for m in ((r.started, 1), (r.finished, -1))]
    return max(accumulate(step for _, step in sorted(moments)), default=0)


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer, and how much of it arrives.

    `slow` spreads it over `seconds`, `trickle` leaves so many between two bytes.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json; charset=utf-8"
    delivery: Delivery = "whole"
    seconds: float = 0.0


def json_reply(status: int, value: object, headers: dict[str, str] | None = None) -> Reply:
    """An answer whose body is the value as JSON; times as RFC 3339."""
    text = json.dumps(value, ensure_ascii=False, default=lambda moment: moment.isoformat())
    return Reply(status, text.encode(), headers or {})
