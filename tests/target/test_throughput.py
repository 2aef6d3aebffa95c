"""Pace, concurrency and memory, as runs of their own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Timer
from typing import Any

import pytest
from connector_sandbox import Sandbox, most_at_once
from postgres import Postgres

from .messages import lines_of, record, schema, state, stream_of
from .pipe import TARGET, Pipe

pytestmark = pytest.mark.long


def deliver(count: int, config: dict[str, Any], folder: Path) -> tuple[Pipe, float]:
    """Deliver so many records; return the run and its seconds, start-up included."""
    messages = stream_of([record(n) for n in range(1, count + 1)], every=100)
    started = time.monotonic()
    pipe = Pipe(config, folder)
    pipe.feed(messages)
    assert pipe.finish(120) == 0, pipe.log
    return pipe, time.monotonic() - started


def refused(sandbox: Sandbox) -> int:
    """How often the sandbox's Birdie replied 503."""
    return sum(found.status == 503 for found in sandbox.requests if found.api == "birdie")


@pytest.mark.parametrize(
    ("limit", "count", "most"), [(100, 2000, 20), (40, 400, 200)], ids=["own limit", "shared limit"]
)
def test_the_pace_respects_a_limit(
    limit: int,
    count: int,
    most: int,
    make_sandbox: Callable[..., Sandbox],
    config: dict[str, Any],
    tmp_path: Path,
) -> None:
    """Few requests are refused, and states are written about once a second."""
    sandbox = make_sandbox(responses=0)
    sandbox.options.birdie_rate_limit, sandbox.options.birdie_latency = limit, 0.05
    settings = config | {"api_url": sandbox.birdie_url, "max_requests_per_second": 95}
    pipe, seconds = deliver(count, settings, tmp_path)

    assert (len(sandbox.birdie.records()), pipe.states[-1]) == (count, {"read": count})
    assert refused(sandbox) <= most
    assert len(pipe.states) <= seconds + 2


def test_concurrency_hides_latency(
    make_sandbox: Callable[..., Sandbox], config: dict[str, Any], tmp_path: Path
) -> None:
    """Without a limit, 16 connections are used."""
    sandbox = make_sandbox(responses=0)
    sandbox.options.birdie_latency = 0.05
    deliver(1000, config | {"api_url": sandbox.birdie_url}, tmp_path)

    assert len(sandbox.birdie.records()) == 1000
    assert 10 <= most_at_once(found for found in sandbox.requests if found.api == "birdie") <= 16


def test_a_storm_of_ten_seconds_costs_time_alone(
    make_sandbox: Callable[..., Sandbox], config: dict[str, Any], tmp_path: Path
) -> None:
    """Nothing but 503 for ten seconds: all arrive, with few requests during the storm."""
    sandbox = make_sandbox(responses=0)
    sandbox.faults.on("503", share=1.0, path="/birdie")
    storm = Timer(10, sandbox.faults.off)
    storm.start()
    settings = config | {"api_url": sandbox.birdie_url, "max_requests_per_second": 95}
    deliver(500, settings, tmp_path)
    storm.join()

    assert len(sandbox.birdie.records()) == 500
    assert refused(sandbox) < 200


MEASURE = """
import json, resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024, file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("destination", "store", "limit"),
    [("birdie", "sqlite", 80), ("jsonl", "sqlite", 90), ("birdie", "postgres", 100)],
)
def test_memory_stays_flat(
    destination: str,
    store: str,
    limit: int,
    make_sandbox: Callable[..., Sandbox],
    config: dict[str, Any],
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    """100,000 records, a tenth of them sent and the rest unchanged."""
    sandbox = make_sandbox(responses=0)
    changes = {"destination": destination, "output_path": str(tmp_path / "out")}
    changes |= {"api_url": sandbox.birdie_url}
    if store == "postgres":
        server: Postgres = request.getfixturevalue("postgres")
        changes["store_url"] = server.empty_database()
    (tmp_path / "config.json").write_text(json.dumps(config | changes))
    with (tmp_path / "input.jsonl").open("w") as lines:
        lines.write(lines_of([schema()]))
        for number in range(100_000):
            content = record(number % 10_000, text="the same words " * 10)
            lines.write(lines_of([{"type": "RECORD", "stream": "responses", "record": content}]))
            if number % 500 == 0:
                lines.write(lines_of([state({"read": number})]))
    command = [TARGET, "--config", str(tmp_path / "config.json")]
    with (tmp_path / "input.jsonl").open() as source:
        measured = subprocess.run(
            [sys.executable, "-c", MEASURE, *command],
            stdin=source,
            capture_output=True,
            text=True,
            check=True,
        )
    code, megabytes = map(int, measured.stderr.splitlines()[-1].split())
    assert (code, megabytes < limit) == (0, True), megabytes
