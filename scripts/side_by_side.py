"""Two JSON objects in two columns."""

from __future__ import annotations

import json
from itertools import zip_longest
from typing import Any
from unicodedata import east_asian_width

WIDTH = 48


def columns(left_title: str, left: Any, right_title: str, right: Any) -> str:
    """Both as JSON, line beside line; what is too long for its column is cut."""
    pairs = zip_longest(_lines(left_title, left), _lines(right_title, right), fillvalue="")
    return "\n".join(f"{_fit(first)}  {_fit(second)}".rstrip() for first, second in pairs)


def _lines(title: str, value: Any) -> list[str]:
    return [title, "-" * len(title), *json.dumps(value, indent=1, ensure_ascii=False).splitlines()]


def _fit(line: str) -> str:
    if _cells(line) > WIDTH:
        while _cells(line) > WIDTH - 1:
            line = line[:-1]
        line += "…"
    return line + " " * (WIDTH - _cells(line))


def _cells(text: str) -> int:
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)
