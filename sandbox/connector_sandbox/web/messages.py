"""HTTP requests and replies."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Literal

Delivery = Literal["whole", "cut", "reset", "silent", "slow", "trickle"]


@dataclass(slots=True)
class Request:
    """One request as the sandbox records it.

    `status` is 0 if no reply was sent. `fault` names the fault that was applied.
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
    """Return the largest number of these requests in progress at the same time."""
    moments = [m for r in requests for m in ((r.started, 1), (r.finished, -1))]
    return max(accumulate(step for _, step in sorted(moments)), default=0)


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply, and how it is delivered.

    `slow` takes `seconds` in total; `trickle` waits `seconds` between two bytes.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json; charset=utf-8"
    delivery: Delivery = "whole"
    seconds: float = 0.0


def json_reply(status: int, value: object, headers: dict[str, str] | None = None) -> Reply:
    """Return a reply with a JSON body; times have RFC 3339 form."""
    text = json.dumps(value, ensure_ascii=False, default=lambda moment: moment.isoformat())
    return Reply(status, text.encode(), headers or {})
