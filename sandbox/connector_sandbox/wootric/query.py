"""The query parameters of a list request."""

from __future__ import annotations

import re
from math import inf

from connector_sandbox.account.table import Range, Selection
from connector_sandbox.options import Options
from connector_sandbox.times import SECOND

FILTER = re.compile(r"(created|updated)\[(gt|gte|lt|lte|eq)\]")
WHOLE = re.compile(r"-?[0-9]{1,12}")
DEFAULT_PER_PAGE = 25


class BadQueryError(ValueError):
    """A parameter is invalid: the API answers with 400."""


def read(stream: str, query: dict[str, str], options: Options) -> Selection:
    """Convert query parameters to a selection; unknown parameters are ignored.

    Raises:
        BadQueryError: A page, page size or time is not a whole number.
    """
    limit, offset = page_of(query, options)
    key = _sort_key(stream, query, options)
    default = "asc" if stream == "end_users" else "desc"
    order = query.get("sort_order", default)
    if order not in {"asc", "desc"}:
        order = default
    return Selection(
        key=key,
        descending=order == "desc",
        ties=options.ties,
        ranges=_ranges(stream, query, options),
        equal=_equal(stream, query),
        offset=offset,
        limit=limit,
    )


def page_of(query: dict[str, str], options: Options) -> tuple[int, int]:
    """Return limit and offset.

    Raises:
        BadQueryError: `page` or `per_page` is not a whole number from 1.
    """
    page = _whole("page", query.get("page", "1"), lowest=1)
    asked = _whole("per_page", query.get("per_page", str(DEFAULT_PER_PAGE)), lowest=1)
    size = min(asked, options.per_page_cap)
    return size if page <= options.max_page else 0, (page - 1) * size


def _sort_key(stream: str, query: dict[str, str], options: Options) -> str:
    if stream != "end_users":
        return "created_at"
    key = query.get("sort_key") if options.sort_key else None
    return key if key is not None and key in {"created_at", "updated_at"} else "email"


def _ranges(stream: str, query: dict[str, str], options: Options) -> dict[str, Range]:
    unit = SECOND if options.filter_reading == "seconds" else 1
    ranges: dict[str, Range] = {}
    for name, value in query.items():
        match = FILTER.fullmatch(name)
        if match is None:
            continue
        field, operator = match.groups()
        if field == "updated" and stream != "end_users" and not options.updated_filter:
            continue
        second = _whole(name, value) * SECOND
        key = f"{field}_at"
        ranges[key] = _narrow(ranges.get(key, Range()), operator, second, unit)
    return ranges


def _narrow(bounds: Range, operator: str, second: int, unit: int) -> Range:
    low, high = bounds.low, bounds.high
    if operator in {"gt", "gte", "eq"}:
        low = max(low, second + unit if operator == "gt" else second)
    if operator in {"lt", "lte", "eq"}:
        high = min(high, second if operator == "lt" else second + unit)
    return Range(low, high)


def _equal(stream: str, query: dict[str, str]) -> dict[str, object]:
    value = query.get("excluded_from_calculations")
    if stream != "responses" or value not in {"true", "false"}:
        return {}
    return {"excluded_from_calculations": value == "true"}


def _whole(name: str, value: str, lowest: float = -inf) -> int:
    if not WHOLE.fullmatch(value) or int(value) < lowest:
        message = f"{name} is invalid"
        raise BadQueryError(message)
    return int(value)
