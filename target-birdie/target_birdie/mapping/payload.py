"""The payload of a Birdie record, built only here.

Birdie publishes only a part of its schema: `kind` is an object of `name` and `fields`, and
`author_id` and `account_id` are in `kind.fields`. The place of the other fields is our choice;
to correct it, change the tables below.
"""

import json
from decimal import Decimal
from hashlib import blake2b
from typing import Any

import msgspec

RECORD_TYPES = {"feedback": "feedback_id", "user": "user_id"}
"""Record types that can be delivered, each with the field that identifies it."""

Key = tuple[str, str]
"""Record type and id."""

_KIND_FIELDS = ("rating", "author_id", "account_id", "author_name", "survey_title")
_MORE = ("additional_fields", "batch_id")
COLUMNS = {
    "feedback": ("feedback_id", "title", "text", "posted_at", *_KIND_FIELDS, "kind", *_MORE),
    "user": ("user_id", "account_id", *_MORE),
}
"""Columns of a file of such records."""
BIRDIE_KINDS = {"nps": "nps", "csat": "csat", "ces": "csat"}
"""Kinds of survey, each with Birdie's name for it; Birdie has no CES."""
SURVEY_KIND = "survey_kind"
"""The additional field that distinguishes CES from CSAT."""

_encoder = msgspec.json.Encoder(decimal_format="number", order="deterministic")


def build_payload(
    record_type: str, kind: str, fields: dict[str, Any], additional: dict[str, Any]
) -> dict[str, Any]:
    """Arrange mapped fields as a Birdie record; absent fields stay absent."""
    payload = dict(fields)
    if record_type == "feedback":
        inner = {name: payload.pop(name) for name in _KIND_FIELDS if name in payload}
        payload["kind"] = {"name": BIRDIE_KINDS[kind], "fields": inner}
    if additional:
        payload["additional_fields"] = additional
    return payload


def group(record_type: str, payload: dict[str, Any]) -> str:
    """Return the name of the files that contain such records."""
    return f"{record_type}-{payload['kind']['name']}" if "kind" in payload else record_type


def flatten(body: bytes) -> dict[str, str]:
    """Return an encoded payload as a row of texts; the fields of `kind` become columns."""
    row = json.loads(body, parse_float=Decimal)
    if kind := row.get("kind"):
        row |= {"kind": kind["name"]} | kind["fields"]
    return {k: v if isinstance(v, str) else encode(v).decode() for k, v in row.items()}


def encode(value: Any) -> bytes:
    """Return a payload, or a part of one, as canonical JSON: equal values give equal bytes."""
    return _encoder.encode(value)


def with_batch(body: bytes, batch_id: str) -> bytes:
    """Add `batch_id` to an encoded payload; it changes every run, so fingerprints exclude it."""
    return b'%b,"batch_id":%b}' % (body[:-1], _encoder.encode(batch_id))


def fingerprint(body: bytes) -> bytes:
    """Return 16 bytes that identify an encoded payload."""
    return blake2b(body, digest_size=16, person=b"1").digest()  # 1: version of the payload
