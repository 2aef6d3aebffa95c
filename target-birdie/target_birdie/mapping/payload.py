"""The body of a Birdie record: built here and nowhere else.

Which fields stand at the top and which inside `kind.fields` is not published in full. Stated by
Birdie: `kind` is an object of `name` and `fields`, and `author_id` and `account_id` stand inside.
The rest is this connector's choice; a correction is a change to the two tables below.
"""

from __future__ import annotations

import json
from decimal import Decimal
from hashlib import blake2b
from math import inf, isfinite
from typing import Any

import msgspec

RECORD_TYPES = {"feedback": "feedback_id", "user": "user_id"}
"""Record types that can be delivered, each with the field that identifies it."""

Key = tuple[str, str]
"""Record type and id."""

FEEDBACK_TOP = ("feedback_id", "title", "text", "posted_at")
FEEDBACK_KIND = ("rating", "author_id", "account_id", "author_name", "survey_title")
USER_TOP = ("user_id",)
KINDS = ("nps", "csat")

_VERSION = b"1"
_encoder = msgspec.json.Encoder(decimal_format="number", order="deterministic")


def known_fields(record_type: str) -> tuple[str, ...]:
    """Return the Birdie fields that a column can feed."""
    return USER_TOP if record_type == "user" else FEEDBACK_TOP + FEEDBACK_KIND


def build_payload(
    record_type: str, kind: str, fields: dict[str, Any], additional: dict[str, Any]
) -> dict[str, Any]:
    """Put mapped fields into the shape of a record; absent fields stay absent."""
    if record_type == "user":
        body = dict(fields)
    else:
        body = {name: fields[name] for name in FEEDBACK_TOP if name in fields}
        inner = {name: fields[name] for name in FEEDBACK_KIND if name in fields}
        body["kind"] = {"name": kind, "fields": inner}
    if additional:
        body["additional_fields"] = additional
    return body


def columns(record_type: str) -> tuple[str, ...]:
    """Return the columns of a file of such records."""
    kind = () if record_type == "user" else ("kind",)
    return (*known_fields(record_type), *kind, "additional_fields", "batch_id")


def flatten(body: dict[str, Any]) -> dict[str, Any]:
    """Return a body as a row: `kind` becomes its name, and its fields columns of their own."""
    kind = body.get("kind")
    return body if kind is None else body | {"kind": kind["name"]} | kind["fields"]


def encode(body: Any) -> bytes:
    """Return a body, or a part of one, as canonical JSON: equal records give equal bytes."""
    try:
        return _encoder.encode(body)
    except UnicodeEncodeError:  # half a surrogate pair, which only escapes can carry
        return json.dumps(body, sort_keys=True, default=_plain, separators=(",", ":")).encode()


def _plain(value: object) -> float | str:
    number = float(value) if isinstance(value, Decimal) else inf
    return number if isfinite(number) else str(value)


def with_batch(body: bytes, batch_id: str) -> bytes:
    """Add `batch_id` to an encoded body; it changes every run and so stays out of the digest."""
    return b'%b,"batch_id":%b}' % (body[:-1], _encoder.encode(batch_id))


def digest(body: bytes, *, destination: bytes) -> bytes:
    """Return 16 bytes that stand for this body at this destination."""
    return blake2b(body, digest_size=16, key=destination, person=_VERSION).digest()
