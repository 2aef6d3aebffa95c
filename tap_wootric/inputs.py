"""The files that the command is given: read as JSON, or refused in one line."""

from __future__ import annotations

import io
import json
from typing import IO, Any, NoReturn

from jsonschema import Draft7Validator, SchemaError
from singer_sdk.singerlib import Catalog

from tap_wootric.errors import SettingsError, StateError


def is_text(value: object) -> bool:
    """Whether a JSON value can be written in UTF-8: half of a surrogate pair can't."""
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        return False
    return True


def readable_state(state: IO[str]) -> IO[str] | None:
    """The state; an empty file is what `tail -1` leaves of a run that wrote none.

    Raises:
        StateError: It is no state.
    """
    try:
        text = state.read()
        if not text.strip():
            return None
        if isinstance(_parsed(text), dict):
            return io.StringIO(text)
    except (ValueError, RecursionError):
        pass
    message = (
        f"--state {state.name}: not a JSON object. Give the value of the tap's last STATE line, "
        "or no state to begin anew."
    )
    raise StateError(message)


def readable_catalog(catalog: IO[str]) -> IO[str]:
    """The catalog.

    Raises:
        SettingsError: It is none.
    """
    try:
        text = catalog.read()
        entries = Catalog.from_dict(_parsed(text))
        for entry in entries.values():
            Draft7Validator.check_schema(entry.schema.to_dict())
            entry.metadata.resolve_selection()
        if entries:
            return io.StringIO(text)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError, SchemaError):
        pass
    raise SettingsError(f"--catalog {catalog.name}: not a catalog. Give what --discover writes.")


def _parsed(text: str) -> Any:
    value = json.loads(text, parse_constant=_refuse)
    if not is_text(value):
        raise ValueError
    return value


def _refuse(_constant: str) -> NoReturn:
    """Python reads NaN and Infinity, which JSON does not have."""
    raise ValueError
