"""Pace, concurrency and memory, as runs of their own."""

import re
import time
from pathlib import Path
from typing import Any

import pytest
from connector_sandbox import most_at_once

from .messages import lines_of, record, row, schema, state, sync
from .running import Target

pytestmark = pytest.mark.long


def deliver(target: Target, count: int, **changes: Any) -> None:
    """Deliver so many records with a latency of 50 ms."""
    target.sandbox.options.birdie_latency = 0.05
    pipe = target.start(**changes)
    pipe.feed(sync(*range(1, count + 1), every=100))
    assert pipe.finish(120) == 0, pipe.log
    assert (len(target.sent), pipe.states[-1]) == (count, {"read": count})


@pytest.mark.parametrize(
    ("limit", "count", "most"), [(100, 1000, 10), (40, 300, 150)], ids=["own limit", "shared limit"]
)
def test_the_pace_respects_a_limit(limit: int, count: int, most: int, target: Target) -> None:
    """Few requests are refused."""
    target.sandbox.options.birdie_rate_limit = limit
    deliver(target, count, max_requests_per_second=95)

    assert sum(found.status == 503 for found in target.sandbox.requests) <= most


def test_concurrency_hides_latency(target: Target) -> None:
    """Without a limit, 16 connections are used."""
    deliver(target, 500)

    assert 10 <= most_at_once(target.sandbox.requests) <= 16


@pytest.mark.parametrize(
    ("store_url", "destination", "limit"),
    [("sqlite", "birdie", 80), ("sqlite", "jsonl", 90), ("postgres", "birdie", 100)],
    indirect=["store_url"],
)
def test_memory_stays_flat(store_url: str, destination: str, limit: int, target: Target) -> None:
    """30,000 records, a tenth of them sent and the rest unchanged."""
    lines = target.folder / "input.jsonl"
    with lines.open("w") as file:
        file.write(lines_of([schema()]))
        for number in range(30_000):
            content = record(number % 3_000, text="the same words " * 10)
            file.write(lines_of([row(content), *([] if number % 500 else [state({"read": 1})])]))
    options = {"destination": destination, "output_path": str(target.folder / "out")}
    with lines.open() as source:
        pipe = target.start(pipes={"stdin": source}, store_url=store_url, **options)
    status, peak = Path(f"/proc/{pipe.process.pid}/status"), 0
    while pipe.process.poll() is None:
        peak = max(peak, *map(int, re.findall(r"VmHWM:\s+(\d+) kB", status.read_text())), 0)
        time.sleep(0.1)
    assert (pipe.process.returncode, peak >> 10 < limit) == (0, True), peak
