"""From an object as the API sends it to a record as the schema declares it.

Pure: no HTTP, no clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from tap_wootric.times import canonical, to_utc

ADDITIONAL_FIELDS = "additional_fields"

Json = dict[str, Any]


class RecordError(ValueError):
    """A record can't be read; the text names the field."""


class Shaper:
    """Brings objects of one kind into their declared form.

    Times become RFC 3339 in UTC, every declared field is there, and undeclared ones move to
    `additional_fields`, so that nothing is dropped and the schema stays as it is.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        """Take a JSON schema of an object."""
        fields: Mapping[str, Any] = schema["properties"]
        self._empty: Json = dict.fromkeys(fields)
        self._declared = frozenset(fields) - {ADDITIONAL_FIELDS}
        self._readers: list[tuple[str, Callable[[Any], Any]]] = [
            (name, reader) for name, field in fields.items() if (reader := _reader(field))
        ]

    def shape(self, sent: Mapping[str, Any]) -> Json:
        """Return the record; `sent` is left as it is.

        Raises:
            RecordError: A field can't be read.
        """
        record = {**self._empty, **sent}
        undeclared = sent.keys() - self._declared
        if undeclared:
            for name in undeclared:
                del record[name]
            record[ADDITIONAL_FIELDS] = {k: v for k, v in sent.items() if k in undeclared}
        for name, read in self._readers:
            value = record[name]
            if value is not None:
                try:
                    record[name] = read(value)
                except ValueError as error:
                    message = f"{name}: {error}"
                    raise RecordError(message) from None
        return record


def _reader(field: Mapping[str, Any]) -> Callable[[Any], Any] | None:
    types = field["type"] if isinstance(field["type"], list) else [field["type"]]
    if field.get("format") == "date-time":
        return _moment
    if "boolean" in types:
        return _boolean
    if "object" in types and field.get("properties"):
        shaper = Shaper(field)
        return lambda value: _object(shaper, value)
    return None


def _moment(value: object) -> str:
    if isinstance(value, dict | list):  # the cache can't hold them
        to_utc(value)
    return canonical(cast("str | float", value))


def _boolean(value: object) -> bool:
    """The SDK would take the text "false" for true."""
    known = {True: True, False: False, "true": True, "false": False}
    if isinstance(value, bool | int | str) and value in known:
        return known[value]
    message = f"not a boolean (a {type(value).__name__})"
    raise ValueError(message)


def _object(shaper: Shaper, value: object) -> Json:
    if not isinstance(value, Mapping):
        message = f"not an object (a {type(value).__name__})"
        raise ValueError(message)  # noqa: TRY004
    return shaper.shape(value)
