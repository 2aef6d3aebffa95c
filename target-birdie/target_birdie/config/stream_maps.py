"""What is wrong with the SDK's stream maps that the settings hold.

The SDK passes over names that it does not find. A map is there to hide personal data: one that
hides nothing must not pass.
"""

from __future__ import annotations

import ast
import difflib
import fnmatch
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from singer_sdk.mapper import (
    MAPPER_ALIAS_OPTION,
    MAPPER_ELSE_OPTION,
    MAPPER_FILTER_OPTION,
    MAPPER_KEY_PROPERTIES_OPTION,
    MAPPER_SOURCE_OPTION,
    NULL_STRING,
)

_OPTIONS = (
    MAPPER_ALIAS_OPTION,
    MAPPER_ELSE_OPTION,
    MAPPER_FILTER_OPTION,
    MAPPER_KEY_PROPERTIES_OPTION,
    MAPPER_SOURCE_OPTION,
)
_NO_EXPRESSIONS = (MAPPER_ALIAS_OPTION, MAPPER_ELSE_OPTION, MAPPER_SOURCE_OPTION)


def problems(maps: Mapping[str, Any]) -> Iterator[str]:
    """Say what is wrong whatever the streams are; expressions are not repeated.

    Args:
        maps: The setting `stream_maps`, of the right types.
    """
    for name, rules in maps.items():
        if name.startswith("__") and name != MAPPER_ELSE_OPTION:
            yield f"stream_maps.{name} is no option{_hint(name, [MAPPER_ELSE_OPTION])}"
        for field, rule in rules.items() if isinstance(rules, Mapping) else ():
            if field.startswith("__") and field.endswith("__") and field not in _OPTIONS:
                yield f"stream_maps.{name}.{field} is no option{_hint(field, _OPTIONS)}"
            elif isinstance(rule, str) and field not in _NO_EXPRESSIONS and not _parses(rule):
                yield f"stream_maps.{name}.{field} is no valid expression"


def absent(maps: Mapping[str, Any], stream: str, fields: Collection[str]) -> Iterator[str]:
    """Say which fields are to be left out of a stream that has none of that name."""
    for name, rules in maps.items():
        if not isinstance(rules, Mapping) or not fnmatch.fnmatch(stream, _source(name, rules)):
            continue
        for field, rule in rules.items():
            if rule in (None, NULL_STRING) and field not in {*fields, *_OPTIONS}:
                yield (
                    f"stream_maps.{name}.{field} hides nothing: the stream {stream} has no such "
                    f"field{_hint(field, fields)}"
                )


def unmet(maps: Mapping[str, Any], streams: Collection[str]) -> Iterator[str]:
    """Say which maps are for streams that did not come."""
    for name, rules in maps.items():
        source = _source(name, rules)
        if not name.startswith("__") and not fnmatch.filter(streams, source):
            yield (
                f"stream_maps.{name} has changed nothing: no stream is {source}"
                f"{_hint(source, streams)}"
            )


def _source(name: str, rules: object) -> str:
    return str(rules.get(MAPPER_SOURCE_OPTION, name) if isinstance(rules, Mapping) else name)


def _parses(expression: str) -> bool:
    try:
        ast.parse(expression.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _hint(name: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(name, sorted(known), n=1)
    return f", did you mean {close[0]}?" if close else ""
