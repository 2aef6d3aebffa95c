"""The settings as one checked object, which the rest of the target reads."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib.metadata import version
from string import Formatter
from typing import Any
from urllib.parse import urlsplit

from target_birdie.config.schema import DEFAULT_STREAMS
from target_birdie.errors import InvalidSettingError, MissingSettingError
from target_birdie.mapping import payload
from target_birdie.mapping.mapper import MappingRules
from target_birdie.mapping.personal_data import words

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_NEEDED = {"feedback": ("feedback_id", "rating", "posted_at"), "user": ("user_id",)}


@dataclass(frozen=True, slots=True)
class Settings:
    """Checked settings; `schema.py` describes each. An unset text is "".

    Attributes:
        streams_are_configured: Whether `streams` replaces the built-in table.
        max_rejects: A number of records, or a share from 0 to 1 if `max_rejects_is_share`.
    """

    account: str
    api_key: str
    api_url: str
    batch_id: str
    destination: str
    dry_run: bool
    max_concurrency: int
    max_rejects: float
    max_rejects_is_share: bool
    max_requests_per_second: int
    on_reject: str
    output_path: str
    paths: dict[str, str]
    request_timeout: int
    retry_budget_seconds: int
    rules: MappingRules
    schema_path: str
    store_url: str
    streams: dict[str, dict[str, Any]]
    streams_are_configured: bool
    user_agent: str

    @property
    def sends(self) -> bool:
        """Whether records are sent to Birdie."""
        return self.destination == "birdie" and not self.dry_run


def read(config: Mapping[str, Any]) -> Settings:
    """Check what a JSON Schema cannot check, and return the settings.

    Raises:
        ConfigError: A setting is missing or invalid.
    """
    sends = config["destination"] == "birdie" and not config["dry_run"]
    if sends and not config.get("api_key", "").strip():
        raise MissingSettingError("api_key")
    if config["destination"] != "birdie" and not config.get("output_path"):
        raise MissingSettingError("output_path")
    if config["store_url"] == "none" and config["on_reject"] != "stop" and not config["dry_run"]:
        rule = "must be stop if 'store_url' is 'none': a rejected record would be lost"
        raise InvalidSettingError(name="on_reject", rule=rule)
    amount, is_share = _max_rejects(config["max_rejects"])
    found: dict[str, Any] = {field.name: config.get(field.name, "") for field in fields(Settings)}
    found |= {
        "api_key": _header_value("api_key", config.get("api_key", "")),
        "api_url": _api_url(config["api_url"]),
        "paths": {
            "feedback": _path("feedback_path", config["feedback_path"], "feedback_id"),
            "user": _path("user_path", config["user_path"], "user_id"),
        },
        "user_agent": _header_value("user_agent", config.get("user_agent", "")) or _own_name(),
        "streams": _streams(config["streams"]),
        "streams_are_configured": config["streams"] != DEFAULT_STREAMS,
        "rules": _rules(config),
        "max_rejects": amount,
        "max_rejects_is_share": is_share,
    }
    return Settings(**found)


def _own_name() -> str:
    return f"target-birdie/{version('target-birdie')}"


def _streams(table: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    for stream, entry in table.items():
        record_type, name = entry["record_type"], f"streams.{stream}.fields"
        known = payload.known_fields(record_type)
        for field in entry["fields"]:
            if field not in known:
                rule = f"must use the fields of a Birdie {record_type}: {', '.join(known)}"
                raise InvalidSettingError(name=name, rule=rule)
        if missing := [field for field in _NEEDED[record_type] if field not in entry["fields"]]:
            raise InvalidSettingError(name=name, rule=f"must contain {', '.join(missing)}")
    return dict(table)


def _rules(config: Mapping[str, Any]) -> MappingRules:
    include = config.get("additional_fields_include")
    return MappingRules(
        kind=config["kind"],
        survey_kinds=_survey_kinds(config.get("survey_kinds", {})),
        id_prefix=config.get("id_prefix", ""),
        author_id_from=config.get("author_id_from", ""),
        account_id_from=config.get("account_id_from", ""),
        include=None if include is None else frozenset(include),
        exclude=frozenset(config.get("additional_fields_exclude", ())),
        include_pii=config["include_pii"],
        pii_exceptions=frozenset("".join(words(n)) for n in config.get("pii_exceptions", ())),
        date_properties=frozenset(config.get("date_properties", ())),
    )


def _survey_kinds(surveys: Mapping[str, list[int | str] | None]) -> dict[str, str]:
    found: dict[str, str] = {}
    for kind, ids in surveys.items():
        for survey in map(str, ids or ()):
            if found.setdefault(survey, kind) != kind:
                rule = f"must list survey {survey} for one kind only"
                raise InvalidSettingError(name="survey_kinds", rule=rule)
    return found


def _header_value(name: str, value: str) -> str:
    value = value.strip()
    if not (value.isascii() and (value.isprintable() or not value)):
        raise InvalidSettingError(name=name, rule="must be printable ASCII text")
    return value


def _api_url(value: str) -> str:
    try:
        url = urlsplit(value.strip())
        valid = url.scheme in {"http", "https"} and url.hostname and (url.port or True)
    except ValueError:
        valid = False
    if not valid or url.query or url.fragment:
        raise InvalidSettingError(name="api_url", rule="must be a URL such as https://host/path")
    if url.username or url.password:
        raise InvalidSettingError(name="api_url", rule="must not contain credentials: set api_key")
    if url.scheme == "http" and url.hostname not in _LOOPBACK:
        raise InvalidSettingError(name="api_url", rule="must start with https://")
    return value.strip().rstrip("/")


def _path(name: str, value: str, field: str) -> str:
    try:
        holes = [tuple(hole) for _, *hole in Formatter().parse(value) if hole[0] is not None]
    except ValueError:
        holes = []
    if not value.startswith("/") or holes != [(field, "", None)]:
        raise InvalidSettingError(name=name, rule=f"must start with / and contain {{{field}}} once")
    return value


def _max_rejects(value: str) -> tuple[float, bool]:
    number = value.strip().removesuffix("%").strip()
    if not number.isdecimal():
        rule = 'must be a number or a share, such as "20" or "5%"'
        raise InvalidSettingError(name="max_rejects", rule=rule)
    return (int(number) / 100, True) if "%" in value else (int(number), False)
