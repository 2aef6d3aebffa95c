"""What users get wrong in settings, environment variables and stream maps, each in one line.

No message contains a value: it may be a secret.
"""

import json
import os
import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from difflib import get_close_matches
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from jsonschema.exceptions import best_match
from singer_sdk.plugin_base import JSONSchemaValidator

from target_birdie import errors
from target_birdie.config.schema import CONFIG_SCHEMA

_SETTINGS: dict[str, Any] = CONFIG_SCHEMA["properties"]
_SIMILAR = 0.8
_RULES = {
    "enum": "must be one of",
    "maximum": "must be at most",
    "minimum": "must be at least",
    "required": "must contain",
    "type": "must be of type",
}
_OPTIONS = ("__alias__", "__else__", "__filter__", "__key_properties__", "__source__")
"""What a stream map can contain besides fields."""


def load_file(path: str) -> dict[str, Any]:
    """Return the settings in a file.

    Raises:
        ConfigFileError: It cannot be read, or is not a JSON object.
    """
    try:
        config = json.loads(Path(path).read_bytes())
        if isinstance(config, dict):
            return config
        problem = "must contain a JSON object"
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
    except json.JSONDecodeError as error:
        problem = f"is not valid JSON (line {error.lineno}, column {error.colno}: {error.msg})"
    except UnicodeDecodeError:
        problem = "is not UTF-8 text"
    raise errors.ConfigFileError(file=f"--config {path}", problem=problem)


def checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """Check the names and types of the settings, and return them with the default values.

    Null means unset. Text is read as JSON where a setting has another type, as variables are text.

    Raises:
        TargetError: A setting is unknown or invalid.
    """
    parsed = {name: _parsed(name, value) for name, value in given.items()}
    config = {name: value for name, value in parsed.items() if value is not None}
    error: Any = best_match(JSONSchemaValidator(CONFIG_SCHEMA).iter_errors(config))
    if error is None:
        return config
    path, value = [str(part) for part in error.absolute_path], error.validator_value
    if error.validator == "additionalProperties":
        known = error.schema["properties"]
        unknown = next(name for name in error.instance if name not in known)
        hint = errors.did_you_mean(unknown, known) or " See target-birdie --about for all settings."
        raise errors.UnknownSettingError(name=".".join([*path, unknown]), hint=hint)
    if isinstance(value, list):
        word = " or " if error.validator == "type" else ", "
        value = word.join(name for name in value if name != "null")
    start = _RULES.get(error.validator)
    rule = f"{start} {value}" if start else error.schema["rule"]
    raise errors.InvalidSettingError(name=".".join(path), rule=rule)


def _parsed(name: str, value: Any) -> Any:
    if isinstance(value, str) and "string" not in _SETTINGS.get(name, {"type": "string"})["type"]:
        with suppress(ValueError):  # the type is then wrong
            return json.loads(value)
    return str(value) if name == "max_rejects" and isinstance(value, int) else value


def check_environment() -> None:
    """Check the names of environment variables, also if no setting is read from them.

    Raises:
        UnknownVariableError: A name is similar to that of a setting.
    """
    objects = "|".join(name for name, rule in _SETTINGS.items() if "object" in rule["type"])
    # Meltano sets variables for extras, for parts of objects, and for inherited plugins.
    foreign = re.compile(f"_.*|(.*_)?({objects})_.*|.*_({'|'.join(_SETTINGS)})")
    prefix = errors.VARIABLE_PREFIX
    for variable in sorted(name for name in os.environ if name.startswith(prefix)):
        name = variable.removeprefix(prefix).lower()
        close = get_close_matches(name, _SETTINGS, n=1, cutoff=_SIMILAR)
        suggestion = prefix + "".join(close).upper()
        if close and variable != suggestion and not foreign.fullmatch(name):
            raise errors.UnknownVariableError(name=variable, suggestion=suggestion)


def check_stream_maps(maps: Mapping[str, Any], stream: str, fields: Collection[str]) -> set[str]:
    """Check the stream maps of one stream, and return their names.

    The SDK ignores names that do not exist. A misspelled name would send personal data.

    Args:
        maps: The setting `stream_maps`.
        stream: Name of the stream.
        fields: Fields in its SCHEMA.

    Raises:
        StreamMapError: A removed field does not exist, or a name is similar to that of a field
            that it neither contains nor continues.
    """
    known, applied = {*fields, *_OPTIONS}, set()
    for name, value in maps.items():
        rules = value if isinstance(value, dict) else {}
        if fnmatch(stream, rules.get("__source__", name)):
            applied.add(name)
            for field in sorted(rules.keys() - known):
                others = [one for one in known if field not in one and one not in field]
                is_similar = get_close_matches(field, others, n=1, cutoff=_SIMILAR)
                if is_similar or rules[field] in (None, "__NULL__"):
                    hint = errors.did_you_mean(field, known)
                    raise errors.StreamMapError(map=name, stream=stream, field=field, hint=hint)
    return applied
