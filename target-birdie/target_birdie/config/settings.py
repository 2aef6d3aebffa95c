"""The settings: declared once for the SDK, checked here, and read by the rest as one object."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from importlib.metadata import version
from string import Formatter
from typing import Any
from urllib.parse import urlsplit

from target_birdie.errors import ConfigError
from target_birdie.mapping import payload
from target_birdie.mapping.mapper import Rules

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Settings:
    """Checked settings; `declaration.py` describes each."""

    api_key: str
    api_url: str
    paths: dict[str, str]
    user_agent: str
    streams: dict[str, dict[str, Any]]
    rules: Rules
    batch_id: str
    destination: str
    output_path: str
    dry_run: bool
    max_concurrency: int
    max_requests_per_second: int
    request_timeout: int
    retry_budget_seconds: int
    on_reject: str
    rejects_path: str
    max_rejects: float
    max_rejects_is_share: bool
    digest_path: str
    schema_path: str


def read(config: Mapping[str, Any]) -> Settings:
    """Check what a JSON Schema cannot, and return the settings.

    Raises:
        ConfigError: Names the setting, what is wrong and what to do.
    """
    sends = config["destination"] == "birdie" and not config["dry_run"]
    if sends and not config.get("api_key", "").strip():
        raise ConfigError("api_key is missing: set the key that Birdie gave you")
    if config["destination"] != "birdie" and not config.get("output_path"):
        raise ConfigError("output_path is missing: name the folder or bucket prefix for the files")
    amount, share = _max_rejects(config["max_rejects"])
    return Settings(
        api_key=_header_safe("api_key", config.get("api_key", "")),
        api_url=_api_url(config["api_url"]),
        paths={
            "feedback": _path("feedback_path", config["feedback_path"], "feedback_id"),
            "user": _path("user_path", config["user_path"], "user_id"),
        },
        user_agent=_header_safe("user_agent", config.get("user_agent") or _own_name()),
        streams=_streams(config["streams"]),
        rules=_rules(config),
        batch_id=config.get("batch_id", ""),
        max_rejects=amount,
        max_rejects_is_share=share,
        **{name: config.get(name, "") for name in _PLAIN},
    )


_PLAIN = [
    "destination",
    "output_path",
    "dry_run",
    "max_concurrency",
    "max_requests_per_second",
    "request_timeout",
    "retry_budget_seconds",
    "on_reject",
    "rejects_path",
    "digest_path",
    "schema_path",
]


_NEEDED = {"feedback": ("feedback_id", "rating", "posted_at"), "user": ("user_id",)}


def _own_name() -> str:
    return f"target-birdie/{version('target-birdie')}"


def _streams(table: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    for stream, entry in table.items():
        record_type = entry["record_type"]
        known = payload.known_fields(record_type)
        if unknown := sorted(set(entry["fields"]) - set(known)):
            raise ConfigError(
                f"streams.{stream}.fields names no field of a Birdie {record_type}: "
                f"{', '.join(unknown)}; there are {', '.join(known)}"
            )
        if missing := [name for name in _NEEDED[record_type] if name not in entry["fields"]]:
            raise ConfigError(f"streams.{stream}.fields lacks {', '.join(missing)}")
    return dict(table)


def _rules(config: Mapping[str, Any]) -> Rules:
    return Rules(
        kind=config["kind"],
        id_prefix=config.get("id_prefix", ""),
        include=frozenset(config.get("additional_fields_include", ())),
        exclude=frozenset(config.get("additional_fields_exclude", ())),
        include_pii=config["include_pii"],
        date_properties=frozenset(config.get("date_properties", ())),
    )


def _header_safe(name: str, value: str) -> str:
    value = value.strip()
    if not (value.isascii() and (value.isprintable() or not value)):
        raise ConfigError(f"{name} holds characters that no HTTP header can carry")
    return value


def _api_url(value: str) -> str:
    try:
        url = urlsplit(value.strip())
        valid = url.scheme in {"http", "https"} and url.hostname and (url.port or True)
    except ValueError:
        valid = False
    if not valid or url.query or url.fragment:
        raise ConfigError("api_url is no web address: write it as https://host/path")
    if url.username or url.password:
        raise ConfigError("api_url must not carry credentials: put the key in api_key")
    if url.scheme == "http" and url.hostname not in _LOOPBACK:
        raise ConfigError("api_url must start with https://: the key is never sent in clear")
    return value.strip().rstrip("/")


def _path(name: str, value: str, field: str) -> str:
    try:
        fields = [found for _, found, _, _ in Formatter().parse(value) if found is not None]
    except ValueError:
        fields = []
    if not value.startswith("/") or fields != [field]:
        raise ConfigError(f"{name} must start with / and hold {{{field}}} once")
    return value


def _max_rejects(value: str) -> tuple[float, bool]:
    number = value.strip().removesuffix("%").strip()
    if not number.isdecimal():
        raise ConfigError('max_rejects must be a number such as "20" or a share such as "5%"')
    return (int(number) / 100, True) if "%" in value else (int(number), False)


def describe(error: Any) -> Iterator[str]:
    """Say what a JSON Schema error means, without the value: it may be a secret."""
    inside = [cause for cause in error.context if cause.path]
    for cause in inside:  # an alternative fits the value but for these
        yield from describe(cause)
    if not inside:
        yield _sentence(error)


def _sentence(error: Any) -> str:
    where = ".".join(str(part) for part in error.absolute_path) or "the configuration"
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        known = error.schema.get("properties", {})
        unknown = ", ".join(sorted(set(error.instance) - set(known)))
        place = "" if where == "the configuration" else f" in {where}"
        return f"unknown setting{place}: {unknown}; see target-birdie --about"
    return f"{where} {_expectation(error)}"


def _expectation(error: Any) -> str:
    wanted = error.validator_value
    match error.validator:
        case "type" | "anyOf":
            return f"must be {_named(wanted)}"
        case "enum":
            return f"must be one of {', '.join(map(str, wanted))}"
        case "minimum":
            return f"must be at least {wanted}"
        case "maximum":
            return f"must be at most {wanted}"
        case "required":
            return f"lacks {_missing(error)}"
    return "has a value that is not valid"


def _missing(error: Any) -> str:
    return ", ".join(name for name in error.validator_value if name not in error.instance)


def _types(schema: Any) -> list[str]:
    return _listed(schema.get("type", []) if isinstance(schema, Mapping) else schema)


def _listed(value: Any) -> list[Any]:
    return [value] if isinstance(value, str) else list(value)


def _named(types: Any) -> str:
    names = {
        "string": "a text",
        "integer": "a whole number",
        "boolean": "true or false",
        "object": "an object",
        "array": "a list",
    }
    wanted = [name for one in _listed(types) for name in _types(one)]
    found = dict.fromkeys(names.get(name, name) for name in wanted if name != "null")
    return " or ".join(found) or "null"


_BOOLEANS = ("", "true", "1", "yes", "on", "false", "0", "no", "off")


def unreadable_environment(schema: Mapping[str, Any], prefix: str) -> Iterator[str]:
    """Yield a line for each environment variable that the SDK can't read, or reads otherwise.

    It takes whatever it does not know for false.
    """
    for name, declared in schema["properties"].items():
        variable = prefix + name.upper()
        value = os.environ.get(variable)
        types = declared.get("type", [])
        if value is None or "string" in types:
            continue
        try:
            if "boolean" in types:
                _BOOLEANS.index(value.lower())
            elif "integer" in types:
                int(value)
            else:
                json.loads(value, parse_float=Decimal, parse_constant=int)  # int takes no NaN
        except (ValueError, ArithmeticError):
            yield f"{name} must be {_named(types)} (environment variable {variable})"
