"""A record on its way, who takes it, and who is told what became of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from target_birdie.errors import TargetError
from target_birdie.mapping.mapper import StreamMapper
from target_birdie.mapping.payload import Key


@dataclass(slots=True)
class Job:
    """A record on its way; `numbers` are those of the records that it settles."""

    key: Key
    stream: str
    record: dict[str, Any]
    mapping: StreamMapper
    body: bytes = b""
    digest: bytes = b""
    path: str = ""
    group: str = ""
    rejected_at: str = ""
    numbers: list[int] = field(default_factory=list)


class Outcomes(Protocol):
    """Who is told what became of a job. Called from the threads that send."""

    def is_unchanged(self, job: Job) -> bool:
        """Tell whether Birdie holds this very record."""

    def sending(self, job: Job) -> None:
        """The record is about to be sent: until it is answered, nobody knows what Birdie holds."""

    def stored(self, job: Job) -> None:
        """Birdie has the record."""

    def refused(self, job: Job, reason: str, message: str) -> None:
        """Birdie will never take the record."""

    def unchanged(self) -> None:
        """The record need not be sent."""

    def merged(self) -> None:
        """A newer version of the record took its place before it was sent."""

    def settled(self, job: Job) -> None:
        """The job is over, whatever came of it."""

    def retried(self, reason: str) -> None:
        """A request will be repeated."""

    def held(self, seconds: float, reason: str) -> None:
        """All requests wait."""

    def written(self, key: Key, digest: bytes, numbers: list[int]) -> None:
        """The record stands in a file."""

    def rehearsed(self) -> None:
        """The record would be sent, were this no dry run."""

    def open_span(self) -> int:
        """Return how many records lie between the first unsettled one and the last one read."""


class Destination(Protocol):
    """Where jobs go."""

    failure: TargetError | None

    def submit(self, job: Job) -> None:
        """Take a job."""

    def drain(self) -> None:
        """Bring every job to its end."""

    def settle_queued(self) -> None:
        """Bring to its end what can stand without the rest of the run."""

    def stop(self) -> None:
        """Take nothing more."""

    def wait_in_flight(self, seconds: Callable[[], float]) -> None:
        """Wait for what cannot be called back."""
