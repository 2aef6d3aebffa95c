"""The optional check of a body against Birdie's published JSON Schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import requests
from jsonschema import SchemaError
from jsonschema.protocols import Validator
from jsonschema.validators import validator_for

from target_birdie.errors import ConfigError
from target_birdie.mapping import payload
from target_birdie.mapping.values import InvalidRecordError

_TIMEOUT = 30


class SchemaCheck:
    """Checks bodies before they are sent."""

    def __init__(self, place: str) -> None:
        """Load the schemas.

        Args:
            place: File or address; `{record_type}` in it stands for each record type, without it
                it is the schema of feedbacks.

        Raises:
            ConfigError: A schema cannot be loaded.
        """
        types = payload.RECORD_TYPES if "{record_type}" in place else ("feedback",)
        self._validators: dict[str, Validator] = {
            name: _validator(place.replace("{record_type}", name)) for name in types
        }

    def check(self, record_type: str, body: dict[str, Any]) -> None:
        """Check a body.

        Raises:
            InvalidRecordError: Names the first field that fails, not its value.
        """
        validator = self._validators.get(record_type)
        error = next(validator.iter_errors(body), None) if validator else None
        if error is not None:
            field = ".".join(str(part) for part in error.absolute_path) or "the record"
            raise InvalidRecordError("schema", f"{field} fails Birdie's schema ({error.validator})")


def _validator(place: str) -> Validator:
    try:
        schema = _load(place)
        validator = validator_for(schema)
        validator.check_schema(schema)
    except (OSError, TypeError, ValueError, SchemaError) as error:
        shown = place.partition("?")[0]  # what follows may sign the address
        raise ConfigError(
            f"schema_path {shown} gives no JSON Schema ({type(error).__name__}): check the path"
        ) from None
    checked: Validator = validator(schema)
    return checked


def _load(place: str) -> dict[str, Any]:
    if not place.startswith(("http://", "https://")):
        schema = json.loads(Path(place).read_bytes())
    else:
        response = requests.get(place, timeout=_TIMEOUT)
        response.raise_for_status()
        schema = response.json()
    if not isinstance(schema, dict):
        raise TypeError(place)
    return schema
