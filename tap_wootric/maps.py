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

OPTIONS = (
    MAPPER_ALIAS_OPTION,
    MAPPER_ELSE_OPTION,
    MAPPER_FILTER_OPTION,
    MAPPER_KEY_PROPERTIES_OPTION,
    MAPPER_SOURCE_OPTION,
)
"""What a map can hold beside fields; beside the streams there is `__else__` alone."""

NO_EXPRESSIONS = (MAPPER_ALIAS_OPTION, MAPPER_ELSE_OPTION, MAPPER_SOURCE_OPTION)


def problems(maps: object, fields: Mapping[str, Collection[str]]) -> Iterator[str]:
    """Say what the maps name and there is not, a sentence each.

    Args:
        maps: The setting `stream_maps`; what has a wrong type is left to the settings' own check.
        fields: Each stream's fields.
    """
    for name, rules in maps.items() if isinstance(maps, Mapping) else ():
        if name.startswith("__"):
            if name != MAPPER_ELSE_OPTION:
                yield _no_option(name, name, [MAPPER_ELSE_OPTION])
            continue
        own = rules if isinstance(rules, Mapping) else {}
        source = str(own.get(MAPPER_SOURCE_OPTION, name))
        streams = fnmatch.filter(fields, source)
        if not streams:
            yield f"setting 'stream_maps.{name}' is wrong: no stream is '{source}'" + _hint(
                source, fields
            )
        else:
            known = {field for stream in streams for field in fields[stream]}
            yield from _absent(name, own, known)


def _absent(name: str, rules: Mapping[str, Any], known: Collection[str]) -> Iterator[str]:
    for field, rule in rules.items():
        if isinstance(rule, str) and not rule.strip():
            yield (
                f"setting 'stream_maps.{name}.{field}' is wrong: the expression is empty, "
                "write null to leave the field out"
            )
        elif isinstance(rule, str) and field not in NO_EXPRESSIONS and not _parses(rule):
            yield f"setting 'stream_maps.{name}.{field}' is wrong: it is no valid expression"
        if field in OPTIONS:
            continue
        if field.startswith("__") and field.endswith("__"):
            yield _no_option(f"{name}.{field}", field, OPTIONS)
        elif rule in {None, NULL_STRING} and field not in known:
            wrong = f"setting 'stream_maps.{name}.{field}' is wrong: there is no such field to hide"
            yield wrong + _hint(field, known)


def _parses(expression: str) -> bool:
    try:
        ast.parse(expression.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _no_option(path: str, name: str, known: Collection[str]) -> str:
    return f"setting 'stream_maps.{path}' is wrong: there is no such option" + _hint(name, known)


def _hint(name: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(name, sorted(known), n=1)
    return f", did you mean '{close[0]}'?" if close else ""
