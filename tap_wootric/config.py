"""The settings of the tap: their declaration, and what follows from their values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from singer_sdk import typing as th

from tap_wootric.personal_data import HASH, KEEP, MODES

CLIENT_CREDENTIALS = "client_credentials"
PASSWORD = "password"  # noqa: S105 - the name of a grant

REGIONS = {
    "us": "https://api.wootric.com",
    "eu": "https://api.wootric.eu",
    "au": "https://api.wootric.au",
}
"""Base URLs (documented)."""

TOKEN_PREFIXES = {"NPS-EU": "eu", "NPS-AU": "au", "NPS-": "us"}
"""Prefixes of account tokens, and the region of each (documented); the first match counts."""

CONNECTION_KEYS = ("client_id", "client_secret", "grant_type")

CREDENTIALS = (
    th.Property(
        "client_id",
        th.StringType,
        title="Client ID",
        description="Id of the API client (Wootric: Settings > API). Required when `grant_type` is "
        "`client_credentials`.",
    ),
    th.Property(
        "client_secret",
        th.StringType,
        secret=True,
        title="Client secret",
        description="Secret of the API client. Required when `grant_type` is `client_credentials`.",
    ),
    th.Property(
        "grant_type",
        th.StringType,
        default=CLIENT_CREDENTIALS,
        allowed_values=[CLIENT_CREDENTIALS, PASSWORD],
        title="Grant type",
        description="How to sign in: `client_credentials`, or `password` with the login of a "
        "person. Defaults to `client_credentials`.",
    ),
    th.Property(
        "username",
        th.StringType,
        title="User name",
        description="E-mail address of a Wootric login. Required when `grant_type` is `password`.",
    ),
    th.Property(
        "password",
        th.StringType,
        secret=True,
        title="Password",
        description="Password of the login. Required when `grant_type` is `password`.",
    ),
    th.Property(
        "account_token",
        th.StringType,
        secret=True,
        title="Account token",
        description="Token (`NPS-…`) of the account to read. Required when the login sees several "
        "accounts. Defaults to the login's own account.",
    ),
    th.Property(
        "connection_details",
        th.ObjectType(
            *(
                th.Property(key, th.StringType, secret=key == "client_secret")
                for key in CONNECTION_KEYS
            ),
            additional_properties=False,
        ),
        secret=True,
        title="Connection details",
        description="Object with `client_id`, `client_secret` and `grant_type`, in the form of "
        "Birdie's set-up page. Defaults to the separate settings, which also override it.",
    ),
)

EXTENT = (
    th.Property(
        "start_date",
        th.DateTimeType,
        title="Start date",
        description="Earliest record to sync: a date or an RFC 3339 time, UTC without an offset. "
        "Defaults to all records. If you later move it to an earlier date, the next sync backfills "
        "the older records.",
    ),
    th.Property(
        "end_date",
        th.DateTimeType,
        title="End date",
        description="Sync only records before this date or RFC 3339 time. Defaults to no end.",
    ),
    th.Property(
        "lookback_days",
        th.IntegerType(minimum=0, maximum=3650),
        default=7,
        title="Look-back days",
        description="Days before the bookmark that are read again for late changes if Wootric "
        "ignores the filter for changed records. Defaults to 7.",
    ),
)

PERSONAL_DATA = (
    th.Property(
        "personal_data",
        th.StringType,
        default=KEEP,
        allowed_values=list(MODES),
        title="Personal data",
        description="What happens to `email`, `phone_number` and `ip_address` in all streams, and "
        "to custom properties of these names: `keep`, `drop` or `hash` (HMAC-SHA-256 with "
        "`hash_salt`). Defaults to `keep`.",
    ),
    th.Property(
        "hash_salt",
        th.StringType,
        secret=True,
        title="Hash salt",
        description="Secret key of the hashes: a long random text. Required when `personal_data` "
        "is `hash`.",
    ),
    th.Property(
        "personal_properties",
        th.ArrayType(th.StringType),
        title="Personal properties",
        description="Further custom properties to drop or hash: names or shell patterns, for "
        'example `["account.owner", "*mail*"]`. Defaults to none.',
    ),
)

CONNECTION = (
    th.Property(
        "region",
        th.StringType,
        allowed_values=list(REGIONS),
        title="Region",
        description="Region of the Wootric account: `us`, `eu` or `au`. Defaults to the region "
        "that `account_token` names (`NPS-EU…`, `NPS-AU…`), or else to `us`.",
    ),
    th.Property(
        "api_url",
        th.URIType,
        title="API URL",
        description="Base URL of the API; https, except for loopback addresses. Defaults to the "
        "URL of `region`.",
    ),
    th.Property(
        "page_size",
        th.IntegerType(minimum=25, maximum=50),
        default=50,
        title="Page size",
        description="Records per request, from 25 to 50. Defaults to 50, the documented maximum.",
    ),
    th.Property(
        "max_concurrency",
        th.IntegerType(minimum=1, maximum=16),
        default=4,
        title="Concurrent requests",
        description="Number of requests at the same time for a long history, used only if Wootric "
        "announces no rate limit. Defaults to 4.",
    ),
    th.Property(
        "request_timeout",
        th.IntegerType(minimum=1, maximum=3600),
        default=60,
        title="Request timeout",
        description="Seconds to wait for a connection, and then for the complete reply, before the "
        "request is sent again. Defaults to 60.",
    ),
    th.Property(
        "retry_budget_seconds",
        th.IntegerType(minimum=0, maximum=86400),
        default=300,
        title="Retry budget",
        description="Seconds for which a failing request is retried before the sync fails. Waiting "
        "for the rate limit does not count. Defaults to 300.",
    ),
    th.Property(
        "user_agent",
        th.StringType,
        title="User agent",
        description="`User-Agent` header of every request. Defaults to `tap-wootric/<version>`.",
    ),
)

GROUPS = (CREDENTIALS, EXTENT, PERSONAL_DATA, CONNECTION)


def _required(setting: str, value: object, *names: str) -> dict[str, Any]:
    """Return a rule: if a setting has a value, the names are required."""
    given = {"properties": {setting: {"const": value}}, "required": [setting]}
    reason = f"required when '{setting}' is '{value}'" if isinstance(value, str) else ""
    return {"if": given, "then": {"required": [*names], "description": reason}}


SCHEMA: dict[str, Any] = {
    **th.PropertiesList(*(setting for group in GROUPS for setting in group)).to_dict(),
    "additionalProperties": False,
    "allOf": [
        _required("grant_type", CLIENT_CREDENTIALS, "client_id", "client_secret"),
        _required("grant_type", PASSWORD, "username", "password"),
        _required("personal_data", HASH, "hash_salt"),
        _required("flattening_enabled", True, "flattening_max_depth"),
    ],
}


def without_bare_types(rule: Any) -> Any:
    """Return a JSON Schema without the bare "null" that SDK 0.54 puts into `anyOf`."""
    if isinstance(rule, Mapping):
        return {name: without_bare_types(value) for name, value in rule.items()}
    if isinstance(rule, list) and any(isinstance(choice, Mapping) for choice in rule):
        choices = [{"type": choice} if isinstance(choice, str) else choice for choice in rule]
        return [without_bare_types(choice) for choice in choices]
    return rule


def normalize(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings with a value, the credentials from `connection_details` included.

    Credentials lose surrounding whitespace, such as the line end of a file.
    """
    found, details = dict(config), config.get("connection_details")
    if isinstance(details, Mapping):
        found = {key: details[key] for key in CONNECTION_KEYS if key in details} | found
        if details.keys() <= {*CONNECTION_KEYS}:
            del found["connection_details"]
    for name in (*(setting.name for setting in CREDENTIALS), "region"):
        if isinstance(found.get(name), str):
            found[name] = found[name].strip("\r\n" if name == PASSWORD else None)
    if isinstance(found.get("region"), str):
        found["region"] = found["region"].lower()
    return {name: value for name, value in found.items() if value not in (None, "")}


def moment(config: Mapping[str, Any], name: str) -> datetime | None:
    """Return the time of a date setting in UTC, or None if it is unset."""
    if not config.get(name):
        return None
    time = datetime.fromisoformat(config[name])
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def base_url(config: Mapping[str, Any]) -> str:
    """Return the base URL of the API, without a closing slash."""
    region = config.get("region") or token_region(config) or "us"
    return str(config.get("api_url") or REGIONS[region]).rstrip("/")


def token_region(config: Mapping[str, Any]) -> str | None:
    """Return the region that `account_token` names by its prefix (documented), or None."""
    token = str(config.get("account_token") or "")
    for prefix, region in TOKEN_PREFIXES.items():
        if token.startswith(prefix):
            return region
    return None


def region_warning(config: Mapping[str, Any]) -> str | None:
    """Return a warning if `region` and `account_token` name different regions."""
    configured, named = config.get("region"), token_region(config)
    if config.get("api_url") or not configured or not named or configured == named:
        return None
    return (
        f"Setting 'region' is '{configured}', but the prefix of 'account_token' belongs to "
        f"'{named}'. Using '{configured}'. If the sign-in fails, set 'region' to '{named}'."
    )
