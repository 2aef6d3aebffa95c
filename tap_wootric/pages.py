"""What is asked for at a time, and how much a full page holds.

Pure: no HTTP, no clock.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, Protocol, TypeVar

MAX_PAGE = 30
"""The last page number that the API serves for one filter."""


class PageRequest(NamedTuple):
    """One page of a list: records with `since <= second < until`, in the given order."""

    since: int | None
    until: int | None
    number: int
    size: int
    order: Literal["asc", "desc"] = "asc"


class Placed(Protocol):
    """A record with its place on the walked time axis."""

    @property
    def second(self) -> int:
        """UNIX second of the replication key, as shown."""

    @property
    def version(self) -> object:
        """What tells this record at this place from every other."""


RecordT = TypeVar("RecordT", bound=Placed)


class OrderError(Exception):
    """The pages contradict what was asked for; the text says how."""


class PageSize:
    """How many records a full page holds: as asked, or fewer when the server caps it."""

    def __init__(self, asked: int) -> None:
        """Assume that the server gives what is asked until it shows otherwise."""
        self.full = asked
        self.smallest = 1
        """A page with fewer records is the last one: no server that is known caps so low."""

        self._is_proven = False

    def observe(self, asked: int, got: int) -> None:
        """Take note of a page's length."""
        self._is_proven |= got >= asked == self.full

    def is_last(self, asked: int, got: int) -> bool | None:
        """Whether a page of `got` records is the last one; None when only the next can tell."""
        if got >= min(asked, self.full):
            return False
        return True if self._is_proven or got < self.smallest else None

    def cap(self, got: int) -> None:
        """The server has more, and yet gave only `got` records on a page."""
        self.full = got
        self.smallest = min(self.smallest, got)
        self._is_proven = True
