"""The lines of docs/personal-data.md hide what they say, wherever the tap writes."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from e2e.commands import ROOT, Run, succeeded
from tap.helpers import Account, Forked, Output, selecting

from .loading import FLATTENED
from .truth import Json

DOCUMENT = (ROOT / "docs/personal-data.md").read_text(encoding="utf-8")
STREAMS = ("responses", "declines", "end_users", "segments")

MAIL, PHONE, ADDRESS = "Clear-Mail@example.org", "+1-clear-phone", "clear-ip"
NEW = "clear-new-key"
SECRETS = ("clear-property@example.org", "clear-owner@example.org")
OTHERS = {"plan": "pro", "seats": 3, "größe": {"nested": ["XL"]}}
PROPERTIES = dict(zip(("email_address", "account.owner"), SECRETS, strict=True)) | OTHERS


def blocks(heading: str, language: str) -> list[str]:
    """The fenced blocks below a heading."""
    section = DOCUMENT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(rf"^```{language}\n(.*?)^```", section, re.MULTILINE | re.DOTALL)


METADATA, DROP = map(json.loads, blocks("Leave fields out", "json"))
HASH, HASH_MD5 = map(json.loads, blocks("Hash fields", "json"))
PROPERTIES_DROP, PROPERTIES_KEEP, PROPERTIES_HASH = map(
    json.loads, blocks("Single properties", "json")
)
(SELECT,) = map(yaml.safe_load, blocks("Leave fields out", "yaml"))


@pytest.fixture
def people(make_account: Callable[..., Account]) -> Account:
    """Some of whom much is known, and some of whom nothing is."""
    account = make_account(responses=0)
    store = account.sandbox.store
    known: Json = {"end_user": {"properties": PROPERTIES}, "ip_address": ADDRESS, "new_key": NEW}
    unknown: Json = {"end_user": None, "ip_address": None}
    store.add_end_user(email=MAIL, phone_number=PHONE, properties=PROPERTIES, new_key=NEW)
    store.add_end_user(properties=None)
    store.add_response(**known)
    store.add_response(**unknown)
    store.add_decline(**known)
    store.add_decline(**unknown)
    store.add_segment("plan", "string")
    return account


def synced(account: Account, **settings: Any) -> Output:
    """What the tap writes at its most talkative."""
    options = account.options(STREAMS, **settings)
    output = Forked(options, account.folder, TAP_WOOTRIC_LOGLEVEL="DEBUG").finish()
    assert output.code == 0, output.log
    assert "| DEBUG " in output.log
    return output


def written(output: Output) -> str:
    """Everything that left the tap."""
    return "\n".join([*output.lines, output.log]).lower()


def first(output: Output, stream: str) -> Json:
    """The record of somebody of whom much is known."""
    found: Json = output.records(stream)[0]
    return found


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_without_these_lines_the_data_is_there(people: Account):
    """Nothing is hidden unasked, and no log line shows it."""
    output = synced(people)

    lines = "\n".join(output.lines)
    assert [clear for clear in (MAIL, PHONE, ADDRESS, NEW, *SECRETS) if clear not in lines] == []
    assert "clear" not in output.log.lower()


def test_fields_left_out_by_maps_are_in_no_line(people: Account):
    """Neither in schema nor record nor log; everything else is as it was."""
    output = synced(people, **DROP)

    text = written(output)
    assert [clear for clear in (MAIL, PHONE, ADDRESS, NEW) if clear.lower() in text] == []
    assert '"ip_address"' not in text
    assert first(output, "responses")["end_user"]["properties"] == PROPERTIES
    assert len(output.records("end_users")) == len(output.records("declines")) == 2


def test_fields_left_out_by_the_catalog_are_in_no_line(people: Account):
    """The metadata, put into a discovered catalog, holds for fields and for objects in objects."""
    catalog = selecting(*STREAMS)
    for entry in catalog["streams"]:
        places = [item["breadcrumb"] for item in METADATA]
        kept = [item for item in entry["metadata"] if item["breadcrumb"] not in places]
        entry["metadata"] = kept + (METADATA if len(kept) < len(entry["metadata"]) else [])

    output = synced(people, catalog=catalog)

    surveyed = [*output.records("responses"), *output.records("declines")]
    assert not any("ip_address" in record for record in surveyed)
    assert not any("properties" in (record["end_user"] or {}) for record in surveyed)
    assert ADDRESS not in written(output)
    assert first(output, "end_users")["properties"] == PROPERTIES


def test_hashed_fields_are_told_apart_and_not_read(people: Account):
    """With the salt in front, the e-mail address in lower case, and no hash of nothing."""
    output = synced(people, **HASH)

    salt = HASH["stream_map_config"]["salt"]
    person, nobody = output.records("end_users")
    assert person["email"] == sha256(salt + MAIL.lower())
    assert person["phone_number"] == sha256(salt + PHONE)
    assert (nobody["email"], nobody["phone_number"]) == (None, None)
    for stream in ("responses", "declines"):
        hashes = [record["ip_address"] for record in output.records(stream)]
        assert hashes == [sha256(salt + ADDRESS), None]
    text = written(output)
    assert [clear for clear in (MAIL, PHONE, ADDRESS) if clear.lower() in text] == []
    assert salt not in text


@pytest.mark.long
def test_hashes_of_another_system_match(people: Account):
    """`md5` is the plain one."""
    output = synced(people, **HASH_MD5)

    addresses = [record["email"] for record in output.records("end_users")]
    assert addresses == [hashlib.md5(MAIL.encode()).hexdigest(), None]
    assert MAIL.lower() not in written(output)


@pytest.mark.parametrize(
    "flattened", [False, pytest.param(True, marks=pytest.mark.long)], ids=["nested", "flattened"]
)
@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (PROPERTIES_DROP, OTHERS),
        pytest.param(PROPERTIES_KEEP, {"plan": "pro", "seats": 3}, marks=pytest.mark.long),
        pytest.param(
            PROPERTIES_HASH,
            {name: sha256(str(v)) if name not in OTHERS else v for name, v in PROPERTIES.items()},
            marks=pytest.mark.long,
        ),
    ],
    ids=["left out", "kept", "hashed"],
)
def test_single_properties_are_hidden(
    people: Account, lines: Json, expected: Json, flattened: bool
):
    """By any name, with all others as they were, also where there are none."""
    maps = lines["stream_maps"]
    declines = maps | {"declines": maps["responses"]}

    output = synced(people, stream_maps=declines, **(FLATTENED if flattened else {}))

    place = "properties"
    for stream in ("responses", "declines"):
        record = first(output, stream)
        found = record["end_user__properties"] if flattened else record["end_user"][place]
        assert (json.loads(found) if flattened else found) == expected
        assert output.records(stream)[1].get("end_user") is None
    found = first(output, "end_users")[place]
    assert (json.loads(found) if flattened else found) == expected
    assert output.records("end_users")[1][place] is None
    assert "clear-property" not in written(output)
    assert "clear-owner" not in written(output)


@pytest.mark.parametrize(
    ("maps", "word"),
    [
        ({"end_users": {"email": "sha256(email)"}}, "record 2 "),
        ({"end_users": {"email": "int(email) if email else None"}}, "record 1 "),
        ({"end_users": {"email": "email.nothing"}}, "record 1 "),
        ({"end_users": {"email": "sha256("}}, "email"),
        ({"end_users": {"mail": None}}, "'email'"),
        ({"end_users": {"end_user__properties": None}}, "end_user__properties"),
        ({"end_user": {"email": None}}, "'end_users'"),
        ({"people": {"__source__": "end_user", "email": None}}, "'end_users'"),
    ],
    ids=["null", "failing", "absent", "syntax", "field", "flat name", "stream", "source"],
)
def test_a_map_that_fails_or_hides_nothing_ends_the_run_in_one_line(
    people: Account, maps: Json, word: str
):
    """The line says where; no stack trace, which would hold what the map was to hide."""
    output = people.sync(STREAMS, stream_maps=maps)

    assert output.code == 1
    assert "setting 'stream_maps" in output.error
    assert word in output.error
    assert "Traceback" not in output.log
    assert "clear" not in output.log.lower()


@pytest.mark.parametrize("name", ["declines", "nps_summary", "*"])
def test_maps_of_streams_that_are_not_selected_do_no_harm(people: Account, name: str):
    """The same settings serve whatever is selected."""
    output = people.sync("end_users", stream_maps={name: {"additional_fields": None}})

    assert output.code == 0
    assert len(output.ids("end_users")) == 2


@pytest.mark.long
@pytest.mark.parametrize(
    ("lines", "hidden"),
    [
        (SELECT, (MAIL, PHONE, ADDRESS, NEW, *SECRETS)),
        ({"config": {"stream_maps": HASH["stream_maps"]}}, (MAIL, PHONE, ADDRESS)),
    ],
    ids=["select", "config"],
)
def test_meltano_takes_these_lines(
    people: Account, meltano: Run, lines: Json, hidden: tuple[str, ...]
):
    """Pasted into meltano.yml, the salt in the environment; Meltano's own log shows no value."""
    folder = meltano.folder  # type: ignore[attr-defined]
    definition = yaml.safe_load((folder / "meltano.yml").read_text())
    definition["plugins"]["extractors"][0].update(lines)
    (folder / "meltano.yml").write_text(yaml.safe_dump(definition))

    done = meltano(
        "--log-level=debug",
        "run",
        "tap-wootric",
        "target-jsonl",
        TAP_WOOTRIC_API_URL=people.sandbox.wootric_url,
        TAP_WOOTRIC_STREAM_MAP_CONFIG=json.dumps(HASH["stream_map_config"]),
    )

    succeeded(done)
    files = {path.stem: path.read_text() for path in (folder / "output").glob("*.jsonl")}
    assert {"responses", "end_users"} <= files.keys()
    for text in (*files.values(), done.stdout, done.stderr):
        assert [clear for clear in hidden if clear.lower() in text.lower()] == []
