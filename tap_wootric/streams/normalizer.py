"""Converts an object of the API to a record that fits the declared schema, for all streams.

Nothing the API sends is lost: undeclared keys, and values that do not fit their declared type, move
to `additional_fields` of the object that contains them. The module is pure.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from tap_wootric.timestamps import canonical

Json = dict[str, Any]
Convert = Callable[[Any], Any]

ADDITIONAL_FIELDS = "additional_fields"


class Normalizer:
    """Normalizes the objects of one schema, and counts the values that it cannot read.

    Times become RFC 3339 in UTC, and every declared field is present.
    """

    def __init__(self, schema: Mapping[str, Any], path: str = "") -> None:
        """Prepare a converter for each declared field.

        Args:
            schema: JSON Schema of an object.
            path: Where the object is inside the record, for `unreadable`.
        """
        fields: Mapping[str, Any] = schema["properties"]
        self.unreadable: Counter[str] = Counter()
        """How many values did not fit, by dotted field name."""

        self._path = path
        self._empty: Json = dict.fromkeys(fields)
        self._declared = fields.keys() - {ADDITIONAL_FIELDS}
        self._converters = [
            (name, self._converter(name, field))
            for name, field in fields.items()
            if name != ADDITIONAL_FIELDS
        ]

    def normalize(self, sent: Mapping[str, Any]) -> Json:
        """Return the record; `sent` stays unchanged."""
        record = {**self._empty, **sent}
        additional = {}
        if undeclared := sent.keys() - self._declared:
            additional = {name: record.pop(name) for name in sent if name in undeclared}
        for name, (plain_type, convert) in self._converters:
            value = record[name]
            if value is None or type(value) is plain_type:
                continue
            try:
                record[name] = convert(value)
            except (ValueError, TypeError, LookupError, OverflowError):
                self.unreadable[self._path + name] += 1
                record[name], additional[name] = None, value
        if ADDITIONAL_FIELDS in self._empty:
            record[ADDITIONAL_FIELDS] = additional or None
        return record

    def _converter(self, name: str, field: Mapping[str, Any]) -> tuple[type | None, Convert]:
        """Return the type of values that need no conversion, if any, and the conversion."""
        types = field["type"] if isinstance(field["type"], list) else [field["type"]]
        kind = next(t for t in types if t != "null")
        if kind == "object" and field.get("properties"):
            nested = Normalizer(field, f"{self._path}{name}.")
            nested.unreadable = self.unreadable
            return None, lambda value: nested.normalize(_object(value))
        if kind == "array":
            items = field.get("items") or {}
            return None, _array(_string if "string" in items.get("type", ()) else lambda item: item)
        return CONVERTERS[field.get("format", kind)]


def _object(value: Any) -> Mapping[str, Any]:
    if isinstance(value, str):
        value = json.loads(value)
    if not isinstance(value, Mapping):
        raise TypeError
    return value


def _array(convert: Convert) -> Convert:
    def to_array(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise TypeError
        return [None if item is None else convert(item) for item in value]

    return to_array


def _string(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    return str(value)


def to_integer(value: Any) -> int:
    """Convert a whole number or its digits.

    Raises:
        ValueError, TypeError: The value is something else.
    """
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise TypeError
    return int(value)


def _number(value: Any) -> float:
    if isinstance(value, bool):
        raise TypeError
    return float(value)


def _boolean(value: Any) -> bool:
    # The SDK would convert the text "false" to true.
    if isinstance(value, int | str):
        return {True: True, False: False, "true": True, "false": False}[value]
    raise TypeError


def _date(value: Any) -> str:
    return canonical(value)[:10]


CONVERTERS: dict[str, tuple[type | None, Convert]] = {
    "date-time": (None, canonical),
    "date": (None, _date),
    "string": (str, _string),
    "integer": (int, to_integer),
    "number": (float, _number),
    "boolean": (bool, _boolean),
    "object": (dict, _object),
}
