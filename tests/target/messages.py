"""Singer messages and settings for the target's tests."""

import json
from collections.abc import Iterable
from typing import Any

from target_birdie.config.schema import CONFIG_SCHEMA
from target_birdie.config.settings import Settings, read

Message = dict[str, Any]


def settings_for(url: str = "https://birdie.example", **changes: Any) -> Settings:
    """Checked settings for one Birdie."""
    plain = {name: rule.get("default") for name, rule in CONFIG_SCHEMA["properties"].items()}
    given = {"api_key": "secret", "user_agent": "tests", "api_url": url, **changes}
    return read({name: value for name, value in (plain | given).items() if value is not None})


def record(number: int, **changes: Any) -> dict[str, Any]:
    """A survey response as a tap writes it."""
    plain = {
        "id": number,
        "end_user_id": number + 1000,
        "score": number % 11,
        "text": f"Comment {number}",
        "created_at": "2016-12-16T17:05:00+00:00",
        "updated_at": "2016-12-16T17:05:00+00:00",
        "tags": ["shipping"],
        "ip_address": "192.0.2.1",
        "end_user": {"id": number + 1000, "properties": {"plan": "pro"}},
    }
    return plain | changes


def schema(stream: str = "responses", *columns: str) -> Message:
    """The SCHEMA message of a stream, with columns besides those of a response."""
    properties: dict[str, Any] = {name: {} for name in (*record(1), *columns)}
    body = {"type": "object", "properties": properties}
    return {"type": "SCHEMA", "stream": stream, "key_properties": ["id"], "schema": body}


def row(content: dict[str, Any], stream: str = "responses") -> Message:
    """A RECORD message."""
    return {"type": "RECORD", "stream": stream, "record": content}


def state(value: Any) -> Message:
    """A STATE message."""
    return {"type": "STATE", "value": value}


def sync(*records: int | dict[str, Any], every: int = 50) -> list[Message]:
    """The messages of a sync: a schema, the records, a state after every so many and at the end."""
    messages = [schema()]
    for number, content in enumerate(records, 1):
        messages.append(row(record(content) if isinstance(content, int) else content))
        if number % every == 0 or number == len(records):
            messages.append(state({"read": number}))
    return messages


def lines_of(messages: Iterable[Message]) -> str:
    """Messages as a tap prints them."""
    return "".join(json.dumps(message, default=str) + "\n" for message in messages)
