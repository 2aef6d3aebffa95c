"""Other Singer targets store exactly the records that the tap emits."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from connector_sandbox import Sandbox
from environments import command
from postgres import Postgres
from tap.helpers import Account

Json = dict[str, Any]
Read = Callable[[str], list[Json]]

KEYS = {"responses": "id", "end_users": "id", "declines": "id", "segments": "name"}
TYPES = {
    "id": "int8", "score": "int8", "created_at": "timestamp", "completed": "bool", "text": "text",
    "tags": "_text", "end_user": "jsonb",
}  # fmt: skip
ODD_TEXT = ' "quoted", comma;\ttab \\N back\\slash\r\nnew line\n\n👩‍👩‍👧‍👦 العربية {} $1 %s :name '
ODD_PROPERTIES = {
    "": "key without a name", "account.owner": "sales", "größe": "XL", "🙂": "emoji",
    'quote"d\\': "", "$dollar": 9007199254740993, "Plan": "a", "plan": "b", "id": "not the id",
    "two  spaces": {"de.ep": {"": [1, 2.5, None, True, "ü"]}}, "additional_fields": None,
    "null": None, "empty": {}, "list": [], "line\nbreak": False,
}  # fmt: skip


def add_odd_records(sandbox: Sandbox) -> None:
    """Add ids beyond 32 bits, quotes and separators, and nulls in place of objects."""
    at = sandbox.store.now() - timedelta(days=3)
    end_user = {"properties": ODD_PROPERTIES}
    tags = ["a,b", "{c}", 'd"e', "", "NULL", "back\\slash", "🔥\n"]
    sandbox.store.add_response(at, id=3 * 10**9, text=ODD_TEXT, tags=tags, end_user=end_user)
    sandbox.store.add_response(at, text="", tags=None, notes=None, end_user=None)
    sandbox.store.add_end_user(at, properties=ODD_PROPERTIES, plan="undeclared key")
    sandbox.store.add_decline(at, end_user=end_user)


def postgres_target(postgres: Postgres, folder: Path) -> tuple[list[str], Json, Read]:
    """Return command and settings of meltanolabs-target-postgres, and a function to read rows."""

    def read(stream: str) -> list[Json]:
        return [json.loads(row) for row in postgres.lines(f"select row_to_json(t) from {stream} t")]

    config = {"sqlalchemy_url": postgres.url, "default_target_schema": "public"}
    name = "meltanolabs-target-postgres"
    target = command("loaders", name, "target-postgres")
    return [str(target)], config | {"load_method": "upsert"}, read


def jsonl_target(_: Postgres, folder: Path) -> tuple[list[str], Json, Read]:
    """Return the same for target-jsonl, which appends: the last line of a key is its row."""

    def read(stream: str) -> list[Json]:
        lines = (folder / f"{stream}.jsonl").read_text().splitlines()
        return list({row[KEYS[stream]]: row for row in map(json.loads, lines)}.values())

    config = {"destination_path": str(folder), "do_timestamp_file": False}
    return [str(command("loaders", "target-jsonl", "target-jsonl"))], config, read


def comparable(rows: list[Json], schema: Json) -> dict[Any, Json]:
    """Return rows by key, without null values and the loader's own columns; times in UTC."""
    times = {k for k, v in schema["properties"].items() if v.get("format") == "date-time"}

    def value(name: str, item: Any) -> Any:
        if name not in times:
            return item
        moment = datetime.fromisoformat(item)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)

    key = "name" if "data_type" in schema["properties"] else "id"
    return {
        row[key]: {k: value(k, v) for k, v in row.items() if v is not None and k[:5] != "_sdc_"}
        for row in rows
    }


@pytest.mark.long
@pytest.mark.parametrize("make_target", [postgres_target, jsonl_target])
def test_second_load_updates_the_rows_of_the_first(
    make_target: Callable[..., tuple[list[str], Json, Read]],
    postgres: Postgres,
    sandbox: Sandbox,
    tmp_path: Path,
):
    add_odd_records(sandbox)
    target, config, read = make_target(postgres, tmp_path)
    (tmp_path / "target.json").write_text(json.dumps(config))
    account, state = Account(sandbox, tmp_path), None
    emitted: dict[str, dict[Any, Json]] = {stream: {} for stream in KEYS}
    counts = []

    for _ in range(2):
        output = account.sync(tuple(KEYS), state=state)
        done = subprocess.run(
            [*target, "--config", tmp_path / "target.json"],
            input="\n".join([*output.lines, ""]),
            check=True,
            capture_output=True,
            encoding="utf-8",
        )
        state = json.loads(done.stdout.splitlines()[-1])
        for stream in KEYS:
            records = comparable(output.records(stream), output.schema(stream))
            emitted[stream] |= records
            counts.append(len(records))
            assert comparable(read(stream), output.schema(stream)) == emitted[stream]
        sandbox.store.comment(sandbox.store.responses()[0]["id"], "Late:\n" + ODD_TEXT)
        sandbox.store.update_end_user(sandbox.store.end_users()[0]["id"], email="new@example.org")
        sandbox.add_responses(2)

    assert counts[0] == 302
    assert counts[4:6] == [3, 1]


@pytest.mark.long
def test_columns_in_postgres_have_types_for_calculations(
    postgres: Postgres, sandbox: Sandbox, tmp_path: Path
):
    target, config, _ = postgres_target(postgres, tmp_path)
    config["default_target_schema"] = "typed"
    (tmp_path / "target.json").write_text(json.dumps(config))
    lines = Account(sandbox, tmp_path).sync().lines

    subprocess.run(
        [*target, "--config", tmp_path / "target.json"],
        input="\n".join([*lines, ""]),
        check=True,
        capture_output=True,
        encoding="utf-8",
    )

    columns = postgres.lines(
        "select json_build_array(column_name, udt_name) from information_schema.columns "
        "where table_schema = 'typed' and table_name = 'responses'"
    )
    assert dict(map(json.loads, columns)).items() >= TYPES.items()
