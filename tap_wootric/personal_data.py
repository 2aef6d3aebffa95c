"""Keep, drop or hash personal data, before stream maps see a record.

Pure: functions of settings, schemas and records.
"""

import hmac
import re
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

Json = dict[str, Any]

KEEP, DROP, HASH = ("keep", "drop", "hash")

NAMES = frozenset({"email", "phonenumber", "ipaddress"})
"""Personal names in lower case, without separators."""

FREE_OBJECTS = frozenset({"properties", "additional_fields"})
"""Objects with undeclared keys, to which `personal_properties` applies."""

SEPARATORS = re.compile(r"[\W_]+")


@lru_cache(maxsize=4096)
def is_personal_name(name: str) -> bool:
    """Return whether a name is `email`, `phone_number` or `ip_address`, however it is spelled."""
    return SEPARATORS.sub("", name).casefold() in NAMES


class PersonalData:
    """What happens to personal data, as set by the user."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        """Read the settings `personal_data`, `hash_salt` and `personal_properties`."""
        self._mode = config.get("personal_data") or KEEP
        self._salt = str(config.get("hash_salt") or "").encode()
        self._patterns = [text.casefold() for text in config.get("personal_properties") or ()]

    def schema(self, schema: Json) -> Json:
        """Return the schema of the records that `transform` returns.

        Args:
            schema: JSON Schema of an object, as declared or from a catalog.
        """
        if self._mode == KEEP or not schema.get("properties"):
            return schema
        fields = {
            name: self._field_schema(name, field)
            for name, field in schema["properties"].items()
            if self._mode != DROP or not is_personal_name(name)
        }
        return {**schema, "properties": fields}

    def _field_schema(self, name: str, field: Json) -> Json:
        if not is_personal_name(name):
            return self.schema(field)
        description = field.get("description", "").removesuffix(".")
        return {"type": ["string", "null"], "description": f"{description}; HMAC-SHA-256."}

    def transform(self, declared: Json, emitted: Json) -> Callable[[Json], Json] | None:
        """Return a function that applies the settings to a record, or None if none is needed.

        Args:
            declared: Schema that the tap declares.
            emitted: Schema of the SCHEMA message, as returned by `schema`. It can lack fields if
                the catalog was written with another value of `personal_data`; records omit them.
        """
        if self._mode == KEEP and {*_personal_fields(declared)} <= {*_personal_fields(emitted)}:
            return None
        return lambda record: self._object(record, emitted, is_free=False)

    def _object(self, value: Json, schema: Mapping[str, Any], *, is_free: bool) -> Json:
        fields = {} if is_free else schema.get("properties") or {}
        found = {}
        for name, item in value.items():
            # A name without a declared field is kept or hashed only where keys are free.
            if not self._is_personal(name, is_free=is_free):
                below = is_free or name in FREE_OBJECTS
                found[name] = self._inside(item, fields.get(name) or {}, is_free=below)
            elif self._mode != DROP and (is_free or name in fields):
                found[name] = self._hashed(item) if self._mode == HASH else item
        return found

    def _inside(self, value: Any, schema: Mapping[str, Any], *, is_free: bool) -> Any:
        if isinstance(value, dict):
            return self._object(value, schema, is_free=is_free or not schema.get("properties"))
        if isinstance(value, list):
            return [self._inside(item, {}, is_free=is_free) for item in value]
        return value

    def _is_personal(self, name: str, *, is_free: bool) -> bool:
        return is_personal_name(name) or (
            is_free and any(fnmatchcase(name.casefold(), pattern) for pattern in self._patterns)
        )

    def _hashed(self, value: Any) -> Any:
        """Hash a value, or each value in an array or object; null and "" contain nothing."""
        if isinstance(value, list):
            return [self._hashed(item) for item in value]
        if isinstance(value, dict):
            return {name: self._hashed(item) for name, item in value.items()}
        if value is None or value == "":
            return value
        text = str(value)
        # Equal addresses must have equal hashes, however they were typed.
        text = text.strip().lower() if "@" in text else text
        return hmac.new(self._salt, text.encode(), "sha256").hexdigest()


def _personal_fields(schema: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Yield the paths of the declared personal fields."""
    for name, field in (schema.get("properties") or {}).items():
        if is_personal_name(name):
            yield path + name
        yield from _personal_fields(field, f"{path}{name}.")
