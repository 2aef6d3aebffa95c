"""Decide which settings exist and what follows from their values, for the tap and its client."""

import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

from singer_sdk.helpers.capabilities import FLATTENING_CONFIG, STREAM_MAPS_CONFIG

from tap_wootric.personal_data import HASH

GRANTS = {
    "client_credentials": ("client_id", "client_secret"),
    "password": ("username", "password"),
}
"""The credentials that each grant requires."""

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1")

DOMAINS = {"us": "com", "eu": "eu", "au": "au"}
"""Top-level domain of each region (documented)."""

TOKEN_PREFIXES = {"NPS-EU": "eu", "NPS-AU": "au", "NPS-": "us"}
"""Prefixes of account tokens, and the region of each (documented); the first match counts."""

CONNECTION_KEYS = ("client_id", "client_secret", "grant_type")
CREDENTIALS = (*CONNECTION_KEYS, "username", "password", "account_token")

DECLARED: dict[str, dict[str, Any]] = tomllib.loads(
    files("tap_wootric").joinpath("settings.toml").read_text("utf-8")
)
"""The tap's own settings; the SDK adds others."""


def _required(setting: str, value: object, *names: str) -> dict[str, Any]:
    """Return a rule: if a setting has a value, the names are required."""
    given = {"properties": {setting: {"const": value}}, "required": [setting]}
    reason = f"required when '{setting}' is '{value}'" if isinstance(value, str) else ""
    return {"if": given, "then": {"required": [*names], "description": reason}}


def _without_bare_types(rule: Any) -> Any:
    """Return a JSON Schema without the bare "null" that SDK 0.54 puts into `anyOf`."""
    if isinstance(rule, Mapping):
        return {name: _without_bare_types(value) for name, value in rule.items()}
    if isinstance(rule, list) and any(isinstance(choice, Mapping) for choice in rule):
        choices = [{"type": choice} if isinstance(choice, str) else choice for choice in rule]
        return [_without_bare_types(choice) for choice in choices]
    return rule


SDK_SETTINGS = STREAM_MAPS_CONFIG["properties"] | FLATTENING_CONFIG["properties"]

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        name: rule
        | {"type": [rule["type"], "null"], "description": " ".join(rule["description"].split())}
        for name, rule in DECLARED.items()
    }
    | _without_bare_types(SDK_SETTINGS),
    "additionalProperties": False,
    "allOf": [
        *(_required("grant_type", grant, *names) for grant, names in GRANTS.items()),
        _required("personal_data", HASH, "hash_salt"),
        _required("flattening_enabled", True, "flattening_max_depth"),
    ],
}


def normalize(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings with a value, the credentials from `connection_details` included.

    Credentials lose surrounding whitespace, such as the line end of a file.
    """
    found, details = dict(config), config.get("connection_details")
    if isinstance(details, Mapping):
        found = {key: details[key] for key in CONNECTION_KEYS if key in details} | found
    for name in (*CREDENTIALS, "region"):
        if isinstance(found.get(name), str):
            found[name] = found[name].strip("\r\n" if name == "password" else None)
    if isinstance(found.get("region"), str):
        found["region"] = found["region"].lower()
    return {name: value for name, value in found.items() if value not in (None, "")}


def moment(config: Mapping[str, Any], name: str) -> datetime | None:
    """Return the time of a date setting in UTC, or None if it is unset."""
    if not config.get(name):
        return None
    time = datetime.fromisoformat(config[name])
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def token_region(config: Mapping[str, Any]) -> str | None:
    """Return the region that `account_token` names by its prefix (documented), or None."""
    token = str(config.get("account_token") or "")
    return next((name for prefix, name in TOKEN_PREFIXES.items() if token.startswith(prefix)), None)


def base_url(config: Mapping[str, Any]) -> str:
    """Return the base URL of the API, without a closing slash."""
    region = config.get("region") or token_region(config) or "us"
    return str(config.get("api_url") or f"https://api.wootric.{DOMAINS[region]}").rstrip("/")
