"""One small sync, whole: what the tap writes and what Birdie stores of it, compared with a file."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from connector_sandbox import Sandbox
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from tap.helpers import selecting

from .commands import BIN, run, succeeded

WIDTH = 120
OF_THE_RUN = re.compile(r'("time_extracted": "|"last_change": \["[^"]+", ")[^"]+')


class Text(SingleFileSnapshotExtension):
    """A snapshot as plain text."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"


def shown(value: Any, indent: str = "", key: str = "") -> list[str]:
    """JSON in lines: a value that fits on one line is on one line."""
    short = f"{indent}{key}{json.dumps(value, ensure_ascii=False)}"
    if len(short) <= WIDTH or not value or not isinstance(value, dict | list):
        return [short]
    items = value.items() if isinstance(value, dict) else (("", item) for item in value)
    named = ((f'"{name}": ' if name else "", item) for name, item in items)
    begin, end = "{}" if isinstance(value, dict) else "[]"
    entries = ["\n".join(shown(item, f"{indent} ", name)) for name, item in named]
    return [f"{indent}{key}{begin}", *",\n".join(entries).split("\n"), f"{indent}{end}"]


@pytest.fixture
def sandbox(make_sandbox: Callable[..., Sandbox]) -> Sandbox:
    """A person and three responses: one with everything, one plain, one like the oldest."""
    sandbox = make_sandbox(responses=0)
    store, properties = sandbox.store, {"plan": "pro", "seats": 12, "größe": None, "🙂": [1.5]}
    store.add_end_user(
        "2024-01-31T12:00:00Z",
        id=7,
        updated_at="2024-03-10T10:00:01Z",
        email="kim@example.com",
        phone_number="+12025550107",
        properties=properties,
        last_response={"id": 2, "score": 3, "text": None, "survey": {"channel": "web"}},
    )
    store.add_response(
        "2024-01-31T12:00:00.25Z",
        id=1,
        updated_at="2024-02-01T08:30:00Z",
        end_user_id=7,
        score=10,
        text="  „Gut“,\nsagt Kim 🚀 ",
        tags=["price", "ux"],
        notes=["Called back"],
        end_user={"properties": properties},
        channel="web",
    )
    plain = store.add_response("2024-03-10T10:00:00Z", id=2, updated_at="2024-03-10T10:00:00Z")
    nulls = dict.fromkeys(("text", "tags", "notes", "completed", "end_user", "ip_address"))
    store.load("responses", [plain | nulls | {"id": 3}])
    return sandbox


def stored(sandbox: Sandbox, kind: str) -> list[tuple[str, Any]]:
    """What Birdie holds, in the order of the ids: it came side by side."""
    return sorted(sandbox.birdie.records(kind).items())


@pytest.mark.usefixtures("clean_environment")
def test_a_sync_writes_and_birdie_stores_what_they_did(
    sandbox: Sandbox, tap_config: Path, tmp_path: Path, snapshot: SnapshotAssertion
):
    """Every SCHEMA, RECORD and STATE, and every body: whoever loads them relies on each of them."""
    target_config = tmp_path / "target.json"
    settings = {"api_key": sandbox.api_key, "api_url": sandbox.birdie_url, "batch_id": "golden"}
    target_config.write_text(json.dumps(settings))
    catalog = tmp_path / "catalog.json"
    catalog.write_text(json.dumps(selecting("responses", "end_users")))

    tap = [BIN / "tap-wootric", "--config", tap_config, "--catalog", catalog]
    written = succeeded(run(*tap, cwd=tmp_path))
    target = [BIN / "target-birdie", "--config", target_config]
    succeeded(run(*target, cwd=tmp_path, stdin=None, input=written))

    messages = [json.loads(line) for line in written.splitlines()]
    bodies = [body for kind in ("feedbacks", "users") for _, body in stored(sandbox, kind)]
    text = "\n".join(line for value in [*messages, *bodies] for line in shown(value))
    assert OF_THE_RUN.sub(r"\1of the run", text) + "\n" == snapshot(extension_class=Text)
