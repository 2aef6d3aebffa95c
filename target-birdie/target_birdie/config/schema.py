"""Every setting, as the SDK, `--about` and the documents show it."""

from __future__ import annotations

from typing import Any

from singer_sdk import typing as th

from target_birdie.mapping import payload
from target_birdie.mapping.mapper import DEFAULT_STREAMS

_STREAM = th.ObjectType(
    th.Property(
        "record_type", th.StringType, required=True, allowed_values=[*payload.RECORD_TYPES]
    ),
    th.Property("kind", th.StringType, allowed_values=[*payload.KINDS]),
    th.Property("fields", th.ObjectType(additional_properties=th.StringType), required=True),
    th.Property("properties", th.ArrayType(th.StringType)),
    additional_properties=False,
)

_CONNECTION = (
    th.Property(
        "api_key",
        th.StringType,
        secret=True,
        title="API key",
        description="The ingestion key that Birdie gives you. Needed to send; left alone, only a "
        "dry run and files work.",
    ),
    th.Property(
        "api_url",
        th.StringType,
        default="https://api.birdie.ai/ingestion",
        title="API address",
        description="Where Birdie takes records. Left alone: Birdie's own address. Plain http is "
        "refused, except to this machine.",
    ),
    th.Property(
        "feedback_path",
        th.StringType,
        default="/feedbacks/{feedback_id}",
        title="Feedback path",
        description="Path of a feedback below the API address; Birdie does not publish it, so ask "
        "yours. Left alone: /feedbacks/{feedback_id}.",
    ),
    th.Property(
        "user_path",
        th.StringType,
        default="/users/{user_id}",
        title="User path",
        description="Path of a user below the API address. Left alone: /users/{user_id}.",
    ),
    th.Property(
        "user_agent",
        th.StringType,
        title="User agent",
        description="How the target names itself to Birdie. Left alone: its name and version.",
    ),
)

_MAPPING = (
    th.Property(
        "kind",
        th.StringType,
        default="nps",
        allowed_values=[*payload.KINDS],
        title="Kind of feedback",
        description="Kind of the feedbacks whose stream names none: nps or csat. Left alone: nps.",
    ),
    th.Property(
        "streams",
        th.ObjectType(additional_properties=_STREAM),
        default=DEFAULT_STREAMS,
        title="Streams",
        description="Which stream becomes which record: {stream: {record_type, kind, fields: "
        "{Birdie field: column or dotted path}, properties: [objects whose keys become additional "
        "fields of their own]}}. It replaces the default, which is Wootric's responses and "
        "end_users; streams that it does not name are left alone.",
    ),
    th.Property(
        "id_prefix",
        th.StringType,
        title="Prefix of ids",
        description="Put before every feedback, user and author id, so that two survey accounts "
        "can share one Birdie. Left alone: ids as they are.",
    ),
    th.Property(
        "include_pii",
        th.BooleanType,
        default=False,
        title="Send personal data",
        description="Whether ip_address, email, phone_number, and properties named as an e-mail or "
        "a phone number, are sent. Left alone: they are left out.",
    ),
    th.Property(
        "additional_fields_include",
        th.ArrayType(th.StringType),
        title="Additional fields to send",
        description="Names of the only additional fields to send, as they appear in Birdie. Left "
        "alone: all.",
    ),
    th.Property(
        "additional_fields_exclude",
        th.ArrayType(th.StringType),
        title="Additional fields to leave out",
        description="Names of additional fields that are not sent. Left alone: none is left out.",
    ),
    th.Property(
        "date_properties",
        th.ArrayType(th.StringType),
        title="Properties that are dates",
        description="Names of properties and columns that hold UNIX seconds, to be sent as RFC "
        "3339. Left alone: numbers stay numbers.",
    ),
    th.Property(
        "batch_id",
        th.StringType,
        title="Batch id",
        description="Groups the records of a run in Birdie. Left alone: one is made up for each "
        "run, from its date and time.",
    ),
    th.Property(
        "schema_path",
        th.StringType,
        title="Birdie's JSON Schema",
        description="File or address of a JSON Schema that every record must meet before it is "
        "sent; {record_type} in it stands for feedback or user, without it feedbacks alone are "
        "checked. Left alone: no such check.",
    ),
)

_DELIVERY = (
    th.Property(
        "max_concurrency",
        th.IntegerType(minimum=1, maximum=64),
        default=16,
        title="Connections",
        description="Requests under way at the same time. Left alone: 16.",
    ),
    th.Property(
        "max_requests_per_second",
        th.IntegerType(minimum=0),
        default=95,
        title="Requests a second",
        description="Highest pace; 0 for no limit of our own. Left alone: 95, just under the 100 "
        "that Birdie suggests.",
    ),
    th.Property(
        "request_timeout",
        th.IntegerType(minimum=1),
        default=30,
        title="Request timeout",
        description="Seconds to wait for an answer before asking again. Left alone: 30.",
    ),
    th.Property(
        "retry_budget_seconds",
        th.IntegerType(minimum=1),
        default=900,
        title="Patience with an outage",
        description="Seconds for which a failing request is repeated before the run ends. Left "
        "alone: 900; a host that never answered at all is given up after 60.",
    ),
    th.Property(
        "on_reject",
        th.StringType,
        default="file",
        allowed_values=["file", "continue", "stop"],
        title="When a record is refused",
        description="file: keep it in the rejects file, go on, exit 1; continue: the same, but "
        "exit 0; stop: end at the first. Left alone: file.",
    ),
    th.Property(
        "rejects_path",
        th.StringType,
        default="rejects.jsonl",
        title="Rejects file",
        description="JSON lines of the refused records with the reason; --replay sends them "
        "again. Left alone: rejects.jsonl in the working directory.",
    ),
    th.Property(
        "max_rejects",
        th.StringType,
        default="5%",
        title="Most rejects",
        description="Refused records that end the run, because then the mapping is wrong: a "
        "number, or a share that counts from the 100th record. Left alone: 5%.",
    ),
    th.Property(
        "digest_path",
        th.StringType,
        title="Digest store",
        description="File that remembers what Birdie holds, so that unchanged records are not sent "
        "and paid for again. Left alone: nothing is remembered, every record is sent.",
    ),
    th.Property(
        "destination",
        th.StringType,
        default="birdie",
        allowed_values=["birdie", "parquet", "jsonl"],
        title="Destination",
        description="birdie sends requests; parquet and jsonl write one file a run and kind for "
        "Birdie's object-storage connector. Left alone: birdie.",
    ),
    th.Property(
        "output_path",
        th.StringType,
        title="Folder or bucket prefix",
        description="Where the files go, such as out/ or s3://bucket/prefix. Needed for parquet "
        "and jsonl; left alone otherwise.",
    ),
    th.Property(
        "dry_run",
        th.BooleanType,
        default=False,
        title="Dry run",
        description="Map, check and count, but send nothing and write no state. Left alone: off.",
    ),
)

CONFIG_SCHEMA: dict[str, Any] = th.PropertiesList(
    *_CONNECTION, *_MAPPING, *_DELIVERY, additional_properties=False
).to_dict()


def only_schemas(declared: Any) -> Any:
    """Return a declaration of the SDK without the bare words among its alternatives.

    SDK 0.54 lists "null" where a schema belongs, at which a check of anything else breaks down.
    """
    if not isinstance(declared, dict):
        return declared
    return {
        name: [only_schemas(choice) for choice in found if isinstance(choice, dict)]
        if name == "anyOf"
        else only_schemas(found)
        for name, found in declared.items()
    }
