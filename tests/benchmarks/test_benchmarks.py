"""The benchmarks run, and leave nobody out; what they measure is no test's business."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"

ROWS = {
    "Reading 1,000 responses, loopback": ["bare loop", "plain SDK tap", "tap-wootric"],
    "Reading 1,000 responses, 50 ms away": [
        "bare loop",
        "plain SDK tap",
        "tap-wootric",
        "tap-wootric, one by one",
    ],
    "Reading 1,000 responses, at most 10 requests in 1 s": [
        "bare loop",
        "plain SDK tap",
        "tap-wootric",
    ],
    "Delivering 300 responses, 50 ms away, no limit": ["target-birdie"],
    "Delivering 250 responses, 50 ms away, at most 100 requests a second": ["target-birdie"],
    "What a record costs the target besides its request": [
        "read a line",
        "map and check",
        "encode",
        "digest",
        "look up",
        "map to look up, together",
    ],
}


def benchmarks(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(BENCHMARKS), "--markdown", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def tables(text: str) -> dict[str, list[dict[str, str]]]:
    """Title to rows; a row's name has no heading."""
    found = {}
    for title, table in zip(*[iter(text.strip().split("\n\n")[1:])] * 2, strict=True):
        header, _, *rows = table.splitlines()
        found[title] = [dict(zip(cells(header), cells(row), strict=True)) for row in rows]
    return found


@pytest.mark.long
def test_every_contestant_meets_all_conditions() -> None:
    """A quick run prints all rows, and nobody lacks a record."""
    done = benchmarks("--quick")
    assert done.returncode == 0, done.stderr
    found = tables(done.stdout)

    assert {title: [row[""] for row in rows] for title, rows in found.items()} == ROWS
    assert {row["missing"] for rows in found.values() for row in rows if "missing" in row} == {"0"}


def test_conditions_that_do_not_exist_are_refused_in_one_line() -> None:
    """A name that is none says which there are, and nothing is started."""
    done = benchmarks("--only", "moon")

    assert done.returncode == 2
    assert "loopback" in done.stderr.splitlines()[-1]
    assert done.stdout == ""
