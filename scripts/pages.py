"""The generated parts of docs/settings.md, docs/streams.md and docs/troubleshooting.md."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import target_birdie.errors
from plugins import REQUIRED, Plugin, Setting
from singer_sdk import Stream

import tap_wootric.errors
from tap_wootric.personal_data import is_personal_name
from tap_wootric.tap import TapWootric

ERRORS = {
    "tap-wootric": tap_wootric.errors.TapError,
    "target-birdie": target_birdie.errors.TargetError,
}
MAY_CONTAIN = {"text", "notes", "origin_url", "properties", "additional_fields"}
"""Columns that can contain personal data, and that `personal_data` covers partly or not at all."""


def table(head: str, rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table; `head` contains the column titles, separated by `|`."""
    titles = head.split("|")
    cells = [[cell.replace("|", r"\|") for cell in row] for row in rows]
    lines = [" | ".join(row) for row in (titles, ["---"] * len(titles), *cells)]
    return "".join(f"| {line} |\n" for line in lines)


def settings(plugin: Plugin) -> str:
    """Return the tables of a plugin's settings: required, common and rare."""
    own = plugin.own_settings
    groups = {"Required": plugin.needed[0], "Common": plugin.common}
    groups["Rare"] = [name for name in own if not any(name in names for names in groups.values())]
    parts = [
        f"### {title} settings of {plugin.name}\n\n"
        + table("Setting|Required|Default|Description", (_row(plugin, own[n]) for n in names))
        for title, names in groups.items()
    ]
    return "\n" + "\n".join(parts) + "\n"


def _row(plugin: Plugin, setting: Setting) -> tuple[str, ...]:
    required = setting.condition or ("yes" if setting.name in plugin.needed[0] else "no")
    text = REQUIRED.sub("", setting.description).strip()
    text = text[:1].upper() + text[1:] + (" Secret." if setting.is_secret else "")
    value = setting.default
    shown = value if isinstance(value, str) else json.dumps(value)
    return f"`{setting.name}`", required, "" if value is None else f"`{shown}`", text


def streams() -> str:
    """Return a section with all columns for each stream of the tap."""
    tap = TapWootric(config={}, validate_config=False)
    return "\n" + "\n".join(_stream(stream) for stream in tap.streams.values()) + "\n"


def _stream(stream: Stream) -> str:
    key = ", ".join(f"`{name}`" for name in stream.primary_keys)
    method = f"incremental by `{stream.replication_key}`" if stream.replication_key else "full"
    selected = "selected" if stream.selected_by_default else "not selected"
    return (
        f"### {stream.name}\n\n{type(stream).__doc__}\n\n"
        f"Key: {key}. Replication: {method}. By default {selected}.\n\n"
        + table("Column|Type|Personal data|Description", _columns(stream.schema))
    )


def _columns(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, ...]]:
    for name, column in schema["properties"].items():
        text = column.get("description", "").replace("; personal data.", ".")
        personal = "can contain it" if name in MAY_CONTAIN else ""
        personal = "yes" if is_personal_name(name) else personal
        yield f"`{path}{name}`", _type(column), personal, text
        if column.get("properties"):
            yield from _columns(column, f"{path}{name}.")


def _type(column: dict[str, Any]) -> str:
    types = column.get("type", "value")
    name = next(kind for kind in types if kind != "null") if isinstance(types, list) else types
    if name == "array":
        name = f"array of {_type(column['items'])}s"
    return str(column.get("format", name))


def errors(plugin: Plugin) -> str:
    """Return a table of a plugin's error messages, in alphabetical order."""
    rows = set()
    for error in subclasses(ERRORS[plugin.name]):
        if template := error.__dict__.get("template"):
            message = re.sub(r"\{(\w+)[^}]*\}", r"<\1>", template.replace("{hint}", ""))
            rows.add((f"`{message}`", " ".join((error.__doc__ or "").split())))
    return "\n" + table("Message|Meaning", sorted(rows)) + "\n"


def subclasses(cls: type[Exception]) -> Iterator[type[Exception]]:
    """Yield all classes that inherit from a class."""
    for child in cls.__subclasses__():
        yield child
        yield from subclasses(child)
