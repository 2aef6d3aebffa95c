"""The payload of a Birdie record, built only here.

Birdie publishes only a part of its schema: `kind` is an object of `name` and `fields`, and
`author_id` and `account_id` are in `kind.fields`. The place of the other fields is our choice;
to correct it, change the tables below.
"""

from hashlib import blake2b
from typing import Any

import msgspec

RECORD_TYPES = {"feedback": "feedback_id", "user": "user_id"}
"""Record types that can be delivered, each with the field that identifies it."""

Key = tuple[str, str]
"""Record type and id."""

FEEDBACK_TOP = ("feedback_id", "title", "text", "posted_at")
FEEDBACK_KIND = ("rating", "author_id", "account_id", "author_name", "survey_title")
USER_TOP = ("user_id", "account_id")
BIRDIE_KINDS = {"nps": "nps", "csat": "csat", "ces": "csat"}
"""Kinds of survey, each with Birdie's name for it; Birdie has no CES."""
SURVEY_KIND = "survey_kind"
"""The additional field that distinguishes CES from CSAT."""

_VERSION = b"1"
_encoder = msgspec.json.Encoder(decimal_format="number", order="deterministic")


def known_fields(record_type: str) -> tuple[str, ...]:
    """Return the Birdie fields that a column can supply."""
    return USER_TOP if record_type == "user" else FEEDBACK_TOP + FEEDBACK_KIND


def build_payload(
    record_type: str, kind: str, fields: dict[str, Any], additional: dict[str, Any]
) -> dict[str, Any]:
    """Arrange mapped fields as a Birdie record; absent fields stay absent."""
    if record_type == "user":
        payload = dict(fields)
    else:
        payload = {name: fields[name] for name in FEEDBACK_TOP if name in fields}
        inner = {name: fields[name] for name in FEEDBACK_KIND if name in fields}
        payload["kind"] = {"name": BIRDIE_KINDS[kind], "fields": inner}
    if additional:
        payload["additional_fields"] = additional
    return payload


def group(record_type: str, payload: dict[str, Any]) -> str:
    """Return the name of the files that contain such records."""
    return f"{record_type}-{payload['kind']['name']}" if "kind" in payload else record_type


def columns(record_type: str) -> tuple[str, ...]:
    """Return the columns of a file of such records."""
    kind = () if record_type == "user" else ("kind",)
    return (*known_fields(record_type), *kind, "additional_fields", "batch_id")


def flatten(payload: dict[str, Any]) -> dict[str, Any]:
    """Return a payload as a row: `kind` becomes its name, and its fields become columns."""
    kind = payload.get("kind")
    return payload if kind is None else payload | {"kind": kind["name"]} | kind["fields"]


def encode(value: Any) -> bytes:
    """Return a payload, or a part of one, as canonical JSON: equal values give equal bytes."""
    return _encoder.encode(value)


def with_batch(body: bytes, batch_id: str) -> bytes:
    """Add `batch_id` to an encoded payload; it changes every run, so fingerprints exclude it."""
    return b'%b,"batch_id":%b}' % (body[:-1], _encoder.encode(batch_id))


def fingerprint(body: bytes) -> bytes:
    """Return 16 bytes that identify an encoded payload."""
    return blake2b(body, digest_size=16, person=_VERSION).digest()
