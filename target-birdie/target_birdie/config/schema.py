"""The JSON Schema of all settings, from `settings.toml` and the SDK's settings for stream maps."""

import tomllib
from importlib.resources import files
from typing import Any

from singer_sdk.helpers.capabilities import STREAM_MAPS_CONFIG

_DECLARED: dict[str, dict[str, Any]] = tomllib.loads(
    files("target_birdie.config").joinpath("settings.toml").read_text("utf-8")
)

DEFAULT_STREAMS: dict[str, dict[str, Any]] = _DECLARED["streams"]["default"]
"""The mapping of Wootric's streams."""


def _without_bare_types(rule: Any) -> Any:
    """Drop bare type names from alternatives: SDK 0.54 lists "null" where a schema belongs."""
    if isinstance(rule, dict):
        return {name: _without_bare_types(part) for name, part in rule.items()}
    if isinstance(rule, list) and any(isinstance(choice, dict) for choice in rule):
        return [_without_bare_types(choice) for choice in rule if isinstance(choice, dict)]
    return rule


CONFIG_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        name: rule
        | {"type": [rule["type"], "null"], "description": " ".join(rule["description"].split())}
        for name, rule in _DECLARED.items()
    }
    | {
        name: _without_bare_types(STREAM_MAPS_CONFIG["properties"][name])
        for name in ("stream_maps", "stream_map_config")
    },
    "additionalProperties": False,
}
