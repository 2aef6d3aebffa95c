"""Every setting, as the SDK, `--about` and the documents show it."""

from __future__ import annotations

from typing import Any

from singer_sdk import typing as th
from singer_sdk.helpers.capabilities import STREAM_MAPS_CONFIG

from target_birdie.mapping import payload
from target_birdie.mapping.mapper import DEFAULT_STREAMS
from target_birdie.mapping.values import SCALES


def _setting(name: str, kind: Any, title: str, description: str, **rules: Any) -> th.Property[Any]:
    return th.Property(name, kind, title=title, description=description, **rules)


_STREAM = th.ObjectType(
    th.Property(
        "record_type", th.StringType, required=True, allowed_values=[*payload.RECORD_TYPES]
    ),
    th.Property("kind", th.StringType, allowed_values=[*SCALES]),
    th.Property("id_prefix", th.StringType),
    th.Property("fields", th.ObjectType(additional_properties=th.StringType), required=True),
    th.Property("properties", th.ArrayType(th.StringType)),
    additional_properties=False,
)
_SURVEY_ID = th.CustomType({"type": ["integer", "string"]})
_SURVEYS = [th.Property(kind, th.ArrayType(_SURVEY_ID)) for kind in SCALES]
_NAMES = th.ArrayType(th.StringType)

_CONNECTION = (
    _setting(
        "api_key",
        th.StringType,
        "API key",
        "Ingestion key from Birdie. Required to send records; a dry run and files work without it.",
        secret=True,
    ),
    _setting(
        "api_url",
        th.StringType,
        "API URL",
        "Base URL of Birdie's Ingestion API. Must use https, except for a loopback address.",
        default="https://api.birdie.ai/ingestion",
    ),
    _setting(
        "feedback_path",
        th.StringType,
        "Feedback path",
        "Path of a feedback below `api_url`. Birdie does not publish it; ask your contact there.",
        default="/feedbacks/{feedback_id}",
    ),
    _setting(
        "user_path",
        th.StringType,
        "User path",
        "Path of a user below `api_url`.",
        default="/users/{user_id}",
    ),
    _setting(
        "user_agent",
        th.StringType,
        "User agent",
        "`User-Agent` of every request. Defaults to `target-birdie/<version>`.",
    ),
)

_MAPPING = (
    _setting(
        "kind",
        th.StringType,
        "Kind of survey",
        "Kind of the surveys that neither `survey_kinds` nor the stream names: nps, csat or ces.",
        default="nps",
        allowed_values=[*SCALES],
    ),
    _setting(
        "survey_kinds",
        th.ObjectType(*_SURVEYS, additional_properties=False),
        "Kinds of surveys",
        'Survey ids of each kind, for example {"csat": [12, 14], "ces": [15]}. Ratings must be on '
        "the scale of the kind: nps 0 to 10, csat 1 to 10, ces 1 to 7. Defaults to `kind` for all "
        "surveys.",
    ),
    _setting(
        "streams",
        th.ObjectType(additional_properties=_STREAM),
        "Streams",
        "How each stream becomes a Birdie record: {stream: {record_type, kind, id_prefix, fields: "
        "{Birdie field: column or dotted path}, properties: [paths of objects whose keys become "
        "additional fields]}}. Replaces the default, which maps Wootric's responses and end_users. "
        "Other streams are skipped.",
        default=DEFAULT_STREAMS,
    ),
    _setting(
        "author_id_from",
        th.StringType,
        "Source of the author id",
        "Dotted path of the author's id, for example `end_user.external_id`. In user records, the "
        "prefix `end_user.` means the record itself. Defaults to Wootric's id, also for records "
        "without a value.",
    ),
    _setting(
        "account_id_from",
        th.StringType,
        "Source of the account id",
        "Dotted path of the account's id, for example `end_user.properties.company_id`, read like "
        "`author_id_from`. For records without a value, Wootric's id of the end user is sent. "
        "Defaults to no account id.",
    ),
    _setting(
        "id_prefix",
        th.StringType,
        "Prefix of ids",
        "Prefix of all feedback, user, author and account ids, so that several survey accounts can "
        "share one Birdie account. `id_prefix` of a stream replaces it for the ids of its own "
        "records. Defaults to no prefix.",
    ),
    _setting(
        "include_pii",
        th.BooleanType,
        "Send personal data",
        "Whether to send columns and properties whose names say that they hold personal data: "
        "names of persons, e-mail, phone, IP and postal addresses, cities, locations, document "
        "numbers, card and bank data, passwords.",
        default=False,
    ),
    _setting(
        "pii_exceptions",
        _NAMES,
        "Exceptions from personal data",
        "Names of columns and properties to send although they look like personal data, for "
        'example ["city"]. Defaults to none.',
    ),
    _setting(
        "additional_fields_include",
        _NAMES,
        "Additional fields to send",
        "Names of the only additional fields to send, as they appear in Birdie; [] sends none. "
        "Defaults to all.",
    ),
    _setting(
        "additional_fields_exclude",
        _NAMES,
        "Additional fields to omit",
        "Names of additional fields that are not sent, as they appear in Birdie. Defaults to none.",
    ),
    _setting(
        "date_properties",
        _NAMES,
        "Date properties",
        "Names of properties and columns that contain UNIX seconds and are sent as RFC 3339. "
        "Defaults to none: numbers stay numbers.",
    ),
    _setting(
        "batch_id",
        th.StringType,
        "Batch id",
        "Groups the records of a run in Birdie. Defaults to the date and time of the run.",
    ),
    _setting(
        "schema_path",
        th.StringType,
        "Birdie's JSON Schema",
        "File or URL of a JSON Schema that every record must match before it is sent. "
        "`{record_type}` in it is replaced by feedback and user; without it, only feedbacks are "
        "checked. Defaults to no check.",
    ),
)

