"""Settings that stand in environment variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from singer_sdk.configuration._dict_config import parse_environment_config

from tap_wootric.errors import SettingsError


def from_environment(schema: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """The settings that variables of this prefix hold; an empty variable leaves one alone.

    Raises:
        SettingsError: A variable can't be read as what the setting is.
    """
    found: dict[str, Any] = {}
    for name, field in schema["properties"].items():
        variable = f"{prefix}{name.upper()}"
        try:
            found |= parse_environment_config({"properties": {name: field}}, prefix)
        except (ValueError, RecursionError):
            if os.environ[variable].strip():
                kind = next(kind for kind in field["type"] if kind != "null")
                message = f"setting '{name}' is wrong: {variable} must be of type {kind}"
                raise SettingsError(message) from None
    return {name: value for name, value in found.items() if value not in ("", None)}
