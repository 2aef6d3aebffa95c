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

from .messages import lines_of, record, schema, state, stream_of
from .pipe import TARGET, Pipe

pytestmark = pytest.mark.long


def tell(figures: str) -> None:
    """Show what was measured, with `pytest -s`."""
    print(f"\n{figures}")  # noqa: T201


def deliver(count: int, config: dict[str, Any], folder: Path) -> tuple[Pipe, float]:
    """Deliver so many records; return the run and its seconds, start-up included."""
    messages = stream_of([record(n) for n in range(1, count + 1)], every=100)
    started = time.monotonic()
    pipe = Pipe(config, folder)
    pipe.feed(messages)
    assert pipe.finish(120) == 0, pipe.log
    return pipe, time.monotonic() - started


def refused(sandbox: Sandbox) -> int:
    """How often the sandbox's Birdie answered 503."""
    return sum(found.status == 503 for found in sandbox.requests if found.api == "birdie")


def test_the_pace_meets_the_limit(
    make_sandbox: Callable[..., Sandbox], config: dict[str, Any], tmp_path: Path
) -> None:
    """5,000 at a limit of 100 a second, 50 ms away: hardly a 503, a state about every second."""
    sandbox = make_sandbox(responses=0)
    sandbox.options.birdie_rate_limit, sandbox.options.birdie_latency = 100, 0.05
    settings = config | {"api_url": sandbox.birdie_url, "max_requests_per_second": 95}
    pipe, seconds = deliver(5000, settings, tmp_path)
    tell(
        f"5,000 at 100/s: {seconds:.1f} s, {refused(sandbox)} times 503, {len(pipe.states)} states"
    )

    assert (len(sandbox.birdie.records()), pipe.states[-1]) == (5000, {"read": 5000})
    assert refused(sandbox) <= 5
    assert len(pipe.states) <= seconds + 2


def test_a_limit_below_the_pace_is_found(
    make_sandbox: Callable[..., Sandbox], config: dict[str, Any], tmp_path: Path
) -> None:
    """Others use the key too: 40 a second are left, and few requests bounce."""
    sandbox = make_sandbox(responses=0)
    sandbox.options.birdie_rate_limit = 40
    settings = config | {"api_url": sandbox.birdie_url, "max_requests_per_second": 95}
    _, seconds = deliver(400, settings, tmp_path)
    tell(f"400 at 40/s, paced 95: {seconds:.1f} s, {refused(sandbox)} times 503")

    assert len(sandbox.birdie.records()) == 400
    assert refused(sandbox) < 200


def test_concurrency_hides_latency(
    make_sandbox: Callable[..., Sandbox], config: dict[str, Any], tmp_path: Path
) -> None:
    """Without a limit, 50 ms away: 16 connections carry what one could not."""
    sandbox = make_sandbox(responses=0)
    sandbox.options.birdie_latency = 0.05
    _, seconds = deliver(2000, config | {"api_url": sandbox.birdie_url}, tmp_path)
    tell(f"2,000 at 50 ms: {seconds:.1f} s, {2000 / seconds:.0f} a second with start-up")

    assert len(sandbox.birdie.records()) == 2000
    assert 10 <= most_at_once(found for found in sandbox.requests if found.api == "birdie") <= 16


def test_a_storm_of_ten_seconds_costs_time_alone(
    make_sandbox: Callable[..., Sandbox], config: dict[str, Any], tmp_path: Path
) -> None:
    """Nothing but 503 for ten seconds: all arrive, with few requests into the storm."""
    sandbox = make_sandbox(responses=0)
    sandbox.faults.on("503", share=1.0, path="/birdie")
    storm = Timer(10, sandbox.faults.off)
    storm.start()
    settings = config | {"api_url": sandbox.birdie_url, "max_requests_per_second": 95}
    _, seconds = deliver(500, settings, tmp_path)
    storm.join()
    tell(f"storm: {seconds:.1f} s, {refused(sandbox)} times 503")

    assert len(sandbox.birdie.records()) == 500
    assert refused(sandbox) < 200


MEASURE = """
import json, resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024, file=sys.stderr)
"""


@pytest.mark.parametrize("destination", ["birdie", "jsonl"])
def test_memory_stays_flat(
    destination: str,
    make_sandbox: Callable[..., Sandbox],
    config: dict[str, Any],
    tmp_path: Path,
) -> None:
    """100,000 records, a tenth of them sent and the rest unchanged, in under 80 MB."""
    sandbox = make_sandbox(responses=0)
    changes = {"destination": destination, "output_path": str(tmp_path / "out")}
    changes |= {"api_url": sandbox.birdie_url, "digest_path": str(tmp_path / "digests.db")}
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
    tell(f"100,000 records to {destination}: {megabytes} MB")

    assert (code, megabytes < 80) == (0, True)
