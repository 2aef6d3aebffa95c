"""Runs of the tap against the sandbox, and comparisons of its output with the source."""

import io
import json
import logging
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import IO, Any

import responses
from click.testing import CliRunner
from connector_sandbox import Sandbox
from connector_sandbox.account.store import with_html_text
from jsonschema import Draft7Validator, FormatChecker

from tap_wootric.tap import TapWootric

Json = dict[str, Any]

ROOT = Path(__file__).parents[2]
TAP = str(Path(sys.executable).with_name("tap-wootric"))

INCREMENTAL = ("responses", "declines", "end_users")
ALL = (*INCREMENTAL, "segments", "nps_summary", "survey_templates", "email_stats")
REPLICATION_KEYS = {"responses": "created_at", "declines": "created_at", "end_users": "updated_at"}


@dataclass(frozen=True)
class Output:
    """What a run wrote, and how it ended."""

    code: int
    lines: list[str]
    log: str

    @cached_property
    def messages(self) -> list[Json]:
        return [json.loads(line) for line in self.lines]

    def records(self, stream: str = "responses") -> list[Json]:
        return [
            m["record"] for m in self.messages if m["type"] == "RECORD" and m["stream"] == stream
        ]

    def ids(self, stream: str = "responses") -> list[int]:
        return [record["id"] for record in self.records(stream)]

    def schema(self, stream: str = "responses") -> Json:
        schemas = (m for m in self.messages if m["type"] == "SCHEMA" and m["stream"] == stream)
        found: Json = next(schemas)["schema"]
        return found

    @property
    def states(self) -> list[Json]:
        return [m["value"] for m in self.messages if m["type"] == "STATE"]

    @property
    def state(self) -> Json:
        return self.states[-1]

    def bookmark(self, stream: str = "responses") -> str:
        return str(self.state["bookmarks"][stream]["replication_key_value"])

    @property
    def errors(self) -> list[str]:
        """The messages at ERROR."""
        return re.findall(r"\| ERROR +\| (?:\S+ +\| )?(.*)", self.log)

    @property
    def error(self) -> str:
        """The only message at ERROR."""
        (line,) = self.errors
        return line


@dataclass
class Account:
    """A sandbox and the tap's settings for it."""

    sandbox: Sandbox
    folder: Path

    @property
    def config(self) -> Json:
        return {
            "client_id": self.sandbox.client_id,
            "client_secret": self.sandbox.client_secret,
            "api_url": self.sandbox.wootric_url,
        }

    def options(
        self,
        streams: str | tuple[str, ...] = "responses",
        state: object = None,
        catalog: Json | None = None,
        **settings: Any,
    ) -> list[str]:
        """Write the files of a run; return its command line options."""
        names = (streams,) if isinstance(streams, str) else streams
        files: Json = {
            "config": {k: v for k, v in (self.config | settings).items() if v is not None},
            "catalog": catalog or selecting(*names),
            "state": state,
        }
        options = []
        for name, content in files.items():
            if content is not None:
                path = self.folder / f"{name}.json"
                path.write_text(content if isinstance(content, str) else json.dumps(content))
                options += [f"--{name}", str(path)]
        return options

    def sync(self, *arguments: Any, **keywords: Any) -> Output:
        """Run the command in this process."""
        return invoke(self.options(*arguments, **keywords))

    def start(self, *arguments: Any, blocked: bool = False, **keywords: Any) -> "Process":
        """Run the command in its own process."""
        return Process(self.options(*arguments, **keywords), self.folder, blocked=blocked)

    @contextmanager
    def answering(self, **bodies: Any) -> Iterator[None]:
        """Let lists, by the end of their URL, be answered so instead of by the sandbox."""
        with responses.RequestsMock() as api:
            api.post(f"{self.sandbox.wootric_url}/oauth/token", json={"access_token": "t"})
            for pattern, body in bodies.items():
                api.get(re.compile(f"{self.sandbox.wootric_url}/v[12]/{pattern}"), json=body)
            yield

    def lists(self, stream: str = "responses") -> list[Any]:
        """The requests so far whose path ends so."""
        return [r for r in list(self.sandbox.requests) if r.path.endswith(f"/{stream}")]

    def truth(self, stream: str = "responses") -> dict[int, Json]:
        """The source's records by id, with texts as the API returns them."""
        return {row["id"]: with_html_text(row) for row in self.sandbox.store.records(stream)}

    def people(self) -> set[str]:
        """The contact data and comments of the account."""
        rows = [row for stream in INCREMENTAL for row in self.truth(stream).values()]
        names = ("email", "phone_number", "ip_address", "text")
        found = {str(row[name]).strip() for row in rows for name in names if row.get(name)}
        return {text for text in found if len(text) > 5}

    def moment(self, days_ago: float) -> datetime:
        """A whole second in the past."""
        past: datetime = self.sandbox.store.now() - timedelta(days=days_ago)
        return past.replace(microsecond=0)

    def pass_time(self, **duration: float) -> None:
        """Advance the server's clock."""
        seconds = timedelta(**duration).total_seconds()
        self.sandbox.options.utc_offset_seconds_clock += seconds


