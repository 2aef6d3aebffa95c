"""The optional check of payloads against Birdie's published JSON Schemas (`schema_path`)."""

import json
from pathlib import Path
from typing import Any

import requests
from jsonschema import SchemaError
from jsonschema.validators import validator_for

from target_birdie.errors import InvalidSettingError
from target_birdie.mapping import payload
from target_birdie.mapping.values import InvalidRecordError


class SchemaCheck:
    """Checks payloads before they are sent."""

    def __init__(self, place: str) -> None:
        """Load the schemas.

        Args:
            place: File or URL; `{record_type}` in it is replaced by each record type. Without it,
                it is the schema of feedbacks.

        Raises:
            InvalidSettingError: A schema cannot be loaded.
        """
        types = payload.RECORD_TYPES if "{record_type}" in place else ("feedback",)
        self._validators: dict[str, Any] = {
            name: _validator(place.replace("{record_type}", name)) for name in types
        }

    def check(self, record_type: str, content: dict[str, Any]) -> None:
        """Check a payload.

        Raises:
            InvalidRecordError: Names the first field that does not match, not its value.
        """
        validator = self._validators.get(record_type)
        error = next(validator.iter_errors(content), None) if validator else None
        if error is not None:
            field = ".".join(str(part) for part in error.absolute_path) or "the record"
            problem = f"{field} does not match Birdie's schema ({error.validator})"
            raise InvalidRecordError("schema", problem)


def _validator(place: str) -> Any:
    try:
        if place.startswith(("http://", "https://")):
            reply = requests.get(place, timeout=30)
            reply.raise_for_status()
            schema = reply.json()
        else:
            schema = json.loads(Path(place).read_bytes())
        validator_for(schema).check_schema(schema)
    except (OSError, TypeError, ValueError, SchemaError) as error:
        shown = place.partition("?")[0]  # a query can contain a signature
        rule = f"must lead to a JSON Schema; {shown} does not ({type(error).__name__})"
        raise InvalidSettingError(name="schema_path", rule=rule) from None
    return validator_for(schema)(schema)
