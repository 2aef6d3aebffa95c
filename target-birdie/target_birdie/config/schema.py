"""The JSON Schema of all settings, from `settings.toml`."""

import tomllib
from importlib.resources import files
from typing import Any

from singer_sdk.helpers.capabilities import STREAM_MAPS_CONFIG

_DECLARED: dict[str, dict[str, Any]] = tomllib.loads(
    files("target_birdie.config").joinpath("settings.toml").read_text("utf-8")
)

CONFIG_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        name: rule
        | {"type": [rule["type"], "null"], "description": " ".join(rule["description"].split())}
        for name, rule in _DECLARED.items()
    },
    "additionalProperties": False,
}

DEFAULT_STREAMS: dict[str, dict[str, Any]] = _DECLARED["streams"]["default"]
"""The mapping of Wootric's streams."""


def add_stream_maps(config_schema: dict[str, Any]) -> None:
    """Add the SDK's settings for stream maps; its other settings have no effect here."""
    for name in ("stream_maps", "stream_map_config"):
        declared = _without_bare_types(STREAM_MAPS_CONFIG["properties"][name])
        config_schema["properties"].setdefault(name, declared)


def _without_bare_types(declared: Any) -> Any:
    """Drop bare type names from alternatives: SDK 0.54 lists "null" where a schema belongs."""
    if not isinstance(declared, dict):
        return declared
    return {
        name: [_without_bare_types(choice) for choice in rule if isinstance(choice, dict)]
        if name == "anyOf"
        else _without_bare_types(rule)
        for name, rule in declared.items()
    }
