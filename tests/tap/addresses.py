"""End users with an e-mail address in every place, and the blocks of docs/personal-data.md."""

import re
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
SETTING = ["*.email", "*.phone_number", "*.ip_address", "*.E-Mail", "*.phoneNumber"]
FREE_TEXT = ["*.text", "responses.notes", "*.origin_url", "*.external_id"]
LISTED = ["*.account.owner", "*.Contacts"]
HERE = object()
"""What `filled` replaces with an address."""

PERSON: Json = {
    **dict.fromkeys(("email", "phone_number", "external_id"), HERE),
    "properties": {
        **dict.fromkeys(("E-Mail", "phoneNumber", "account.owner", "other"), HERE),
        "Contacts": [HERE, 7],
        "plan": "pro",
    },
    LATER: [{"email": HERE, "other": None}],
}
DECLINE: Json = {"ip_address": HERE, "origin_url": HERE, "end_user": PERSON, LATER: {"email": HERE}}
PLACES: list[str] = []
"""Every place of the test data that contains an address."""


def address(place: str) -> str:
    """The e-mail address that the test data contains in a place."""
    return re.sub(r"\W", "-", place).lower() + "@leak.example"


def filled(template: Any, place: str) -> Any:
    """The template with the address of each place."""
    if isinstance(template, dict):
        return {name: filled(value, f"{place}.{name}") for name, value in template.items()}
    if isinstance(template, list):
        return [filled(value, place) for value in template]
    if template is HERE:
        PLACES.append(place)
        return address(place)
    return template


DATA: dict[str, Json] = {
    "responses": filled(DECLINE | {"text": HERE, "notes": ["", HERE]}, "responses"),
    "declines": filled(DECLINE, "declines"),
    "end_users": filled(PERSON | {"last_response": {"id": 1, "text": HERE}}, "end_users"),
}


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
