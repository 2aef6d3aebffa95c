"""Running the tap against the sandbox, and comparing what it delivers with what is there."""

from __future__ import annotations

import atexit
import io
import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import IO, Any, ClassVar

from click.testing import CliRunner
from connector_sandbox import Sandbox
from connector_sandbox.account.store import with_html_text

from tap_wootric.tap import TapWootric

Json = dict[str, Any]

ROOT = Path(__file__).parents[2]

TAP = str(Path(sys.executable).with_name("tap-wootric"))

INCREMENTAL = ("responses", "declines", "end_users")
WALK_KEYS = {"responses": "created_at", "declines": "created_at", "end_users": "updated_at"}


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

    @property
    def states(self) -> list[Json]:
        return [m["value"] for m in self.messages if m["type"] == "STATE"]

    @property
    def state(self) -> Json:
        return self.states[-1]

    @property
    def error(self) -> str:
        """The line for the person who has to act; the only one beside the log's INFO."""
        lines = [line for line in self.log.splitlines() if line.startswith("Error: ")]
        assert len(lines) == 1, self.log
        return lines[0]


@dataclass
class Account:
    """A sandbox and the tap's settings for it."""

    sandbox: Sandbox
    folder: Path
    settings: Json = field(default_factory=dict)

    @property
    def config(self) -> Json:
        return {
            "client_id": self.sandbox.client_id,
            "client_secret": self.sandbox.client_secret,
            "api_url": self.sandbox.wootric_url,
            **self.settings,
        }

    def options(
        self,
        streams: str | tuple[str, ...] = "responses",
        state: object = None,
        catalog: Json | None = None,
        **settings: Any,
    ) -> list[str]:
        """Write the files of a run; returns its command line options."""
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
        """Run the command in this process; what the SDK has changed about it is put back."""
        return invoke(self.options(*arguments, **keywords))

    def start(self, *arguments: Any, **keywords: Any) -> Process:
        """Run the command in a process of its own."""
        blocked = keywords.pop("blocked", False)
        return Process(self.options(*arguments, **keywords), self.folder, blocked=blocked)

    def lists(self, stream: str = "responses") -> list[Any]:
        """The requests for pages of a stream so far."""
        path = f"/v1/{stream}"
        return [request for request in list(self.sandbox.requests) if request.path.endswith(path)]

    @property
    def tokens(self) -> list[Any]:
        """The requests for a token so far."""
        path = "/oauth/token"
        return [request for request in list(self.sandbox.requests) if request.path.endswith(path)]

    def truth(self, stream: str = "responses") -> dict[int, Json]:
        """What the source holds now, by id, its texts as the API returns them."""
        return {row["id"]: with_html_text(row) for row in self.sandbox.store.records(stream)}


def invoke(options: list[str]) -> Output:
    """Run the command with these options in this process."""
    log = io.StringIO()
    with process_kept():
        command = TapWootric.cli
        logging.getLogger().addHandler(logging.StreamHandler(log))
        result = CliRunner().invoke(command, options)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Output(result.exit_code, result.stdout.splitlines(), log.getvalue() + result.stderr)


@contextmanager
def process_kept() -> Iterator[None]:
    """Put back what the SDK changes about the process."""
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
    """The tap as a process of its own, which can be stopped and killed."""

    def __init__(
        self, options: list[str], folder: Path, *, blocked: bool = False, **env: str
    ) -> None:
        """Start it; `blocked` gives it a pipe that nobody reads until `finish`."""
        self._err = tempfile.TemporaryFile("w+", dir=folder)  # noqa: SIM115
        self._out = None if blocked else tempfile.TemporaryFile("w+", dir=folder)  # noqa: SIM115
        self.process = subprocess.Popen(
            [TAP, *options],
            stdout=self._out or subprocess.PIPE,
            stderr=self._err,
            text=True,
            env={**os.environ, **env},
        )

    @property
    def lines(self) -> list[str]:
        """Whole lines written so far."""
        if self._out is None:
            return []
        return [line for line in _content(self._out).splitlines(keepends=True) if line[-1] == "\n"]

    @property
    def log(self) -> str:
        return _content(self._err)

    def finish(self, timeout: float = 60) -> Output:
        """Wait for its end; what it wrote last may be half a line."""
        if self._out is None:
            text, _ = self.process.communicate(timeout=timeout)
            lines = [line for line in text.splitlines(keepends=True) if line.endswith("\n")]
            return Output(self.process.returncode, lines, self.log)
        try:
            code = self.process.wait(timeout)
        finally:
            with suppress(ProcessLookupError):
                self.process.kill()
        return Output(code, self.lines, self.log)

    def close(self) -> None:
        """Read no more of what a blocked one writes."""
        if self.process.stdout is not None:
            self.process.stdout.close()


