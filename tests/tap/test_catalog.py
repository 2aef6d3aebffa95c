"""The catalog: a change of what a stream declares is seen as a difference to a snapshot."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from tap_wootric.tap import STREAMS, TapWootric

from .helpers import Json, invoke

NAMES = [stream.name for stream in STREAMS]

DOCUMENTED = {
    "responses": "id end_user_id survey_id score text completed excluded_from_calculations "
    "ip_address origin_url created_at updated_at tags notes end_user",
    "declines": "id end_user_id survey_id ip_address origin_url created_at updated_at end_user",
    "end_users": "id created_at updated_at email last_surveyed external_created_at last_seen_at "
    "properties phone_number external_id last_response settings",
    "segments": "name data_type created_at",
    "nps_summary": "date nps responses detractors passives promoters response_rate "
    "email_response_rate",
    "survey_templates": "id name is_default default_language languages "
    "non_configured_language_count custom_samplings",
    "email_stats": "date send send_requests emails_sent processed delivered not_delivered bounce "
    "dropped open opted_out spamreport not_eligible total_surveys total_responses",
}


@pytest.fixture(scope="module")
def catalog() -> dict[str, Json]:
    """What `--discover` writes, by stream."""
    output = invoke(["--discover"])
    assert output.code == 0
    return {entry["stream"]: entry for entry in json.loads("\n".join(output.lines))["streams"]}


@pytest.mark.parametrize("name", NAMES)
def test_the_catalog_entry_is_as_it_was(
    catalog: dict[str, Json], name: str, snapshot: SnapshotAssertion
) -> None:
    """Keys, replication, schema, selection: whoever loads the stream relies on them."""
    assert catalog[name] == snapshot(extension_class=JSONSnapshotExtension)


@pytest.mark.parametrize("name", NAMES)
def test_every_documented_field_is_declared_and_nothing_else(
    catalog: dict[str, Json], name: str
) -> None:
    """With a column for what is not documented."""
    declared = catalog[name]["schema"]["properties"].keys()

    assert declared == {*DOCUMENTED[name].split(), "additional_fields"}


@pytest.mark.parametrize("name", NAMES)
def test_every_field_is_described(catalog: dict[str, Json], name: str) -> None:
    """Inside objects too, in a sentence."""
    for path, field in fields(catalog[name]["schema"]):
        assert field.get("description", "").endswith("."), path


@pytest.mark.parametrize("name", NAMES)
def test_what_does_not_identify_a_record_may_be_null(catalog: dict[str, Json], name: str) -> None:
    """Any key can be absent or null in old records."""
    entry = catalog[name]
    keys = {*entry["key_properties"], entry.get("replication_key")}
    for path, field in fields(entry["schema"]):
        assert ("null" in field["type"]) == (path not in keys), path


def test_keys_and_replication_are_those_that_are_promised(catalog: dict[str, Json]) -> None:
    """Responses by `created_at`, people by their last change, days by date."""
    found = {
        name: (entry["key_properties"], entry.get("replication_key"), entry["replication_method"])
        for name, entry in catalog.items()
    }

    assert found == {
        "responses": (["id"], "created_at", "INCREMENTAL"),
        "declines": (["id"], "created_at", "INCREMENTAL"),
        "end_users": (["id"], "updated_at", "INCREMENTAL"),
        "segments": (["name"], None, "FULL_TABLE"),
        "nps_summary": (["date"], "date", "INCREMENTAL"),
        "survey_templates": (["id"], None, "FULL_TABLE"),
        "email_stats": (["date", "send"], "date", "INCREMENTAL"),
    }


def test_every_stream_of_the_tap_is_discovered(catalog: dict[str, Json]) -> None:
    """And says in a sentence what it is."""
    assert catalog.keys() == set(NAMES)
    assert all((stream.__doc__ or "").strip() for stream in STREAMS)


def test_every_setting_has_a_title_and_says_what_happens_without_it() -> None:
    """`--about` is where people look first."""
    settings = TapWootric.config_jsonschema["properties"]
    for name, setting in settings.items():
        assert setting.get("title"), name
        assert setting.get("description", "").endswith("."), name
    secret = {name for name, setting in settings.items() if setting.get("secret")}
    assert secret == {
        *["client_secret", "password", "account_token", "connection_details", "hash_salt"]
    }


def fields(schema: Json, prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every field of an object's schema with the way to it."""
    for name, field in schema.get("properties", {}).items():
        yield f"{prefix}{name}", field
        yield from fields(field, f"{prefix}{name}.")
