"""An account with everything that loaders are known to stumble over, and what happens to it."""

from __future__ import annotations

from datetime import timedelta

from connector_sandbox import Sandbox

ODD_ID = 3_000_000_000
"""Beyond 32 bits."""

ODD_TEXT = ' "quoted", comma;\ttab \\N back\\slash\r\nnew line\n\n👩‍👩‍👧‍👦 العربية {} $1 %s :name '

ODD_PROPERTIES = {
    "": "key without a name",
    "account.owner": "sales@example.com",
    "two  spaces": {"de.ep": {"": [1, 2.5, None, True, "ü"]}},
    "größe": "XL",
    "🙂": "emoji",
    'quote"d\\': "",
    "$dollar": 9007199254740993,
    "Plan": "a",
    "plan": "b",
    "id": "not the id",
    "additional_fields": None,
    "null": None,
    "empty": {},
    "list": [],
    "line\nbreak": False,
}


def odd_things(sandbox: Sandbox) -> None:
    """Add what the seeded data does not have."""
    days_ago = sandbox.store.now() - timedelta(days=3)
    sandbox.store.add_response(
        days_ago,
        id=ODD_ID,
        score=3,
        text=ODD_TEXT,
        tags=["a,b", "{c}", 'd"e', "", "NULL", "back\\slash", "🔥\n"],
        notes=["ü", "", None, '{"b": 1}'],
        end_user={"properties": ODD_PROPERTIES, "channel": "web"},
        survey_language="pt",
        translation={"text": None, "": [{}]},
    )
    sandbox.store.add_response(days_ago, text="", tags=None, notes=None, end_user=None)
    sandbox.store.add_end_user(days_ago, properties=ODD_PROPERTIES, plan="new key of the API")
    sandbox.store.add_end_user(days_ago, properties=None, settings=None)
    sandbox.store.add_decline(days_ago, end_user={"properties": ODD_PROPERTIES})


def live_on(sandbox: Sandbox) -> dict[str, set[int]]:
    """New and changed records; returns their ids by stream."""
    store = sandbox.store
    oldest = sorted(store.responses(), key=lambda row: row["created_at"])
    store.comment(oldest[0]["id"], "Late:\n" + ODD_TEXT)
    store.tag(oldest[1]["id"], "late, and odd")
    store.score(ODD_ID, 10)
    person = store.end_users()[0]["id"]
    store.update_end_user(person, properties=ODD_PROPERTIES, email="new@example.org")
    new = [row["id"] for row in sandbox.add_responses(2)]
    decline = store.add_decline()["id"]
    return {
        "responses": {oldest[0]["id"], oldest[1]["id"], ODD_ID, *new},
        "end_users": {person},
        "declines": {decline},
    }
