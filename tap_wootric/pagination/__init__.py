"""Decides which page to request next, so that a list that changes meanwhile is read completely."""

from tap_wootric.pagination.pages import (
    Fetch,
    IncompleteSecond,
    PageOrderError,
    PageRequest,
    Placed,
)
from tap_wootric.pagination.paginator import paginate
from tap_wootric.pagination.windows import read_windows

__all__ = [
    "Fetch",
    "IncompleteSecond",
    "PageOrderError",
    "PageRequest",
    "Placed",
    "paginate",
    "read_windows",
]
