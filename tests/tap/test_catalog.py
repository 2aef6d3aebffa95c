"""The catalog: a changed declaration of a stream is a difference from a snapshot."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from tap_wootric.tap import STREAMS

from .helpers import Json, discovered

NAMES = [stream.name for stream in STREAMS]


def entry(stream: str) -> Json:
    entries: list[Json] = json.loads(discovered())["streams"]
    return next(entry for entry in entries if entry["stream"] == stream)


@pytest.mark.parametrize("name", NAMES)
def test_the_catalog_entry_is_unchanged(name: str, snapshot: SnapshotAssertion) -> None:
    """Loaders depend on keys, replication, schema and selection."""
    assert entry(name) == snapshot(extension_class=JSONSnapshotExtension)


@pytest.mark.parametrize("name", NAMES)
def test_every_field_is_described_and_except_keys_can_be_null(name: str) -> None:
    """Also in objects. Any key can be absent or null in old records."""
    keys = {*entry(name)["key_properties"], entry(name).get("replication_key")}
    for path, field in fields(entry(name)["schema"]):
        assert field.get("description", "").endswith("."), path
        assert ("null" in field["type"]) == (path not in keys), path


def fields(schema: Json, prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every field of a schema with its path."""
    for name, field in schema.get("properties", {}).items():
        yield f"{prefix}{name}", field
        yield from fields(field, f"{prefix}{name}.")