class Forked:
    """The tap as a process that starts at once; one after another."""

    _server: ClassVar[subprocess.Popen[str] | None] = None

    def __init__(self, options: list[str], folder: Path, **env: str) -> None:
        self._path = folder / "out.jsonl"
        server = Forked._server
        if server is None:
            command = [sys.executable, "-m", "tests.tap.forking"]
            pipe = subprocess.PIPE
            server = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT)
            Forked._server = server
            atexit.register(server.terminate)
        assert server.stdin is not None
        assert server.stdout is not None
        self._answers = server.stdout
        server.stdin.write(json.dumps([str(self._path), options, env]) + "\n")
        server.stdin.flush()
        self._id = int(self._answers.readline())

    def kill(self) -> None:
        """End it without a further word, as `kill -9` does."""
        os.kill(self._id, signal.SIGKILL)

    def finish(self) -> Output:
        """Wait for its end."""
        code = int(self._answers.readline())
        lines = self._path.read_text().splitlines(keepends=True)
        log = self._path.with_suffix(".jsonl.log").read_text()
        return Output(code, [line for line in lines if line[-1] == "\n"], log)


def _content(file: IO[str]) -> str:
    """What a process has written so far; its place in the file is also the one it writes at."""
    return os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0).decode()


def selecting(*names: str, **metadata: Any) -> Json:
    """The discovered catalog with these streams selected; `metadata` is theirs."""
    catalog = json.loads(json.dumps(_discovered()))
    for entry in catalog["streams"]:
        root = next(m for m in entry["metadata"] if m["breadcrumb"] == [])["metadata"]
        root["selected"] = entry["stream"] in names
        if root["selected"]:
            root.update({key.replace("_", "-"): value for key, value in metadata.items()})
            entry.update({k: v for k, v in metadata.items() if k == "replication_method"})
    return dict(catalog)


def _discovered() -> Json:
    if not _CATALOG:
        output = invoke(["--discover"])
        _CATALOG.update(json.loads("\n".join(output.lines)))
    return _CATALOG


_CATALOG: Json = {}


def rfc3339(moment: datetime) -> str:
    """A stored time as the tap delivers it where the API shows whole seconds."""
    return moment.astimezone(UTC).replace(microsecond=0).isoformat()


def assert_complete(account: Account, records: list[Json], stream: str = "responses") -> None:
    """The newest delivered version of every record that the source holds is the source's."""
    delivered = {record["id"]: record for record in records}
    truth = account.truth(stream)
    assert truth.keys() - delivered.keys() == set()
    for number, row in truth.items():
        record = delivered[number]
        for name in ("created_at", "updated_at"):
            assert record[name] == rfc3339(row[name]), (number, name)
        for name in ("text", "tags", "notes", "score", "email", "properties", "end_user_id"):
            if name in row and name in record:
                assert record[name] == row[name], (number, name)


def second_of(account: Account, days_ago: float = 30) -> datetime:
    """A second within the history."""
    return (account.sandbox.store.now() - timedelta(days=days_ago)).replace(microsecond=0)


def assert_each_once(ids: list[int]) -> None:
    """None of the records was sent twice."""
    assert len(ids) == len(set(ids))


def newest(account: Account, n: int, stream: str = "responses") -> list[int]:
    """The ids of the last n records."""
    rows = sorted(account.truth(stream).values(), key=lambda row: row[WALK_KEYS[stream]])
    return [row["id"] for row in rows[-n:]]
