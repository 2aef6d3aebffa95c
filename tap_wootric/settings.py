"""The tap's settings: what there is, what it means, and what is wrong with those given."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from jsonschema import Draft7Validator
from singer_sdk import typing as th

from tap_wootric.times import to_utc

CLIENT_CREDENTIALS = "client_credentials"
PASSWORD = "password"  # noqa: S105 - the name of a grant

REGIONS = {
    "us": "https://api.wootric.com",
    "eu": "https://api.eu.wootric.com",
    "au": "https://api.au.wootric.com",
}

NEEDED_BY_GRANT = {
    CLIENT_CREDENTIALS: ("client_id", "client_secret"),
    PASSWORD: ("username", "password"),
}

CONNECTION_KEYS = ("client_id", "client_secret", "grant_type")

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1")

DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?")

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
        description="`NPS-…`, which of its accounts a login means that sees several. Left alone, "
        "Wootric chooses the login's own.",
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

CONNECTION = (
    th.Property(
        "region",
        th.StringType,
        default="us",
        allowed_values=list(REGIONS),
        title="Region",
        description="Where the Wootric account lives: `us` (the default), `eu` or `au`.",
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
        "announces no rate limit. 4 when left alone; 1 reads one after another.",
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

SCHEMA: dict[str, Any] = {
    **th.PropertiesList(*CREDENTIALS, *EXTENT, *CONNECTION).to_dict(),
    "additionalProperties": False,
}


def with_connection_details(config: Mapping[str, Any]) -> dict[str, Any]:
    """Lift the keys of `connection_details` to the top level; those already there stay."""
    details = config.get("connection_details")
    lifted = {key: value for key, value in config.items() if value is not None}
    if isinstance(details, Mapping) and not set(details) - set(CONNECTION_KEYS):
        lifted = {**details, **lifted}
        del lifted["connection_details"]
    return lifted


def problems(config: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    """Say what is wrong with the settings, a sentence each; values are not repeated."""
    wrong = list(_wrong_types(config, schema))
    yield from wrong
    yield from _missing(config)
    if not wrong:
        yield from _wrong_dates(config)
        yield from _wrong_url(config)
        yield from _wrong_header(config)


def moment(config: Mapping[str, Any], name: str) -> datetime | None:
    """The moment that a date setting names, in UTC; None where it is left alone."""
    value = config.get(name)
    return to_utc(value) if value else None


def base_url(config: Mapping[str, Any]) -> str:
    """The base URL of the API, without a closing slash."""
    return str(config.get("api_url") or REGIONS[config.get("region") or "us"]).rstrip("/")


def _wrong_types(config: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    known = schema["properties"]
    for name in config:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean '{close[0]}'?" if close else "see --about for those there are"
            yield f"setting '{name}' is unknown: {hint}"
    for error in Draft7Validator({**schema, "additionalProperties": True}).iter_errors(config):
        name = ".".join(str(part) for part in error.absolute_path) or "config"
        yield f"setting '{name}' is wrong: it must be {_expected(error.validator, error)}"


def _expected(rule: object, error: Any) -> str:
    value = error.validator_value
    if rule == "enum":
        return "one of " + ", ".join(str(v) for v in value if v is not None)
    if rule in {"minimum", "maximum"}:
        return f"{'at least' if rule == 'minimum' else 'at most'} {value}"
    if rule == "type":
        types = [value] if isinstance(value, str) else value
        return "of type " + " or ".join(t for t in types if t != "null")
    if rule == "additionalProperties":
        return "an object of " + ", ".join(error.schema["properties"])
    return f"valid ({rule})"


def _missing(config: Mapping[str, Any]) -> Iterator[str]:
    grant = config.get("grant_type", CLIENT_CREDENTIALS)
    for name in NEEDED_BY_GRANT.get(grant, ()) if isinstance(grant, str) else ():
        if not config.get(name):
            yield f"setting '{name}' is missing: the grant '{grant}' needs it"


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
