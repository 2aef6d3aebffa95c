"""What the source holds and what a loader made of it, in values that can be compared."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from connector_sandbox import Sandbox
from connector_sandbox.account.store import with_html_text
from connector_sandbox.wootric.nps_summary import read as summary

Json = dict[str, Any]
Rows = dict[Any, Json]

KEYS = {
    "responses": "id",
    "end_users": "id",
    "declines": "id",
    "segments": "name",
    "nps_summary": "date",
}

REST = "additional_fields"

TIMES = {
    "created_at",
    "updated_at",
    "external_created_at",
    "last_surveyed",
    "last_seen_at",
}
FREE = {"properties", REST, "tags", "notes"}
NESTED = {"end_user", "last_response", "survey", "settings"}


def held(sandbox: Sandbox, stream: str) -> Rows:
    """The records of the source by key; the API shows whole seconds."""
    store = sandbox.store
    rows = store.segments() if stream == "segments" else store.records(stream)
    shown = map(with_html_text, rows)
    return {row[KEYS[stream]]: {k: _held(k, v) for k, v in row.items()} for row in shown}


def summaries(sandbox: Sandbox, days: Iterable[str]) -> Rows:
    """The source's figures of some days."""
    zone = sandbox.options.time_zone
    return {
        day: {"date": day} | summary(sandbox.store, {"date[start]": day, "date[end]": day}, zone)
        for day in days
    }


def _held(name: str, value: Any) -> Any:
    if isinstance(value, datetime):
        return value.replace(microsecond=0)
    if name in TIMES and isinstance(value, int):
        return datetime.fromtimestamp(value, UTC)
    return value


def loaded(rows: Iterable[Mapping[str, Any]], stream: str) -> Rows:
    """The rows of a loader by key, without the columns that are the loader's own.

    Raises:
        AssertionError: Two rows share a key.
    """
    found: Rows = {}
    for row in rows:
        plain = nested({name: value for name, value in row.items() if not name.startswith("_sdc_")})
        key = plain[KEYS[stream]]
        assert key not in found, f"{stream} {key} is there twice"
        found[key] = plain
    return found


def nested(row: Mapping[str, Any]) -> Json:
    """A row in the form of the source, whether it was flattened or not."""
    whole: Json = {}
    for column, text in row.items():
        *parents, name = column.split("__")
        place = whole
        for parent in parents:
            place = place.setdefault(parent, {})
        place[name] = _loaded(name, text)
    return {name: _plain(name, value) for name, value in whole.items()}


def _loaded(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if name in FREE | NESTED:
        return json.loads(value)
    if name in TIMES:
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return value


def _plain(name: str, value: Any) -> Any:
    """Undeclared keys back in their places in the declared objects; free ones stay as they are."""
    if name not in NESTED or value is None:
        return value
    members = {k: _plain(k, v) for k, v in value.items() if k != REST} | (value.get(REST) or {})
    return None if all(member is None for member in members.values()) else members


def blanked(value: Any) -> Any:
    """Rows in which an empty text is null, for a loader that treats both as equal."""
    if isinstance(value, dict):
        return {k: v if k in FREE else blanked(v) for k, v in value.items()}
    return None if value == "" else value


def differences(found: Rows, expected: Rows) -> dict[Any, Any]:
    """Keys that one side lacks, and columns whose value is not the source's."""
    wrong: dict[Any, Any] = dict.fromkeys(expected.keys() - found.keys(), "missing")
    wrong |= dict.fromkeys(found.keys() - expected.keys(), "not in the source")
    for key in expected.keys() & found.keys():
        columns = _columns(found[key], expected[key])
        if columns:
            wrong[key] = columns
    return wrong


def _columns(row: Json, source: Json) -> dict[str, tuple[Any, Any]]:
    unknown = {
        name: value
        for name, value in source.items()
        if name not in row and not (name in NESTED and value is None)  # flattened: no column
    }
    expected = {name: source.get(name) for name in row} | {REST: unknown or None}
    return {name: (row[name], value) for name, value in expected.items() if row.get(name) != value}


def consecutive(days: Iterable[str]) -> bool:
    """Whether no day is left out."""
    numbers = sorted(date.fromisoformat(day).toordinal() for day in days)
    return numbers == list(range(numbers[0], numbers[-1] + 1))
