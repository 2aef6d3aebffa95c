"""The catalog: a changed declaration of a stream is a difference from a snapshot."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from tap_wootric.tap import STREAMS

from .helpers import Json, invoke

NAMES = [stream.name for stream in STREAMS]


@pytest.fixture(scope="module")
def catalog() -> dict[str, Json]:
    """The output of `--discover`, by stream."""
    output = invoke(["--discover"])
    assert output.code == 0
    return {entry["stream"]: entry for entry in json.loads("\n".join(output.lines))["streams"]}


@pytest.mark.parametrize("name", NAMES)
def test_the_catalog_entry_is_unchanged(
    catalog: dict[str, Json], name: str, snapshot: SnapshotAssertion
) -> None:
    """Loaders depend on keys, replication, schema and selection."""
    assert catalog[name] == snapshot(extension_class=JSONSnapshotExtension)


@pytest.mark.parametrize("name", NAMES)
def test_every_field_is_described_and_except_keys_can_be_null(
    catalog: dict[str, Json], name: str
) -> None:
    """Also in objects. Any key can be absent or null in old records."""
    entry = catalog[name]
    keys = {*entry["key_properties"], entry.get("replication_key")}
    for path, field in fields(entry["schema"]):
        assert field.get("description", "").endswith("."), path
        assert ("null" in field["type"]) == (path not in keys), path


def fields(schema: Json, prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every field of a schema with its path."""
    for name, field in schema.get("properties", {}).items():
        yield f"{prefix}{name}", field
        yield from fields(field, f"{prefix}{name}.")