def invoke(options: list[str]) -> Output:
    """Run the command with these options in this process."""
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    handler.setFormatter(logging.Formatter("| %(levelname)s | %(message)s"))
    with process_kept():
        command = TapWootric.cli
        logging.getLogger().addHandler(handler)
        result = CliRunner().invoke(command, options)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Output(result.exit_code, result.stdout.splitlines(), log.getvalue() + result.stderr)


@contextmanager
def process_kept() -> Iterator[None]:
    """Restore what the SDK changes about the process."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    handlers = [signal.getsignal(number) for number in numbers]
    hook, root = sys.excepthook, logging.getLogger()
    log_handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        sys.excepthook = hook
        root.handlers[:] = log_handlers
        root.setLevel(level)
        for number, handler in zip(numbers, handlers, strict=True):
            signal.signal(number, handler)


class Process:
    """The tap in its own process, which can receive signals."""

    def __init__(self, options: list[str], folder: Path, *, blocked: bool = False) -> None:
        """Start it; if `blocked`, it writes to a pipe that nobody reads until `finish`."""
        self._err = tempfile.TemporaryFile("w+", dir=folder)  # noqa: SIM115
        self._out = None if blocked else tempfile.TemporaryFile("w+", dir=folder)  # noqa: SIM115
        out = self._out or subprocess.PIPE
        self.process = subprocess.Popen([TAP, *options], stdout=out, stderr=self._err, text=True)

    @property
    def log(self) -> str:
        return _content(self._err)

    def finish(self, timeout: float = 60) -> Output:
        """Wait for its end, and return its whole lines."""
        try:
            text, _ = self.process.communicate(timeout=timeout)
        finally:
            self.process.kill()
        text = text if self._out is None else _content(self._out)
        lines = [line for line in text.splitlines(keepends=True) if line.endswith("\n")]
        return Output(self.process.returncode, lines, self.log)


def _content(file: IO[str]) -> str:
    """Return what a process has written so far. Reading must not move its position."""
    return os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0).decode()


def selecting(*names: str, **metadata: Any) -> Json:
    """The discovered catalog with these streams selected; `metadata` is theirs."""
    catalog: Json = json.loads(discovered())
    for entry in catalog["streams"]:
        root = next(m for m in entry["metadata"] if m["breadcrumb"] == [])["metadata"]
        root["selected"] = entry["stream"] in names
        if root["selected"]:
            root.update({key.replace("_", "-"): value for key, value in metadata.items()})
            entry.update({k: v for k, v in metadata.items() if k == "replication_method"})
    return catalog


@cache
def discovered() -> str:
    """The output of `--discover`."""
    return "\n".join(invoke(["--discover"]).lines)


def assert_complete(account: Account, records: list[Json], stream: str = "responses") -> None:
    """Assert that the last delivered version of each record equals the source's."""
    delivered = {record["id"]: record for record in records}
    truth = account.truth(stream)
    assert truth.keys() - delivered.keys() == set()
    for number, row in truth.items():
        record = delivered[number]
        for name in ("created_at", "updated_at"):
            moment = row[name].astimezone(UTC).replace(microsecond=0)
            assert record[name] == moment.isoformat(), (number, name)
        for name in ("text", "tags", "notes", "score", "email", "properties", "end_user_id"):
            if name in row and name in record:
                assert record[name] == row[name], (number, name)


def assert_fits(output: Output, stream: str) -> None:
    """Assert that the records are valid under their schema, and have only declared fields."""
    schema = _closed(output.schema(stream))
    validator = Draft7Validator(schema, format_checker=FormatChecker())
    errors = [error for record in output.records(stream) for error in validator.iter_errors(record)]
    assert [error.message for error in errors] == []


def _closed(schema: Json) -> Json:
    if not schema.get("properties"):
        return schema
    fields = {name: _closed(field) for name, field in schema["properties"].items()}
    return {**schema, "properties": fields, "additionalProperties": False}


def assert_each_once(ids: list[int]) -> None:
    """Assert that no record was sent twice."""
    assert len(ids) == len(set(ids))
