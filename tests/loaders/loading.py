"""Other Singer targets: their settings, and what their destination contains."""

from __future__ import annotations

import abc
import json
import subprocess
from collections.abc import Iterable
from pathlib import Path

from environments import command
from postgres import Postgres

from .truth import KEYS, Json

FLATTENED = {"flattening_enabled": True, "flattening_max_depth": 5}

READ_DUCKDB = """
import duckdb, json, sys
connection = duckdb.connect(sys.argv[1], read_only=True)
for sql in sys.argv[2:]:
    found = connection.execute(sql)
    names = [column[0] for column in found.description]
    print(json.dumps([dict(zip(names, row)) for row in found.fetchall()], default=str))
"""


class Loader(abc.ABC):
    """A Singer target and its destination."""

    package: str
    keeps_empty_text = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.command = command("loaders", self.package, self.package.removeprefix("meltanolabs-"))

    @property
    @abc.abstractmethod
    def config(self) -> Json:
        """Its settings."""

    @abc.abstractmethod
    def tables(self, *streams: str) -> list[list[Json]]:
        """What the destination holds of each stream, a mapping a row."""

    @abc.abstractmethod
    def types(self, stream: str) -> dict[str, str]:
        """The types of the columns."""

    def load(self, lines: Iterable[str], **settings: object) -> Json:
        """Give it a tap's output; returns the last state that it wrote."""
        path = self.folder / "target.json"
        path.write_text(json.dumps(self.config | settings))
        done = subprocess.run(
            [self.command, "--config", path],
            input="\n".join([*lines, ""]),
            check=False,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        state: Json = json.loads(done.stdout.splitlines()[-1])
        return state


class PostgresLoader(Loader):
    """meltanolabs-target-postgres, with an update of rows that are there."""

    package = "meltanolabs-target-postgres"

    def __init__(self, folder: Path, server: Postgres) -> None:
        super().__init__(folder)
        self.server = server
        self.schema = folder.name.lower().replace("-", "_")

    @property
    def config(self) -> Json:
        return {
            "sqlalchemy_url": self.server.url,
            "default_target_schema": self.schema,
            "load_method": "upsert",
        }

    def tables(self, *streams: str) -> list[list[Json]]:
        queries = (f"select row_to_json(t) from {self.schema}.{name} t" for name in streams)
        return [[json.loads(line) for line in self.server.lines(sql)] for sql in queries]

    def types(self, stream: str) -> dict[str, str]:
        lines = self.server.lines(
            "select json_build_array(column_name, udt_name) from information_schema.columns "
            f"where table_schema = '{self.schema}' and table_name = '{stream}'"
        )
        return dict(json.loads(line) for line in lines)


class DuckDBLoader(Loader):
    """target-duckdb, with an update of rows that are there."""

    package = "target-duckdb"
    keeps_empty_text = False

    @property
    def config(self) -> Json:
        return {"path": str(self.folder / "wootric.duckdb"), "default_target_schema": "loaded"}

    def read(self, *queries: str) -> list[list[Json]]:
        """What each query yields."""
        python = self.command.with_name("python")
        done = subprocess.run(
            [python, "-c", READ_DUCKDB, self.config["path"], *queries],
            check=True,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
        )
        return [json.loads(line) for line in done.stdout.splitlines()]

    def tables(self, *streams: str) -> list[list[Json]]:
        return self.read(*(f"select * from loaded.{name}" for name in streams))

    def types(self, stream: str) -> dict[str, str]:
        sql = "select column_name, data_type from information_schema.columns where table_name = "
        (rows,) = self.read(f"{sql}'{stream}'")
        return {row["column_name"]: row["data_type"] for row in rows}


class JsonLinesLoader(Loader):
    """target-jsonl, which appends: the newest line of an id counts."""

    package = "target-jsonl"

    @property
    def config(self) -> Json:
        return {"destination_path": str(self.folder), "do_timestamp_file": False}

    def lines(self, stream: str) -> list[Json]:
        """All that was appended so far."""
        with (self.folder / f"{stream}.jsonl").open(encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]

    def tables(self, *streams: str) -> list[list[Json]]:
        return [
            list({row[KEYS[name]]: row for row in self.lines(name)}.values()) for name in streams
        ]

    def types(self, stream: str) -> dict[str, str]:
        values = [item for row in self.lines(stream) for item in row.items() if item[1] is not None]
        return {name: type(value).__name__ for name, value in values}
