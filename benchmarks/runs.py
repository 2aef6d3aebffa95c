"""What one run of one contestant comes to."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from child import Usage, run, script
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


class Delivered(NamedTuple):
    """Different records that came, and records in all."""

    different: int
    total: int


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
    delivered: Delivered,
    asked: list[Request],
    expected: int,
    limit: RateLimit | None,
) -> Run:
    """Add up a run.

    Args:
        usage: What it took.
        delivered: What came.
        asked: The requests.
        expected: Records that there are.
        limit: That of the server.
    """
    return Run(
        usage=usage,
        missing=expected - delivered.different,
        repeated=delivered.total - delivered.different,
        records=delivered.different,
        requests=len(asked),
        refused=sum(request["status"] in REFUSED for request in asked),
        share=limit.share(asked) if limit else None,
    )


def read_into(folder: Path) -> Delivered:
    """What the Singer messages hold that a command has left in a folder."""
    messages = (folder / "out").rename(folder / "messages")
    run(script("count_records.py", str(messages)), folder)
    return Delivered(*json.loads((folder / "out").read_text()))


def stored_by(asked: list[Request]) -> Delivered:
    """What was stored by requests that carry a record each."""
    paths = [request["path"] for request in asked if accepted(request)]
    return Delivered(len(set(paths)), len(paths))
