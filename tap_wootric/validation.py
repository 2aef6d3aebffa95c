"""Decide which settings, input files, variables and stream maps are valid, for the tap.

Messages contain no values, because a value may be a secret in the wrong place.
"""

import fnmatch
import json
import os
import re
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from difflib import SequenceMatcher, get_close_matches
from typing import Any, NoReturn
from urllib.parse import urlsplit

from jsonschema import FormatChecker
from jsonschema.exceptions import best_match, relevance
from singer_sdk.plugin_base import JSONSchemaValidator

from tap_wootric.config import LOOPBACK_HOSTS, moment
from tap_wootric.errors import (
    InputFileError,
    InvalidSettingError,
    MissingSettingError,
    StreamMapError,
    UnknownSettingError,
    UnknownVariableError,
    did_you_mean,
)

SIMILAR = 0.8
DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?")
PLACEHOLDER = re.compile(r"your[-_ ].*|<.*>|\.{3}|…", re.IGNORECASE)
OPTIONS = ("__alias__", "__else__", "__filter__", "__key_properties__", "__source__")
"""What a stream map can contain besides fields."""

FORMATS = FormatChecker(formats=())
RULES = {
    "date-time": "must be a date such as 2024-01-31, or a time such as 2024-01-31T09:00:00Z",
    "uri": "must be a URL such as https://api.wootric.com, without credentials, query and "
    "fragment; http is only allowed for loopback addresses",
}
"""What a value of a format must be."""


@FORMATS.checks("date-time", raises=ValueError)
def _is_date(value: object) -> bool:
    text = str(value)
    return bool(DATE.fullmatch(text) and moment({"date": text}, "date"))


@FORMATS.checks("uri", raises=ValueError)
def _is_url(value: object) -> bool:
    url = urlsplit(str(value))
    schemes = ("https", "http") if url.hostname in LOOPBACK_HOSTS else ("https",)
    is_plain = not (url.username or url.password or url.query or url.fragment or "{" in url.path)
    return bool(url.hostname and url.scheme in schemes and is_plain and url.port != 0)


def load_json(option: str, path: str, read: Callable[[], str]) -> dict[str, Any]:
    """Return the JSON object in an input file; an empty `--state` is an empty object.

    Args:
        option: Option of the command line, such as `--config`.
        path: Name of the file.
        read: Function that returns its content.

    Raises:
        InputFileError: The file cannot be read, or contains no JSON object.
    """
    try:
        text = read().strip()
        value = json.loads(text or ("{}" if option == "--state" else ""))
    except OSError as error:
        problem = f"cannot be read: {error.strerror or 'the file does not exist'}"
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        problem = f"is not valid JSON ({place}: {error.msg})"
    except UnicodeDecodeError:
        problem = "is not UTF-8 text"
    else:
        if isinstance(value, dict):
            return value
        problem = "must contain a JSON object"
    raise InputFileError(option=option, path=path, problem=problem)


def check_settings(config: dict[str, Any], schema: Mapping[str, Any]) -> None:
    """Check normalized settings, and add the default values.

    Raises:
        TapError: A setting is missing, unknown or invalid.
    """
    errors = JSONSchemaValidator(schema, format_checker=FORMATS).iter_errors(config)
    # A missing setting is the most common mistake, and often the cause of the others.
    error = best_match(errors, key=lambda e: (e.validator != "required", relevance(e)))
    if error is not None:
        _raise(error)
    for name, value in config.items():
        if isinstance(value, str) and PLACEHOLDER.fullmatch(value):
            raise InvalidSettingError(name=name, rule="is a placeholder; replace it")
    start, end = moment(config, "start_date"), moment(config, "end_date")
    if start and end and start >= end:
        raise InvalidSettingError(name="end_date", rule="must be after 'start_date'")


def _raise(error: Any) -> NoReturn:
    path = [str(part) for part in error.absolute_path]
    if error.validator == "additionalProperties":
        known = error.schema["properties"]
        unknown = next(name for name in error.instance if name not in known)
        hint = did_you_mean(unknown, known) or " See tap-wootric --about for all settings."
        raise UnknownSettingError(name=".".join([*path, unknown]), hint=hint)
    if error.validator == "required":
        missing = next(name for name in error.validator_value if name not in error.instance)
        raise MissingSettingError(missing, error.schema.get("description", ""))
    raise InvalidSettingError(name=".".join(path), rule=_rule(error))


def _rule(error: Any) -> str:
    value = error.validator_value
    match error.validator:
        case "enum":
            return f"must be one of {', '.join(str(v) for v in value if v is not None)}"
        case "minimum" | "maximum":
            return f"must be at {'least' if error.validator == 'minimum' else 'most'} {value}"
        case "format":
            return RULES[value]
    return f"must be of type {' or '.join(_types(error.schema))}"


def _types(schema: Mapping[str, Any]) -> list[str]:
    choices = [schema, *schema.get("anyOf", ()), *schema.get("oneOf", ())]
    found = (choice.get("type", []) for choice in choices)
    names = [name for types in found for name in ([types] if isinstance(types, str) else types)]
    return [name for name in dict.fromkeys(names) if name != "null"]


def read_environment(schema: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Return the settings in environment variables, such as `TAP_WOOTRIC_PAGE_SIZE`.

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
    objects = [setting for setting, rule in known.items() if "object" in _types(rule)]
    starts = ("_", *(f"{setting}_" for setting in objects))
    ends = tuple(f"_{setting}" for setting in known)
    for variable in sorted(name for name in os.environ if name.startswith(prefix)):
        name = variable.removeprefix(prefix).lower()
        close = get_close_matches(name, known, n=1, cutoff=SIMILAR)
        if close and name not in known and not (name.startswith(starts) or name.endswith(ends)):
            raise UnknownVariableError(name=variable, suggestion=prefix + close[0].upper())


def check_stream_maps(
    maps: Mapping[str, Any], fields_by_stream: Mapping[str, Collection[str]]
) -> None:
    """Check the names in the setting `stream_maps`.

    The SDK ignores names that do not exist. A misspelled name would deliver personal data.

    Raises:
        StreamMapError: A map applies to no stream, removes a field that does not exist, or has a
            name that is similar to that of a field.
    """
    for name, rules in maps.items():
        rules_by_field = rules if isinstance(rules, Mapping) else {}
        source = str(rules_by_field.get("__source__", name))
        streams = fnmatch.filter(fields_by_stream, source)
        if not streams and name != "__else__":
            hint = did_you_mean(source, fields_by_stream)
            raise StreamMapError(map=name, problem="no stream has this name", hint=hint)
        known = {*OPTIONS, *(field for stream in streams for field in fields_by_stream[stream])}
        for field, rule in rules_by_field.items():
            is_wrong = rule in (None, "__NULL__") or _is_misspelled(field, known)
            if is_wrong and field not in known:
                problem = f"stream '{source}' has no field '{field}'"
                raise StreamMapError(map=name, problem=problem, hint=did_you_mean(field, known))


def _is_misspelled(name: str, known: Collection[str]) -> bool:
    """Return whether a name is similar to a known one, and neither contains the other."""
    return any(
        name not in one and one not in name and SequenceMatcher(None, name, one).ratio() >= SIMILAR
        for one in known
    )
