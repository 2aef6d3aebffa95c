"""What users get wrong in settings, environment variables and stream maps, each in one line.

No message contains a value: it may be a secret.
"""

import fnmatch
import json
import os
import re
from collections.abc import Collection, Iterator, Mapping
from difflib import SequenceMatcher, get_close_matches
from pathlib import Path
from typing import Any

from jsonschema.exceptions import best_match
from singer_sdk.mapper import (
    MAPPER_ALIAS_OPTION,
    MAPPER_ELSE_OPTION,
    MAPPER_FILTER_OPTION,
    MAPPER_KEY_PROPERTIES_OPTION,
    MAPPER_SOURCE_OPTION,
    NULL_STRING,
)
from singer_sdk.plugin_base import JSONSchemaValidator

from target_birdie.errors import (
    ConfigFileError,
    InvalidSettingError,
    StreamMapError,
    UnknownSettingError,
    UnknownVariableError,
    did_you_mean,
)

_SIMILAR = 0.8
_PLACEHOLDER = re.compile(r"your[-_ ].*|<.*>|\.{3}|…", re.IGNORECASE)
_BOOLEANS = ("", "true", "1", "yes", "on", "false", "0", "no", "off")
_OPTIONS = (
    MAPPER_ALIAS_OPTION,
    MAPPER_ELSE_OPTION,
    MAPPER_FILTER_OPTION,
    MAPPER_KEY_PROPERTIES_OPTION,
    MAPPER_SOURCE_OPTION,
)


def load_file(path: str) -> dict[str, Any]:
    """Return the settings in a file.

    Raises:
        ConfigFileError: It cannot be read, or is not a JSON object.
    """
    try:
        config = json.loads(Path(path).read_bytes())
    except OSError as error:
        raise ConfigFileError(path=path, problem=f"cannot be read: {error.strerror}") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise ConfigFileError(
            path=path, problem=f"is not valid JSON ({place}: {error.msg})"
        ) from None
    except UnicodeDecodeError:
        raise ConfigFileError(path=path, problem="is not UTF-8 text") from None
    if not isinstance(config, dict):
        raise ConfigFileError(path=path, problem="must contain a JSON object")
    return config


def check_settings(config: Mapping[str, Any], schema: Mapping[str, Any]) -> None:
    """Check the names and types of the settings.

    Raises:
        ConfigError: A setting is unknown or has the wrong type.
    """
    error = best_match(JSONSchemaValidator(schema).iter_errors(config))
    if error is None:
        for name, value in config.items():
            if isinstance(value, str) and _PLACEHOLDER.fullmatch(value):
                raise InvalidSettingError(name=name, rule="is a placeholder; replace it")
        return
    path = [str(part) for part in error.absolute_path]
    if error.validator == "additionalProperties":
        known = error.schema["properties"]
        unknown = next(name for name in error.instance if name not in known)
        raise UnknownSettingError(".".join([*path, unknown]), did_you_mean(unknown, known))
    raise InvalidSettingError(name=".".join(path), rule=_rule(error))


def _rule(error: Any) -> str:
    value = error.validator_value
    match error.validator:
        case "enum":
            return f"must be one of {', '.join(map(str, value))}"
        case "minimum" | "maximum":
            return f"must be at {'least' if error.validator == 'minimum' else 'most'} {value}"
        case "required":
            return f"must contain {', '.join(set(value) - set(error.instance))}"
    return f"must be of type {' or '.join(_types(error.schema))}"


def _types(schema: Mapping[str, Any]) -> list[str]:
    choices = [schema, *schema.get("anyOf", ()), *schema.get("oneOf", ())]
    found = (choice.get("type", []) for choice in choices)
    names = [name for types in found for name in ([types] if isinstance(types, str) else types)]
    return [name for name in dict.fromkeys(names) if name != "null"] or ["null"]


def check_environment(schema: Mapping[str, Any], prefix: str, *, is_read: bool) -> None:
    """Check the environment variables of the target.

    Args:
        schema: JSON Schema of the settings.
        prefix: Prefix of the variables.
        is_read: Whether the settings come from the variables (`--config=ENV`).

    Raises:
        ConfigError: A variable is similar to that of a setting, or its value has the wrong type.
    """
    known = schema["properties"]
    for variable in sorted(name for name in os.environ if name.startswith(prefix)):
        name = variable.removeprefix(prefix).lower()
        if variable == prefix + name.upper() and name in known:
            if is_read and not _is_readable(known[name], os.environ[variable]):
                kind = " or ".join(_types(known[name]))
                rule = f"must be of type {kind} (environment variable {variable})"
                raise InvalidSettingError(name=name, rule=rule)
        elif not _is_set_by_meltano(name, known):
            close = get_close_matches(name, known, n=1, cutoff=_SIMILAR)
            if close:
                raise UnknownVariableError(name=variable, suggestion=prefix + close[0].upper())


def _is_readable(declared: Mapping[str, Any], value: str) -> bool:
    """Return whether the SDK reads a value as meant: it reads any unknown word as false."""
    types = declared.get("type", [])
    try:
        if "boolean" in types:
            return value.lower() in _BOOLEANS
        if "integer" in types:
            int(value)
        elif "string" not in types:
            json.loads(value)
    except ValueError:
        return False
    return True


def _is_set_by_meltano(name: str, known: Mapping[str, Any]) -> bool:
    """Return whether Meltano may set a variable: for extras, objects and inherited plugins."""
    objects = [setting for setting, rule in known.items() if "object" in rule.get("type", [])]
    return (
        name.startswith("_")
        or any(f"_{setting}_" in f"_{name}" for setting in objects)
        or name.endswith(tuple(f"_{setting}" for setting in known))
    )


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
        if not isinstance(rules, Mapping) or not fnmatch.fnmatch(stream, _source(name, rules)):
            continue
        for field in (field for field in rules if field not in known):
            close = did_you_mean(field, known)
            if rules[field] in (None, NULL_STRING) or _is_misspelled(field, known):
                raise StreamMapError(map=name, stream=stream, field=field, hint=close)


def unused_stream_maps(maps: Mapping[str, Any], streams: Collection[str]) -> Iterator[str]:
    """Yield the names of the stream maps that apply to none of the streams."""
    for name, rules in maps.items():
        if name != MAPPER_ELSE_OPTION and not fnmatch.filter(streams, _source(name, rules)):
            yield name


def _source(name: str, rules: object) -> str:
    return str(rules.get(MAPPER_SOURCE_OPTION, name) if isinstance(rules, Mapping) else name)


def _is_misspelled(name: str, known: Collection[str]) -> bool:
    """Return whether a name is similar to a known one that it neither contains nor continues."""
    return any(
        name not in one and one not in name and SequenceMatcher(None, name, one).ratio() >= _SIMILAR
        for one in known
    )
