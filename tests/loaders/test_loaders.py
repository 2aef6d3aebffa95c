"""Another Singer target stores exactly the records that the tap emits."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from commands import run, succeeded, tool
from connector_sandbox import Sandbox
from postgres import Postgres
from tap.helpers import Account

Json = dict[str, Any]

KEYS = {"responses": "id", "end_users": "id", "declines": "id", "segments": "name"}
TYPES = {"id": "int8", "score": "int8", "created_at": "timestamp", "completed": "bool"}
TYPES |= {"text": "text", "tags": "_text", "end_user": "jsonb"}
ODD_TEXT = ' "quoted", comma;\ttab \\N back\\slash\r\nnew line\n\n👩‍👩‍👧‍👦 العربية {} $1 %s :name '
ODD_PROPERTIES = json.loads((Path(__file__).parent / "odd_properties.json").read_text())


def add_odd_records(sandbox: Sandbox) -> None:
    """Add ids beyond 32 bits, quotes and separators, and nulls in place of objects."""
    end_user = {"properties": ODD_PROPERTIES}
    tags = ["a,b", "{c}", 'd"e', "", "NULL", "back\\slash", "🔥\n"]
    sandbox.store.add_response(id=3 * 10**9, text=ODD_TEXT, tags=tags, end_user=end_user)
    sandbox.store.add_response(text="", tags=None, notes=None, end_user=None)
    sandbox.store.add_end_user(properties=ODD_PROPERTIES, plan="undeclared key")
    sandbox.store.add_decline(end_user=end_user)


def comparable(rows: list[Json], stream: str, schema: Json) -> dict[Any, Json]:
    """Return rows by key, without null values and the loader's own columns; times in UTC."""

    def value(name: str, item: Any) -> Any:
        if schema["properties"][name].get("format") != "date-time":
            return item
        moment = datetime.fromisoformat(item)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)

    return {
        row[KEYS[stream]]: {
            name: value(name, item)
            for name, item in row.items()
            if item is not None and not name.startswith("_sdc_")
        }
        for row in rows
    }


@pytest.mark.long
def test_postgres_holds_the_last_version_of_each_record_in_typed_columns(
    postgres: Postgres, sandbox: Sandbox, tmp_path: Path
):
    """After each of two syncs with new and changed records."""
    add_odd_records(sandbox)
    config = {"sqlalchemy_url": postgres.url, "default_target_schema": "public"}
    (tmp_path / "target.json").write_text(json.dumps(config | {"load_method": "upsert"}))
    target = tool("loaders", "meltanolabs-target-postgres", "target-postgres")
    state = None
    emitted: dict[str, dict[Any, Json]] = {stream: {} for stream in KEYS}
    counts = []

    for _ in range(2):
        output = Account(sandbox, tmp_path).sync(tuple(KEYS), state=state)
        text = "\n".join([*output.lines, ""])
        done = succeeded(run(target, "--config", tmp_path / "target.json", input=text))
        state = json.loads(done.splitlines()[-1])
        for stream in KEYS:
            schema = output.schema(stream)
            records = comparable(output.records(stream), stream, schema)
            emitted[stream] |= records
            counts.append(len(records))
            rows = postgres.lines(f"select row_to_json(t) from {stream} t")
            assert comparable([*map(json.loads, rows)], stream, schema) == emitted[stream]
        sandbox.store.comment(sandbox.store.responses()[0]["id"], "Late:\n" + ODD_TEXT)
        sandbox.store.update_end_user(sandbox.store.end_users()[0]["id"], email="new@example.org")
        sandbox.add_responses(2)

    columns = postgres.lines(
        "select json_build_array(column_name, udt_name) from information_schema.columns "
        "where table_schema = 'public' and table_name = 'responses'"
    )
    assert dict(map(json.loads, columns)).items() >= TYPES.items()
    assert counts[0] == 302
    assert counts[4:6] == [3, 1]
