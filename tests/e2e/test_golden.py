"""One small sync, whole: what the tap writes and what Birdie stores, compared with a file."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands import environment, run, settings, succeeded
from connector_sandbox import Sandbox
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from tap.helpers import selecting

WIDTH = 120
OF_THE_RUN = re.compile(r'("time_extracted": "|"last_change": \["[^"]+", ")[^"]+')
PERSON = {
    "created_at": "2024-01-31T12:00:00Z",
    "id": 7,
    "updated_at": "2024-03-10T10:00:01Z",
    "email": "kim@example.com",
    "phone_number": "+12025550107",
    "properties": {"plan": "pro", "seats": 12, "größe": None, "🙂": [1.5]},
    "last_response": {"id": 2, "score": 3, "text": None, "survey": {"channel": "web"}},
}
RESPONSE = {
    "created_at": "2024-01-31T12:00:00.25Z",
    "id": 1,
    "updated_at": "2024-02-01T08:30:00Z",
    "end_user_id": 7,
    "score": 10,
    "text": "  „Gut“,\nsagt Kim 🚀 ",
    "tags": ["price", "ux"],
    "notes": ["Called back"],
    "end_user": {"properties": PERSON["properties"]},
    "channel": "web",
}
NULLS = dict.fromkeys(("text", "tags", "notes", "completed", "end_user", "ip_address"))


class Text(SingleFileSnapshotExtension):
    """A snapshot as plain text."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"


def shown(value: Any, indent: str = "", key: str = "") -> str:
    """JSON in lines: a value that fits on one line is on one line."""
    short = f"{indent}{key}{json.dumps(value, ensure_ascii=False)}"
    if len(short) <= WIDTH or not value or not isinstance(value, dict | list):
        return short
    items = value.items() if isinstance(value, dict) else (("", item) for item in value)
    begin, end = "{}" if isinstance(value, dict) else "[]"
    inner = (shown(item, f"{indent} ", f'"{name}": ' if name else "") for name, item in items)
    return f"{indent}{key}{begin}\n" + ",\n".join(inner) + f"\n{indent}{end}"


@pytest.fixture
def sandbox(make_sandbox: Callable[..., Sandbox]) -> Sandbox:
    """A person and three responses: one with everything, one plain, one like the oldest."""
    sandbox = make_sandbox(responses=0)
    sandbox.store.add_end_user(**PERSON)
    sandbox.store.add_response(**RESPONSE)
    time = "2024-03-10T10:00:00Z"
    plain = sandbox.store.add_response(time, id=2, updated_at=time)
    sandbox.store.load("responses", [plain | NULLS | {"id": 3}])
    return sandbox


def test_a_sync_writes_and_birdie_stores_what_they_did(
    sandbox: Sandbox, tmp_path: Path, snapshot: SnapshotAssertion
):
    """Every SCHEMA, RECORD and STATE, and every body: whoever loads them relies on each of them."""
    (tmp_path / "catalog.json").write_text(json.dumps(selecting("responses", "end_users")))
    env = environment(settings(sandbox) | {"TARGET_BIRDIE_BATCH_ID": "golden"})
    options: dict[str, Any] = {"cwd": tmp_path, "env": env}

    tap = ("tap-wootric", "--config=ENV", "--catalog", "catalog.json")
    written = succeeded(run(*tap, **options))
    succeeded(run("target-birdie", "--config=ENV", input=written, **options))

    values = [*map(json.loads, written.splitlines())]
    for kind in ("feedbacks", "users"):
        values += [body for _, body in sorted(sandbox.birdie.records(kind).items())]
    text = "\n".join(map(shown, values))
    assert OF_THE_RUN.sub(r"\1of the run", text) + "\n" == snapshot(extension_class=Text)
