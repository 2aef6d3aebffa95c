"""What is wrong with the settings, in sentences that hold no values: those may be secret."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from jsonschema import Draft7Validator

from tap_wootric.inputs import is_text
from tap_wootric.personal_data import HASH
from tap_wootric.settings import CLIENT_CREDENTIALS, NEEDED_BY_GRANT
from tap_wootric.times import to_utc

ALTERNATIVES = ("anyOf", "oneOf")

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1")

DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?")


def problems(config: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    """Say what is wrong with the settings, a sentence each; values are not repeated."""
    wrong = list(_wrong_types(config, schema))
    yield from wrong
    yield from _missing(config)
    for name, value in config.items():
        if not is_text(value):
            yield f"setting '{name}' is wrong: it must be text in UTF-8"
    if not wrong:
        yield from _wrong_dates(config)
        yield from _wrong_url(config)
        yield from _wrong_header(config)


def _wrong_types(config: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    known = schema["properties"]
    for name in config:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean '{close[0]}'?" if close else "see --about for those there are"
            yield f"setting '{name}' is unknown: {hint}"
    check = Draft7Validator({**_readable(schema), "additionalProperties": True})
    for error in (cause for found in check.iter_errors(config) for cause in _causes(found)):
        name = ".".join(str(part) for part in error.absolute_path) or "config"
        yield f"setting '{name}' is wrong: it must be {_expected(error.validator, error)}"


def _readable(schema: Any) -> Any:
    """The SDK puts the bare name of a type among alternatives, over which the check stumbles."""
    if isinstance(schema, list):
        return [_readable(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    return {
        name: [{"type": item} if isinstance(item, str) else _readable(item) for item in rule]
        if name in ALTERNATIVES
        else _readable(rule)
        for name, rule in schema.items()
    }


def _causes(error: Any) -> Iterator[Any]:
    """What is wrong inside where an alternative fits the value but for that; else the error."""
    inside = [cause for cause in error.context if cause.path]
    for cause in inside:
        yield from _causes(cause)
    if not inside:
        yield error


def _expected(rule: object, error: Any) -> str:
    value = error.validator_value
    if rule == "enum":
        return "one of " + ", ".join(str(v) for v in value if v is not None)
    if rule in {"minimum", "maximum"}:
        return f"{'at least' if rule == 'minimum' else 'at most'} {value}"
    if rule == "type":
        return "of type " + " or ".join(t for t in _types(error.schema) if t != "null")
    if rule in ALTERNATIVES:
        fixed = [json.dumps(choice["const"]) for choice in value if "const" in choice]
        types = dict.fromkeys(name for choice in value for name in _types(choice))
        return " or ".join([*fixed, "of type " + " or ".join(types)])
    if rule == "additionalProperties":
        return "an object of " + ", ".join(error.schema["properties"])
    return f"valid ({rule})"


def _types(schema: Mapping[str, Any]) -> list[str]:
    named = schema.get("type", [])
    return [named] if isinstance(named, str) else list(named)


def _missing(config: Mapping[str, Any]) -> Iterator[str]:
    grant = config.get("grant_type", CLIENT_CREDENTIALS)
    for name in NEEDED_BY_GRANT.get(grant, ()) if isinstance(grant, str) else ():
        if not config.get(name):
            yield f"setting '{name}' is missing: the grant '{grant}' needs it"
    if config.get("personal_data") == HASH and not config.get("hash_salt"):
        yield "setting 'hash_salt' is missing: required when 'personal_data' is 'hash'"
    if config.get("flattening_enabled") and config.get("flattening_max_depth") is None:
        yield "setting 'flattening_max_depth' is missing: 'flattening_enabled' needs it"


def _wrong_dates(config: Mapping[str, Any]) -> Iterator[str]:
    moments = {}
    for name in ("start_date", "end_date"):
        value = config.get(name)
        if not value:
            continue
        try:
            if not DATE.fullmatch(value):
                raise ValueError
            moments[name] = to_utc(value)
        except ValueError:
            yield (
                f"setting '{name}' is not a date: write it like 2024-01-31 or 2024-01-31T09:00:00Z"
            )
    if len(moments) == 2 and moments["start_date"] >= moments["end_date"]:  # noqa: PLR2004
        yield "setting 'end_date' is not after 'start_date': nothing would be synced"


def _wrong_url(config: Mapping[str, Any]) -> Iterator[str]:
    if config.get("api_url") is None:
        return
    try:
        url = urlsplit(config["api_url"])
        host, scheme = url.hostname, url.scheme
        requests.Request("GET", config["api_url"]).prepare()
        (host or "").encode("idna")
    except ValueError:
        host, scheme = None, ""
    if not host or scheme not in {"http", "https"}:
        yield "setting 'api_url' is not a URL: write it like https://api.wootric.com"
    elif url.username or url.password or url.query or url.fragment or "{" in url.path:
        yield "setting 'api_url' must hold no credentials, no query and no placeholder"
    elif scheme == "http" and host not in LOOPBACK_HOSTS:
        yield "setting 'api_url' is plain http: credentials go over https only, save to loopback"


def _wrong_header(config: Mapping[str, Any]) -> Iterator[str]:
    agent = config.get("user_agent") or ""
    if not (agent.isascii() and agent.isprintable() and agent == agent.strip()):
        yield "setting 'user_agent' must be printable ASCII without spaces around it"
