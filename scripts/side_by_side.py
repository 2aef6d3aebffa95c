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
    return [title, "-" * len(title), *_json("", value, "")]


def _json(key: str, value: Any, indent: str) -> list[str]:
    """Like `json.dumps`, but what fits its column stays on one line."""
    short = f"{indent}{key}{json.dumps(value, ensure_ascii=False)}"
    if not (isinstance(value, dict) and value) or _cells(short) < WIDTH:
        return [short]
    entries = (_json(f"{json.dumps(name)}: ", item, f"{indent} ") for name, item in value.items())
    inner = [line for *first, last in entries for line in [*first, f"{last},"]]
    inner[-1] = inner[-1].removesuffix(",")
    return [f"{indent}{key}{{", *inner, f"{indent}}}"]


def _fit(line: str) -> str:
    if _cells(line) > WIDTH:
        while _cells(line) > WIDTH - 1:
            line = line[:-1]
        line += "…"
    return line + " " * (WIDTH - _cells(line))


def _cells(text: str) -> int:
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)
