"""The settings as one checked object, which the rest of the target reads."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib.metadata import version
from typing import Any

from target_birdie.config.schema import DEFAULT_STREAMS
from target_birdie.errors import InvalidSettingError, MissingSettingError
from target_birdie.mapping.mapper import MappingRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(MappingRules):
    """Checked settings; `settings.toml` describes each. An unset text is "".

    Attributes:
        streams_are_configured: Whether `streams` replaces the built-in table.
        max_rejects: A number of records, or a share such as "5%".
    """

    account: str = ""
    api_key: str = ""
    api_url: str
    batch_id: str = ""
    destination: str
    dry_run: bool
    max_concurrency: int
    max_rejects: str
    max_requests_per_second: float
    on_reject: str
    output_path: str = ""
    paths: dict[str, str]
    request_timeout: int
    retry_budget_seconds: int
    schema_path: str = ""
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
        TargetError: A setting is missing or invalid.
    """
    surveys = config.get("survey_kinds", {})
    pairs = {(str(survey), kind) for kind, ids in surveys.items() for survey in ids}
    own_name = f"target-birdie/{version('target-birdie')}"
    found = {field.name: config[field.name] for field in fields(Settings) if field.name in config}
    found |= {
        "api_key": config.get("api_key", "").strip(),
        "api_url": config["api_url"].strip().rstrip("/"),
        "paths": {"feedback": config["feedback_path"], "user": config["user_path"]},
        "user_agent": config.get("user_agent", "").strip() or own_name,
        "streams_are_configured": config["streams"] != DEFAULT_STREAMS,
        "survey_kinds": dict(pairs),
    }
    settings = Settings(**found)
    if settings.sends and not settings.api_key:
        raise MissingSettingError("api_key")
    if settings.destination != "birdie" and not settings.output_path:
        raise MissingSettingError("output_path")
    if settings.store_url == "none" and settings.on_reject != "stop" and not settings.dry_run:
        rule = "must be stop if 'store_url' is 'none': a rejected record would be lost"
        raise InvalidSettingError(name="on_reject", rule=rule)
    if len(settings.survey_kinds) < len(pairs):
        raise InvalidSettingError(name="survey_kinds", rule="must list each survey for one kind")
    return settings