_DELIVERY = (
    _setting(
        "account",
        th.StringType,
        "Account name",
        "Name under which the store keeps records. Set it to keep them when the key changes. "
        "Defaults to a hash of `api_url`, `api_key` and `id_prefix`, or of `output_path`.",
    ),
    _setting(
        "store_url",
        th.StringType,
        "Delivery store",
        "Database that remembers delivered and rejected records: sqlite:///file, "
        "postgresql://user:password@host/database, or none.",
        default="sqlite:///birdie.db",
        secret=True,
    ),
    _setting(
        "max_concurrency",
        th.IntegerType(minimum=1, maximum=64),
        "Connections",
        "Requests that are sent at the same time.",
        default=16,
    ),
    _setting(
        "max_requests_per_second",
        th.IntegerType(minimum=0),
        "Requests per second",
        "Highest request rate; Birdie suggests at most 100. 0 means no limit.",
        default=95,
    ),
    _setting(
        "request_timeout",
        th.IntegerType(minimum=1),
        "Request timeout",
        "Seconds to wait for a reply before the request is sent again.",
        default=30,
    ),
    _setting(
        "retry_budget_seconds",
        th.IntegerType(minimum=1),
        "Retry budget",
        "Seconds for which a failing request is retried before the run ends; 60 if the host has "
        "never answered.",
        default=900,
    ),
    _setting(
        "on_reject",
        th.StringType,
        "Rejected records",
        "keep: store the record, continue, exit 1. continue: the same, but exit 0. stop: end the "
        "run at the first rejected record.",
        default="keep",
        allowed_values=["keep", "continue", "stop"],
    ),
    _setting(
        "rejects_path",
        th.StringType,
        "Rejects file",
        "File of the rejected records with the reasons, as JSON lines.",
        default="rejects.jsonl",
    ),
    _setting(
        "max_rejects",
        th.StringType,
        "Most rejected records",
        "Number of rejected records that ends the run, or a share, which counts from record 100.",
        default="5%",
    ),
    _setting(
        "digest_path",
        th.StringType,
        "Digest store",
        "File that remembers delivered records, so that unchanged records are not sent again. "
        "Defaults to none: every record is sent.",
    ),
    _setting(
        "destination",
        th.StringType,
        "Destination",
        "birdie sends requests; parquet and jsonl write one file per run and kind for Birdie's "
        "object-storage connector.",
        default="birdie",
        allowed_values=["birdie", "parquet", "jsonl"],
    ),
    _setting(
        "output_path",
        th.StringType,
        "Folder or bucket prefix",
        "Folder of the files, for example out/ or s3://bucket/prefix. Required for parquet and "
        "jsonl.",
    ),
    _setting(
        "dry_run",
        th.BooleanType,
        "Dry run",
        "Map, check and count all records, but send nothing and write no state.",
        default=False,
    ),
)

CONFIG_SCHEMA: dict[str, Any] = th.PropertiesList(
    *_CONNECTION, *_MAPPING, *_DELIVERY, additional_properties=False
).to_dict()


def add_stream_maps(config_schema: dict[str, Any]) -> None:
    """Add the SDK's settings for stream maps; its other settings have no effect here."""
    for name in ("stream_maps", "stream_map_config"):
        declared = _without_bare_types(STREAM_MAPS_CONFIG["properties"][name])
        config_schema["properties"].setdefault(name, declared)


def _without_bare_types(declared: Any) -> Any:
    """Drop bare type names from alternatives: SDK 0.54 lists "null" where a schema belongs."""
    if not isinstance(declared, dict):
        return declared
    return {
        name: [_without_bare_types(choice) for choice in rule if isinstance(choice, dict)]
        if name == "anyOf"
        else _without_bare_types(rule)
        for name, rule in declared.items()
    }
