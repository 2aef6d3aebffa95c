"""Tables, as plain text and as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from statistics import median

Row = Sequence[str]


def spread(values: Iterable[float | None], form: str) -> str:
    """Median and, where values differ, the lowest and the highest: `5.1 (4.9-5.6)`."""
    known = [value for value in values if value is not None]
    if not known:
        return "-"
    middle, low, high = (format(of(known), form) for of in (median, min, max))
    return middle if low == high else f"{middle} ({low}-{high})"


def plain(header: Row, rows: Sequence[Row]) -> str:
    """Columns with two spaces between; figures to the right."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    return "\n".join("  ".join(_padded(row, widths)).rstrip() for row in (header, *rows))


def markdown(header: Row, rows: Sequence[Row]) -> str:
    """The same for a document."""
    rule = ["---", *["---:"] * (len(header) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in (header, rule, *rows))


Form = Callable[[Row, Sequence[Row]], str]


def _padded(row: Row, widths: Sequence[int]) -> Iterable[str]:
    yield row[0].ljust(widths[0])
    for cell, width in zip(row[1:], widths[1:], strict=True):
        yield cell.rjust(width)
