"""What the catalog and stream maps select is what leaves the tap."""

import hashlib

import pytest

from tap_wootric.tap import TapWootric

from .helpers import ALL, Account, Json, assert_fits, invoke, selecting


def deselecting(stream: str, *paths: str) -> Json:
    """A catalog with one stream, without some fields; `a.b` is a field of an object."""
    catalog = selecting(stream)
    entry = next(entry for entry in catalog["streams"] if entry["stream"] == stream)
    breadcrumbs = [["properties", *path.replace(".", ".properties.").split(".")] for path in paths]
    found = [item for item in entry["metadata"] if item["breadcrumb"] in breadcrumbs]
    assert len(found) == len(paths)
    for item in found:
        item["metadata"].update(selected=False, inclusion="available")
    return catalog


@pytest.mark.parametrize("stream", ALL)
def test_a_stream_that_is_not_selected_costs_no_request(account: Account, stream: str) -> None:
    output = account.sync(stream, start_date="2026-01-01")

    assert output.code == 0
    assert {m["stream"] for m in output.messages if m["type"] != "STATE"} == {stream}
    requested = {request.path.rpartition("/")[2] for request in account.sandbox.requests}
    assert requested == {"token", stream}


def test_without_a_catalog_the_default_streams_are_synced(account: Account) -> None:
    options = account.options()

    output = invoke(options[: options.index("--catalog")])

    assert output.code == 0
    assert {m["stream"] for m in output.messages if m["type"] == "RECORD"} == {*ALL[:4]}


def test_a_deselected_field_leaves_the_tap_neither_in_records_nor_in_the_schema(
    account: Account,
) -> None:
    """The other fields do."""
    whole = account.sync()

    output = account.sync(catalog=deselecting("responses", "ip_address", "end_user.properties"))

    assert output.schema()["properties"].keys() == whole.records()[0].keys() - {"ip_address"}
    for before, after in zip(whole.records(), output.records(), strict=True):
        del before["ip_address"]
        if before["end_user"]:
            del before["end_user"]["properties"]
        assert after == before


def test_a_catalog_without_metadata_selects_every_field(account: Account) -> None:
    entries = [e for e in selecting("responses")["streams"] if e["stream"] == "responses"]
    catalog = {"streams": [entries[0] | {"metadata": []}]}
    assert account.sync(catalog=catalog).records() == account.sync().records()


@pytest.mark.parametrize("field", ["updated_at", "id", "created_at"])
def test_deselecting_a_field_changes_neither_the_keys_nor_what_counts_as_changed(
    account: Account, field: str
) -> None:
    catalog = deselecting("responses", field)
    first = account.sync(catalog=catalog)
    changed = first.ids()[5]
    account.sandbox.store.comment(changed, "late")

    second = account.sync(catalog=catalog, state=first.state)

    assert second.ids() == [changed]
    assert {"id", "created_at"} <= second.records()[0].keys()
    assert account.sync(catalog=catalog, state=second.state).ids() == []


def test_a_catalog_with_few_fields_and_other_keys_keeps_the_keys(account: Account) -> None:
    catalog = selecting("responses")
    for entry in catalog["streams"]:
        entry.update(schema={"properties": {"score": {"type": "integer"}}})
        entry.update(key_properties=["score"], replication_key="score")

    output = account.sync(catalog=catalog)

    assert output.messages[0].items() >= {"key_properties": ["id"]}.items()
    assert output.state["bookmarks"]["responses"]["replication_key"] == "created_at"

    assert {tuple(sorted(record)) for record in output.records()} == {("created_at", "id", "score")}


def test_stream_maps_drop_hash_and_skip_before_anything_leaves_the_tap(account: Account) -> None:
    maps: Json = {
        "end_users": {"email": "sha256(email) if email else None", "phone_number": None},
        "__else__": None,
    }

    output = account.sync(("responses", "end_users"), stream_maps=maps)

    truth = account.truth("end_users")
    assert output.ids() == []
    assert len(output.records("end_users")) == len(truth)
    for record in output.records("end_users"):
        email = truth[record["id"]]["email"]
        assert record["email"] == (hashlib.sha256(email.encode()).hexdigest() if email else None)
        assert "phone_number" not in record


@pytest.mark.parametrize("stream_map", [{"__filter__": "score is None"}, {"__alias__": "x"}])
def test_stream_maps_do_not_change_the_state(account: Account, stream_map: Json) -> None:
    """Also if they filter records or rename the stream."""
    plain = account.sync()

    mapped = account.sync(stream_maps={"responses": stream_map})

    assert mapped.bookmark() == plain.bookmark()
    assert account.sync(state=mapped.state).ids() == []


@pytest.mark.parametrize("field", ["__filter__", "text"])
def test_a_failing_expression_ends_the_run_in_one_line(account: Account, field: str) -> None:
    output = account.sync(stream_maps={"responses": {field: "text.lower() == ip_address[99]"}})

    assert output.code == 1
    assert "an expression fails for record" in output.error
    assert "Traceback" not in output.log


@pytest.mark.parametrize("depth", [None, 1, 5])
def test_records_fit_their_schema_and_have_every_field(account: Account, depth: int | None) -> None:
    """Flattened, free-form properties are one JSON text, and an object that is null has no key."""
    extra: Json = {"csat": {"score": 3}, "Ärger": [1, None]}
    account.sandbox.store.add_response(end_user=None, tags=None, **extra)
    account.sandbox.store.add_end_user(properties=None, settings=None, last_response=None)
    flattened: Json = {"flattening_enabled": True, "flattening_max_depth": depth} if depth else {}

    output = account.sync(ALL, start_date="2026-10-01", **flattened)

    assert output.code == 0
    for stream in ALL:
        assert_fits(output, stream)
        assert output.records(stream)
        names = {frozenset(record) for record in output.records(stream)}
        assert depth or names == {frozenset(output.schema(stream)["properties"])}
    records = output.records()
    if depth:
        assert {type(record.get("end_user__properties")) for record in records} == {str, type(None)}
    else:
        assert records[-1]["additional_fields"] == extra


def test_no_stream_writes_batch_files(account: Account) -> None:
    """They would bypass stream maps, and so expose personal data."""
    assert "batch" not in {capability.value for capability in TapWootric.capabilities}
    assert account.sync(batch_config={"encoding": {"format": "jsonl"}}).code == 1
