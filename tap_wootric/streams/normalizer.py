"""Converts an object of the API to a record that fits the declared schema, for all streams.

Nothing the API sends is lost: undeclared keys, and values that do not fit their declared type, move
to `additional_fields` of the object that contains them. The module is pure.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec

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
            except (ValueError, TypeError):
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
        if kind == "array" and "string" in field["items"].get("type", ()):
            return None, _strings
        return CONVERTERS[field.get("format", kind)]


def _object(value: Any) -> Json:
    if isinstance(value, str):
        return msgspec.json.decode(value, type=Json)
    return msgspec.convert(value, Json)


def _string(value: Any) -> str:
    # Without msgspec, a boolean would become "True", and an object its Python text.
    return value if isinstance(value, str) else str(msgspec.convert(value, int | float))


def _strings(value: Any) -> list[str | None]:
    return [None if item is None else _string(item) for item in msgspec.convert(value, list)]


to_integer: Callable[[Any], int] = partial(msgspec.convert, type=int, strict=False)
"""Convert a whole number or its digits; a ValueError says that the value is something else."""

CONVERTERS: dict[str, tuple[type | None, Convert]] = {
    "date-time": (None, canonical),
    "date": (None, lambda value: canonical(value)[:10]),
    "string": (str, _string),
    "integer": (int, to_integer),
    # The SDK would convert the text "false" to true.
    "boolean": (bool, partial(msgspec.convert, type=bool, strict=False)),
    "object": (dict, _object),
    "array": (list, partial(msgspec.convert, type=list)),
}
