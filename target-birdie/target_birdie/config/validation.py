"""What users get wrong in settings, environment variables and stream maps, each in one line.

No message contains a value: it may be a secret.
"""

import fnmatch
import json
import os
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from difflib import SequenceMatcher, get_close_matches
from pathlib import Path
from typing import Any

from jsonschema.exceptions import best_match
from singer_sdk.plugin_base import JSONSchemaValidator

from target_birdie import errors

_SIMILAR = 0.8
_PLACEHOLDER = re.compile(r"your[-_ ].*|<.*>|\.{3}|…", re.IGNORECASE)
_OPTIONS = ("__alias__", "__else__", "__filter__", "__key_properties__", "__source__")
"""What a stream map can contain besides fields."""


def load_file(path: str) -> dict[str, Any]:
    """Return the settings in a file.

    Raises:
        ConfigFileError: It cannot be read, or is not a JSON object.
    """
    try:
        config = json.loads(Path(path).read_bytes())
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        problem = f"is not valid JSON ({place}: {error.msg})"
    except UnicodeDecodeError:
        problem = "is not UTF-8 text"
    else:
        if isinstance(config, dict):
            return config
        problem = "must contain a JSON object"
    raise errors.ConfigFileError(path=path, problem=problem)


def check_settings(config: Mapping[str, Any], schema: Mapping[str, Any]) -> None:
    """Check the names and types of the settings.

    Raises:
        ConfigError: A setting is unknown or has the wrong type.
    """
    error: Any = best_match(JSONSchemaValidator(schema).iter_errors(config))
    if error is None:
        for name, value in config.items():
            if isinstance(value, str) and _PLACEHOLDER.fullmatch(value):
                raise errors.InvalidSettingError(name=name, rule="is a placeholder; replace it")
        return
    path = [str(part) for part in error.absolute_path]
    if error.validator == "additionalProperties":
        known = error.schema["properties"]
        unknown = next(name for name in error.instance if name not in known)
        hint = errors.did_you_mean(unknown, known) or " See target-birdie --about for all settings."
        raise errors.UnknownSettingError(name=".".join([*path, unknown]), hint=hint)
    raise errors.InvalidSettingError(name=".".join(path), rule=_rule(error))


def _rule(error: Any) -> str:
    value = error.validator_value
    match error.validator:
        case "enum":
            is_name = "propertyNames" in error.absolute_schema_path
            return f"{'can only contain' if is_name else 'must be one of'} {', '.join(value)}"
        case "minimum" | "maximum":
            return f"must be at {'least' if error.validator == 'minimum' else 'most'} {value}"
        case "required":
            return f"must contain {', '.join(name for name in value if name not in error.instance)}"
        case "pattern":
            return str(error.schema["rule"])
    return f"must be of type {' or '.join(_types(error.schema))}"


def _types(schema: Mapping[str, Any]) -> list[str]:
    types = schema.get("type", [])
    return [name for name in ([types] if isinstance(types, str) else types) if name != "null"]


def read_environment(schema: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Return the settings in environment variables, such as `TARGET_BIRDIE_DRY_RUN`.

    Values of other types than text are JSON. Other text is kept: `check_settings` rejects it.
    """
    found: dict[str, Any] = {}
    for name, rule in schema["properties"].items():
        if value := os.environ.get(prefix + name.upper(), "").strip():
            found[name] = value
            if "string" not in _types(rule):  # the SDK would read any other word as false
                with suppress(ValueError):
                    found[name] = json.loads(value)
    return found


def check_environment(schema: Mapping[str, Any], prefix: str) -> None:
    """Check the names of environment variables, also if no setting is read from them.

    Raises:
        UnknownVariableError: A name is similar to that of a setting.
    """
    known = schema["properties"]
    # Meltano sets variables for extras, for parts of objects, and for inherited plugins.
    parts = [f"_{setting}_" for setting, rule in known.items() if "object" in _types(rule)]
    ends = tuple(f"_{setting}" for setting in known)
    for variable in sorted(name for name in os.environ if name.startswith(prefix)):
        name = variable.removeprefix(prefix).lower()
        is_setting = name in known and variable.isupper()
        is_foreign = name.startswith("_") or any(part in f"_{name}" for part in parts)
        close = get_close_matches(name, known, n=1, cutoff=_SIMILAR)
        if close and not (is_setting or is_foreign or name.endswith(ends)):
            raise errors.UnknownVariableError(name=variable, suggestion=prefix + close[0].upper())


def check_stream_maps(maps: Mapping[str, Any], stream: str, fields: Collection[str]) -> None:
    """Check the stream maps of one stream.

    The SDK ignores names that do not exist. A misspelled name would send personal data.

    Args:
        maps: The setting `stream_maps`.
        stream: Name of the stream.
        fields: Fields in its SCHEMA.

    Raises:
        StreamMapError: A removed field does not exist, or a name is similar to that of a field.
    """
    known = {*fields, *_OPTIONS}
    for name, rules in maps.items():
        if isinstance(rules, Mapping) and fnmatch.fnmatch(stream, _source(name, rules)):
            for field, rule in rules.items():
                is_wrong = rule in (None, "__NULL__") or _is_misspelled(field, known)
                if is_wrong and field not in known:
                    hint = errors.did_you_mean(field, known)
                    raise errors.StreamMapError(map=name, stream=stream, field=field, hint=hint)


def unused_stream_maps(maps: Mapping[str, Any], streams: Collection[str]) -> Iterator[str]:
    """Yield the names of the stream maps that apply to none of the streams."""
    for name, rules in maps.items():
        if name != "__else__" and not fnmatch.filter(streams, _source(name, rules)):
            yield name


def _source(name: str, rules: object) -> str:
    return str(rules.get("__source__", name) if isinstance(rules, Mapping) else name)


def _is_misspelled(name: str, known: Collection[str]) -> bool:
    """Return whether a name is similar to a known one that it neither contains nor continues."""
    return any(
        name not in one and one not in name and SequenceMatcher(None, name, one).ratio() >= _SIMILAR
        for one in known
    )
