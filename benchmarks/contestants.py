"""Who is measured: commands that read all responses or deliver them, started and added up."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from child import run, script, tool
from runs import RateLimit, Run, read_into, result, stored_by
from server import Server

Contestant = Callable[[Server, Path], Run]
"""Runs once against a server, in an empty folder."""


def bare_loop(records: int, limit: RateLimit | None) -> Contestant:
    """`bare_loop.py`."""
    return _reader(script("bare_loop.py"), records, limit)


def plain_tap(records: int, limit: RateLimit | None) -> Contestant:
    """`plain_tap.py`."""
    return _reader(script("plain_tap.py"), records, limit)


def tap_wootric(records: int, limit: RateLimit | None, **settings: Any) -> Contestant:
    """The tap, with responses selected alone, as the others read nothing else."""

    def contestant(server: Server, folder: Path) -> Run:
        command = tool("tap-wootric", "--catalog", str(_catalog(server.folder)))
        return _reader(command, records, limit, **settings)(server, folder)

    return contestant


def target_birdie(records: int, limit: RateLimit | None, **settings: Any) -> Contestant:
    """The target, fed with what the tap reads from the same server."""

    def contestant(server: Server, folder: Path) -> Run:
        source = _messages(server)
        access = server.access
        config = {"api_key": access["api_key"], "api_url": access["birdie_url"], **settings}
        before = server.count()
        usage = run(tool("target-birdie", *_config(config, folder)), folder, source)
        asked = server.requests("birdie", before)
        return result(usage, stored_by(asked), asked, records, limit)

    return contestant


def _reader(
    command: list[str], records: int, limit: RateLimit | None, **settings: Any
) -> Contestant:
    def contestant(server: Server, folder: Path) -> Run:
        before = server.count()
        usage = run([*command, *_config(_access(server) | settings, folder)], folder)
        asked = server.requests("wootric", before)
        return result(usage, read_into(folder), asked, records, limit)

    return contestant


def _access(server: Server) -> dict[str, Any]:
    access = server.access
    return {
        "client_id": access["client_id"],
        "client_secret": access["client_secret"],
        "api_url": access["wootric_url"],
    }


def _config(config: dict[str, Any], folder: Path) -> list[str]:
    path = folder / "config.json"
    path.write_text(json.dumps(config))
    return ["--config", str(path)]


def _catalog(folder: Path) -> Path:
    """A catalog of the responses alone."""
    path = folder / "catalog.json"
    if not path.exists():
        run(tool("tap-wootric", "--discover"), folder)
        streams = json.loads((folder / "out").read_text())["streams"]
        wanted = [stream for stream in streams if stream["tap_stream_id"] == "responses"]
        path.write_text(json.dumps({"streams": wanted}))
    return path


def _messages(server: Server) -> Path:
    """A file of what the tap reads."""
    path = server.folder / "messages"
    if not path.exists():
        catalog = str(_catalog(server.folder))
        config = _config(_access(server), server.folder)
        run(tool("tap-wootric", "--catalog", catalog, *config), server.folder)
        (server.folder / "out").replace(path)
    return path
