"""End users with an e-mail address in every place, and the blocks of docs/personal-data.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import yaml
from connector_sandbox import Sandbox

from .helpers import ROOT, Json

DOCUMENT = (ROOT / "docs/personal-data.md").read_text()
STREAMS = ("responses", "declines", "end_users")
LATER = "later"
"""An undeclared key."""


def blocks(heading: str) -> list[Any]:
    """The parsed JSON and YAML blocks below a heading."""
    section = DOCUMENT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    found = re.findall(r"^```(?:json|yaml)\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    return [yaml.safe_load(text) for text in found]


DROP, HASH, MELTANO = blocks("Drop or hash in the tap")
SELECT, METADATA = blocks("Deselect fields")
REMOVE, ALLOW, MD5 = blocks("Stream maps")
SETTING = [
    "*.email",
    "*.phone_number",
    "*.ip_address",
    "*.E-Mail",
    "*.phoneNumber",
]
FREE_TEXT = ["*.text", "responses.notes", "*.origin_url", "*.external_id"]
LISTED = ["*.account.owner", "*.Contacts"]
PROPERTIES = ("E-Mail", "phoneNumber", "account.owner", "Contacts", "other")


def address(place: str) -> str:
    """The e-mail address that the test data contains in a place."""
    return re.sub(r"\W", "-", place).lower() + "@leak.example"


def person(place: str) -> Json:
    """The fields of an end user, each with an address."""
    contact = {name: address(f"{place}.{name}") for name in ("email", "phone_number")}
    properties = {name: address(f"{place}.properties.{name}") for name in PROPERTIES[:-1]}
    return {
        **contact,
        "external_id": address(f"{place}.external_id"),
        "properties": {
            **properties,
            "Contacts": [address(f"{place}.properties.Contacts"), 7],
            "other": address(f"{place}.properties.other"),
            "plan": "pro",
        },
        LATER: [{"email": address(f"{place}.{LATER}.email"), "other": None}],
    }


def surveyed(stream: str) -> Json:
    """The fields of a response or decline, each with an address."""
    names = ("ip_address", "origin_url", *(("text",) if stream == "responses" else ()))
    return {
        **{name: address(f"{stream}.{name}") for name in names},
        "end_user": person(f"{stream}.end_user"),
        LATER: {"Email": address(f"{stream}.{LATER}.email")},
    }


DATA: dict[str, Json] = {
    "responses": surveyed("responses") | {"notes": ["", address("responses.notes")]},
    "declines": surveyed("declines"),
    "end_users": person("end_users")
    | {"last_response": {"id": 1, "text": address("end_users.last_response.text")}},
}


def places() -> Iterator[str]:
    """Every place of the test data that contains an address."""
    for stream in STREAMS:
        below = "end_users" if stream == "end_users" else f"{stream}.end_user"
        yield from (f"{below}.{name}" for name in ("email", "phone_number", "external_id"))
        yield from (f"{below}.properties.{name}" for name in PROPERTIES)
        yield f"{below}.{LATER}.email"
        if stream != "end_users":
            yield from (f"{stream}.{name}" for name in ("ip_address", "origin_url"))
            yield f"{stream}.{LATER}.email"
    yield from ("responses.text", "responses.notes", "end_users.last_response.text")


PLACES = list(places())


def shown(text: str) -> set[str]:
    """The places whose address a text contains."""
    return {place for place in PLACES if address(place) in text.lower()}


def hidden(patterns: list[str]) -> set[str]:
    """The places that patterns match."""
    return {place for place in PLACES if any(fnmatchcase(place, p) for p in patterns)}


def add_people(sandbox: Sandbox) -> None:
    """Add one record per stream with an address in every place, and one without any data."""
    store = sandbox.store
    sandbox.options.html_text = False
    store.add_response(**DATA["responses"])
    store.add_decline(**DATA["declines"])
    store.add_end_user(**DATA["end_users"])
    nothing: Json = {"end_user": None, "ip_address": None}
    store.add_response(**nothing)
    store.add_decline(**nothing)
    store.add_end_user(email=None, properties=None)
