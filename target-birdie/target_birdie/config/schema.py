"""The JSON Schema of all settings, from `settings.toml`."""

import tomllib
from importlib.resources import files
from typing import Any

_DECLARED: dict[str, dict[str, Any]] = tomllib.loads(
    files("target_birdie.config").joinpath("settings.toml").read_text("utf-8")
)

DEFAULT_STREAMS: dict[str, dict[str, Any]] = _DECLARED["streams"]["default"]
"""The mapping of Wootric's streams."""


CONFIG_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        name: rule
        | {"type": [rule["type"], "null"], "description": " ".join(rule["description"].split())}
        for name, rule in _DECLARED.items()
    },
    "additionalProperties": False,
}
