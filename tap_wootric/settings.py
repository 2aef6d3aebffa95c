"""The tap's settings: what there is, and what it means."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from singer_sdk import typing as th

from tap_wootric.personal_data import KEEP, MODES
from tap_wootric.times import to_utc

CLIENT_CREDENTIALS = "client_credentials"
PASSWORD = "password"  # noqa: S105 - the name of a grant

REGIONS = {
    "us": "https://api.wootric.com",
    "eu": "https://api.wootric.eu",
    "au": "https://api.wootric.au",
}

TOKEN_PREFIXES = {"NPS-EU": "eu", "NPS-AU": "au", "NPS-": "us"}
"""Prefixes of account tokens, and the region of each (documented); the first match counts."""

NEEDED_BY_GRANT = {
    CLIENT_CREDENTIALS: ("client_id", "client_secret"),
    PASSWORD: ("username", "password"),
}

CONNECTION_KEYS = ("client_id", "client_secret", "grant_type")

CREDENTIALS = (
    th.Property(
        "client_id",
        th.StringType,
        title="Client ID",
        description="Wootric's id of your API client (Settings > API). Needed by the grant "
        "`client_credentials`.",
    ),
    th.Property(
        "client_secret",
        th.StringType,
        secret=True,
        title="Client secret",
        description="The secret that belongs to `client_id`. Needed by the grant "
        "`client_credentials`.",
    ),
    th.Property(
        "grant_type",
        th.StringType,
        default=CLIENT_CREDENTIALS,
        allowed_values=list(NEEDED_BY_GRANT),
        title="Grant type",
        description="How to sign in: `client_credentials` (the default) with `client_id` and "
        "`client_secret`, or `password` with `username` and `password`.",
    ),
    th.Property(
        "username",
        th.StringType,
        title="User name",
        description="E-mail address of a Wootric login. Needed by the grant `password`, unused "
        "otherwise.",
    ),
    th.Property(
        "password",
        th.StringType,
        secret=True,
        title="Password",
        description="The password that belongs to `username`. Needed by the grant `password`, "
        "unused otherwise.",
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
        description="`client_id`, `client_secret` and `grant_type` as one object, the form in "
        "which Birdie's set-up page shows them. Left alone, the plain settings are used.",
    ),
)

EXTENT = (
    th.Property(
        "start_date",
        th.DateTimeType,
        title="Start date",
        description="The earliest record to sync (RFC 3339 or a date, UTC where no offset is "
        "given). Left alone, everything is synced. Moved earlier later on, the older records come "
        "with the next sync, once.",
    ),
    th.Property(
        "end_date",
        th.DateTimeType,
        title="End date",
        description="Sync only records from before this moment (RFC 3339 or a date). Left alone, "
        "there is no end.",
    ),
    th.Property(
        "lookback_days",
        th.IntegerType(minimum=0, maximum=3650),
        default=7,
        title="Look-back days",
        description="Where Wootric can't be asked for changed records, how many days before the "
        "bookmark are read again for late comments, tags and scores. 7 when left alone; unused "
        "where Wootric can be asked.",
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
        th.StringType,
        title="API URL",
        description="Base URL of the API. Left alone, the one of `region`; https, save on "
        "loopback.",
    ),
    th.Property(
        "page_size",
        th.IntegerType(minimum=10, maximum=50),
        default=50,
        title="Page size",
        description="Records to ask for with one request. 50 when left alone, the most that "
        "Wootric documents. Of one second the API shows 30 pages from either end: smaller pages "
        "reach fewer of its records, 20 a page some 1,200 instead of 3,000.",
    ),
    th.Property(
        "max_concurrency",
        th.IntegerType(minimum=1, maximum=16),
        default=4,
        title="Concurrent requests",
        description="How many time slices of a long history are read side by side where Wootric "
        "announces no rate limit. 4 when left alone; 1 reads one after another, and beyond 7 "
        "there is no room for what is read ahead.",
    ),
    th.Property(
        "request_timeout",
        th.IntegerType(minimum=1, maximum=3600),
        default=60,
        title="Request timeout",
        description="Seconds within which a connection has to be made, and then the whole reply to "
        "arrive, before the request is sent again. 60 when left alone.",
    ),
    th.Property(
        "retry_budget_seconds",
        th.IntegerType(minimum=0, maximum=86400),
        default=300,
        title="Retry budget",
        description="Seconds for which a failing request is tried again before the sync ends with "
        "an error; waiting for the rate limit does not count. 300 when left alone.",
    ),
    th.Property(
        "user_agent",
        th.StringType,
        title="User agent",
        description="`User-Agent` of every request. Left alone, `tap-wootric/<version>`.",
    ),
)

GROUPS = (CREDENTIALS, EXTENT, PERSONAL_DATA, CONNECTION)

SCHEMA: dict[str, Any] = {
    **th.PropertiesList(*(setting for group in GROUPS for setting in group)).to_dict(),
    "additionalProperties": False,
}


def with_connection_details(config: Mapping[str, Any]) -> dict[str, Any]:
    """Lift the keys of `connection_details` to the top level; those already there stay.

    Credentials lose the line end that a file brings along, and those without spaces any space.
    """
    details = config.get("connection_details")
    lifted = {key: value for key, value in config.items() if value is not None}
    if isinstance(details, Mapping) and not set(details) - set(CONNECTION_KEYS):
        lifted = {**details, **lifted}
        del lifted["connection_details"]
    for name in (field.name for field in CREDENTIALS):
        if isinstance(lifted.get(name), str):
            lifted[name] = lifted[name].strip("\r\n" if name == PASSWORD else None)
    if isinstance(lifted.get("region"), str):
        lifted["region"] = lifted["region"].strip().lower()
    return lifted


def moment(config: Mapping[str, Any], name: str) -> datetime | None:
    """The moment that a date setting names, in UTC; None where it is left alone."""
    value = config.get(name)
    return to_utc(value) if value else None


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
