"""What one run of one contestant comes to."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from child import Usage
from server import Request

ACCEPTED = (200, 201)
REFUSED = (429, 503)


@dataclass(frozen=True)
class Run:
    """What was delivered, what was asked for it, and what that took."""

    usage: Usage
    missing: int
    repeated: int
    records: int
    requests: int
    refused: int
    share: float | None = None
    """Of what the rate limit allows, in whole windows; None where there is no such window."""

    @property
    def pace(self) -> float:
        """Records a second, start-up included."""
        return self.records / self.usage.wall

    @property
    def requests_for_1000(self) -> float:
        """Requests for 1,000 records; those for tokens and those refused count too."""
        return self.requests / max(self.records, 1) * 1000


@dataclass(frozen=True)
class RateLimit:
    """So many requests in each window of seconds."""

    requests: int
    seconds: float

    def share(self, asked: list[Request]) -> float | None:
        """Share of the limit that was used in the windows between the first and the last."""
        used = Counter(int(one["finished"] // self.seconds) for one in asked if accepted(one))
        whole = range(min(used) + 1, max(used)) if used else range(0)
        return sum(used[i] for i in whole) / (self.requests * len(whole)) if whole else None


def accepted(request: Request) -> bool:
    """Whether a request got what it asked for."""
    return request["status"] in ACCEPTED


def result(
    usage: Usage,
    delivered: Counter[object],
    asked: list[Request],
    expected: int,
    limit: RateLimit | None,
) -> Run:
    """Add up a run.

    Args:
        usage: What it took.
        delivered: How often each record came.
        asked: The requests.
        expected: Records that there are.
        limit: That of the server.
    """
    return Run(
        usage=usage,
        missing=expected - len(delivered),
        repeated=delivered.total() - len(delivered),
        records=len(delivered),
        requests=len(asked),
        refused=sum(request["status"] in REFUSED for request in asked),
        share=limit.share(asked) if limit else None,
    )


def read_from(out: Path) -> Counter[object]:
    """How often each record stands in a file of Singer messages."""
    with out.open() as lines:
        messages = map(json.loads, lines)
        return Counter(m["record"]["id"] for m in messages if m["type"] == "RECORD")


def stored_by(asked: list[Request]) -> Counter[object]:
    """How often each record was stored by requests that carry one each."""
    return Counter(request["path"] for request in asked if accepted(request))
