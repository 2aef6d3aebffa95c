"""Defines one page of a list: what is requested, and what a valid reply looks like."""

from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple, Protocol, TypeVar

MAX_PAGE = 30
"""Last page number with records. Later pages of the same filter are empty (measured live)."""

MIN_PAGE_LIMIT = 25
"""Documented default of `per_page`. A server is assumed never to limit pages to fewer records."""


class PageRequest(NamedTuple):
    """One page of the records with `since <= timestamp < until`, both UNIX seconds.

    These two comparisons mean the same whether the API compares whole seconds or stored fractions.
    """

    since: int | None
    until: int | None
    number: int
    size: int
    descending: bool = False

    @property
    def offset(self) -> int:
        """Number of records in front of the page."""
        return (self.number - 1) * self.size


class Placed(Protocol):
    """A record with its position in time."""

    @property
    def timestamp(self) -> int:
        """UNIX second of the cursor key, as the API shows it."""

    @property
    def identity(self) -> Hashable:
        """Value that distinguishes the record from all others with the same timestamp."""


RecordT = TypeVar("RecordT", bound=Placed)
Fetch = Callable[[PageRequest], list[RecordT]]


class IncompleteSecond(NamedTuple):
    """A second with records that the API may not have shown."""

    timestamp: int
    shown: int
    """Number of records delivered."""

    reason: str


Report = Callable[[IncompleteSecond], None]


class PageOrderError(Exception):
    """A page contradicts its request, so that reading on could lose records."""


def check_page(page: PageRequest, records: Sequence[Placed]) -> None:
    """Check order, time range and length of a reply.

    Raises:
        PageOrderError: The reply contradicts the request.
    """
    times = [record.timestamp for record in records]
    if times != sorted(times, reverse=page.descending):
        order = "descending" if page.descending else "ascending"
        raise PageOrderError(f"a page requested in {order} order is not sorted by time")
    low, high = page.since, page.until
    if times and (
        (low is not None and min(times) < low) or (high is not None and max(times) >= high)
    ):
        raise PageOrderError("a page contains records from outside the requested time range")
    if len(records) > page.size:
        raise PageOrderError(f"a page contains {len(records)} records instead of {page.size}")
