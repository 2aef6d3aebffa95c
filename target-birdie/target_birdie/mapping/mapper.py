"""From a tap's record to a Birdie record, by a table: pure, without HTTP or state.

`DEFAULT_STREAMS` is the table for Wootric; the setting `streams` replaces it. Whatever no field of
the table takes becomes an additional field under the name of its column.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from target_birdie.mapping import payload
from target_birdie.mapping.personal_data import is_personal, scrub
from target_birdie.mapping.values import (
    InvalidRecordError,
    from_unix,
    to_id,
    to_rating,
    to_text,
    to_time,
)

DEFAULT_STREAMS: dict[str, dict[str, Any]] = {
    "responses": {
        "record_type": "feedback",
        "fields": {
            "feedback_id": "id",
            "rating": "score",
            "text": "text",
            "posted_at": "created_at",
            "author_id": "end_user_id",
        },
        "properties": ["end_user.properties", "additional_fields"],
    },
    "end_users": {
        "record_type": "user",
        "fields": {"user_id": "id"},
        "properties": ["properties", "additional_fields"],
    },
}

_REQUIRED = frozenset({"feedback_id", "user_id", "rating", "posted_at"})
_IDS = frozenset({"feedback_id", "user_id", "author_id", "account_id"})


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for every stream: the settings that shape a record."""

    kind: str = "nps"
    id_prefix: str = ""
    include: frozenset[str] = frozenset()
    exclude: frozenset[str] = frozenset()
    include_pii: bool = False
    date_properties: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class BirdieRecord:
    """A record as Birdie takes it, but for the batch it travels in."""

    record_type: str
    id: str
    body: dict[str, Any]


class StreamMapper:
    """Maps the records of one stream."""

    def __init__(
        self, entry: Mapping[str, Any], rules: Rules, columns: Collection[str] = ()
    ) -> None:
        """Prepare the mapping.

        Args:
            entry: `record_type`, `kind`, `fields` and `properties` of the stream.
            rules: What holds for every stream.
            columns: Names the stream's schema declares; no property takes one of them.
        """
        self.record_type: str = entry["record_type"]
        self.kind: str = entry.get("kind") or rules.kind
        self.rules = rules
        self._travels_whole = rules.include_pii
        self._dates = rules.date_properties
        self._columns = frozenset(columns)
        self._fields = [
            (field, path, tuple(path.split(".")), self._converter(field, path))
            for field, path in entry["fields"].items()
        ]
        self._properties = [(path, tuple(path.split("."))) for path in entry.get("properties", ())]
        self._id_field = payload.RECORD_TYPES[self.record_type]
        paths = [keys for _, _, keys, _ in self._fields] + [keys for _, keys in self._properties]
        self._taken = frozenset(keys[0] for keys in paths if len(keys) == 1)
        self._nested = [keys for keys in paths if len(keys) > 1]

    def _converter(self, field: str, path: str) -> Callable[[Any], Any]:
        convert: Callable[[Any], Any] = to_time if field == "posted_at" else to_text
        if field in _IDS:
            convert = partial(to_id, prefix=self.rules.id_prefix)
        if field == "rating":
            convert = partial(to_rating, highest=10 if self.kind == "nps" else None)
        is_date = path in self._dates
        return (lambda value: convert(from_unix(value))) if is_date else convert

    def map(self, record: Mapping[str, Any]) -> BirdieRecord:
        """Return the Birdie record.

        Raises:
            InvalidRecordError: The record has no id, or a field holds what it cannot.
        """
        fields: dict[str, Any] = {}
        for field, path, keys, convert in self._fields:
            value = _at(record, keys)
            mapped = None if value is None else convert(value)
            if mapped is not None:
                fields[field] = mapped
            elif field in _REQUIRED:
                raise InvalidRecordError(field, f"column {path!r} is empty or missing")
        body = payload.build_payload(self.record_type, self.kind, fields, self._additional(record))
        return BirdieRecord(self.record_type, fields[self._id_field], body)

    def identify(self, record: Mapping[str, Any]) -> str:
        """Return the name of a record that may have no proper id; "" when nothing will do."""
        (keys,) = (keys for name, _, keys, _ in self._fields if name == self._id_field)
        value = _at(record, keys)
        try:
            return to_id(value, self.rules.id_prefix) or ""
        except InvalidRecordError:
            return str(value) if isinstance(value, (int, str)) else ""

    def _additional(self, record: Mapping[str, Any]) -> dict[str, Any]:
        rules = self.rules
        additional: dict[str, Any] = {}
        for name, value in record.items():
            if name not in self._taken:
                rest = self._rest(name, value) if isinstance(value, dict) else value
                if (kept := self._kept(name, rest)) is not None:
                    additional[name] = kept
        for path, keys in self._properties:
            found = _at(record, keys)
            found = found if isinstance(found, dict) else {keys[-1]: found}
            for name, value in found.items():
                if (kept := self._kept(name, value)) is not None:
                    additional[self._free_name(name, path, record, additional)] = kept
        if rules.include:
            additional = {k: v for k, v in additional.items() if k in rules.include}
        if rules.exclude:
            additional = {k: v for k, v in additional.items() if k not in rules.exclude}
        return additional

    def _rest(self, column: str, value: dict[str, Any]) -> dict[str, Any] | None:
        """Return a column without the parts that are mapped elsewhere."""
        for keys in self._nested:
            if keys[0] == column:
                value = _without(value, keys[1:])
        return value if any(v is not None for v in value.values()) else None

    def _free_name(
        self, name: str, path: str, record: Mapping[str, Any], additional: dict[str, Any]
    ) -> str:
        if not (name in record or name in additional or name in self._columns):
            return name
        free = f"{path}.{name}"
        while free in record or free in additional or free in self._columns:
            free += "_"
        return free

    def _kept(self, name: str, value: Any) -> Any:
        """Return what may travel of a value; None when nothing is left of it."""
        if value is None or value == "":
            return None
        if not self._travels_whole:
            if is_personal(name, value):
                return None
            if isinstance(value, (dict, list)) and value:
                value = scrub(value) or None
        return from_unix(value) if name in self._dates else value

    def redacted(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return the record as it may be kept on disk: without what would not be sent either."""
        if self.rules.include_pii:
            return dict(record)
        mapped = {keys[0] for _, _, keys, _ in self._fields if keys[0] in record}
        clean: dict[str, Any] = scrub(dict(record))
        return clean | {name: record[name] for name in mapped if name not in clean}


def _at(record: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    value: Any = record
    for key in keys:
        if not isinstance(value, dict) or key not in value:
            return None
        value = value[key]
    return value


def _without(value: dict[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    head, *rest = keys
    if head not in value:
        return value
    copy = dict(value)
    inner = copy.pop(head)
    if rest:
        remaining = _without(inner, tuple(rest)) if isinstance(inner, dict) else inner
        if remaining not in (None, {}):
            copy[head] = remaining
    return copy
