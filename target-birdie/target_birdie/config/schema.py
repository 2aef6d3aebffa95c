"""The JSON Schema of all settings, from `settings.toml`."""

import tomllib
from pathlib import Path
from typing import Any

_TEXT = Path(__file__).with_name("settings.toml").read_text("utf-8")
_DECLARED: dict[str, dict[str, Any]] = tomllib.loads(_TEXT)
_NO_PLACEHOLDER = {
    "not": {"type": "string", "pattern": r"^(?i:your[-_ ].*|<.*>|\.{3}|…)$"},
    "rule": "is a placeholder; replace it",
}

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
    "allOf": [{"additionalProperties": _NO_PLACEHOLDER}],
}
