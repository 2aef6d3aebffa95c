"""The JSON Schemas that Birdie publishes, as far as they are known, and a validator."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

Schema = dict[str, Any]

RFC3339 = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)

KINDS = ["nps", "csat", "review", "support_ticket", "social_media_post", "issue"]
TEXT: Schema = {"type": "string", "minLength": 1}
PRESENT: Schema = {"type": ["string", "number", "boolean", "object", "array"]}
"""Any value except null. Unknown fields are accepted."""

FEEDBACK: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "feedback",
    "type": "object",
    "required": ["feedback_id", "kind", "posted_at"],
    "properties": {
        "feedback_id": TEXT,
        "kind": {
            "type": "object",
            "required": ["name", "fields"],
            "properties": {
                "name": {"type": "string", "enum": KINDS},
                "fields": {
                    "type": "object",
                    "properties": {
                        "rating": {"type": "integer", "minimum": 0, "maximum": 10},
                        "author_id": TEXT,
                        "account_id": TEXT,
                        "author_name": TEXT,
                        "survey_title": TEXT,
                    },
                    "additionalProperties": PRESENT,
                },
            },
        },
        "text": TEXT,
        "title": TEXT,
        "posted_at": {"type": "string", "format": "date-time"},
        "additional_fields": {"type": "object"},
        "batch_id": TEXT,
    },
    "additionalProperties": PRESENT,
}

AUDIENCE: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {"additional_fields": {"type": "object"}},
    "additionalProperties": PRESENT,
}

SCHEMAS: dict[str, Schema] = {
    "feedback": FEEDBACK,
    **{name: AUDIENCE | {"title": name} for name in ("conversation", "message", "account", "user")},
}

TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
    "null": (type(None),),
}


def fault_in(value: Any, schema: Schema, path: str = "body") -> str | None:
    """Return the first violation of a schema: it names the field, but not its value."""
    types = schema.get("type", [])
    names = [types] if isinstance(types, str) else types
    if names and not any(_is(value, name) for name in names):
        return f"{path} must be of type {' or '.join(names)}"
    if isinstance(value, dict):
        return _fault_in_object(value, schema, path)
    return _fault_in_scalar(value, schema, path)


def _is(value: object, name: str) -> bool:
    # In Python, a bool is also an int; in JSON it is not a number.
    return isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool))


def _fault_in_object(value: dict[str, Any], schema: Schema, path: str) -> str | None:
    for name in schema.get("required", []):
        if name not in value:
            return f"{path}.{name} is missing"
    properties, others = schema.get("properties", {}), schema.get("additionalProperties", {})
    for name, item in value.items():
        if fault := fault_in(item, properties.get(name, others), f"{path}.{name}"):
            return fault
    return None


def _fault_in_scalar(value: Any, schema: Schema, path: str) -> str | None:
    if "enum" in schema and value not in schema["enum"]:
        return f"{path} must be one of {', '.join(schema['enum'])}"
    if len(value if isinstance(value, str) else "x") < schema.get("minLength", 0):
        return f"{path} must not be empty"
    if "minimum" in schema and not schema["minimum"] <= value <= schema["maximum"]:
        return f"{path} must be between {schema['minimum']} and {schema['maximum']}"
    if schema.get("format") == "date-time" and not _is_rfc3339(value):
        return f"{path} must be an RFC 3339 time with an offset"
    return None


def _is_rfc3339(text: str) -> bool:
    try:
        return bool(RFC3339.fullmatch(text) and datetime.fromisoformat(text.upper()))
    except ValueError:
        return False
