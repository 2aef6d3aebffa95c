"""The benchmarks run with all contestants. No test asserts a speed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"

SVG = "{http://www.w3.org/2000/svg}"
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
        "fingerprint",
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
    """Return the rows by title; the name of a row has no heading."""
    found = {}
    for title, table in zip(*[iter(text.strip().split("\n\n")[1:])] * 2, strict=True):
        header, _, *rows = table.splitlines()
        found[title] = [dict(zip(cells(header), cells(row), strict=True)) for row in rows]
    return found


@pytest.mark.long
def test_quick_run_prints_all_rows_without_missing_records_and_draws_a_chart(tmp_path: Path):
    image = tmp_path / "chart.svg"
    done = benchmarks("--quick", "--chart", str(image))
    assert done.returncode == 0, done.stderr
    found = tables(done.stdout)

    assert {title: [row[""] for row in rows] for title, rows in found.items()} == ROWS
    assert {row["missing"] for rows in found.values() for row in rows if "missing" in row} == {"0"}
    texts = [element.text for element in ET.parse(image).iter(f"{SVG}text")]
    compared = [row for rows in found.values() if len(rows) > 1 for row in rows]
    paces = [row["records/s"] for row in compared if "records/s" in row]
    assert paces
    assert set(paces) <= set(texts)


def test_an_unknown_scenario_is_an_error_that_lists_the_known_ones():
    done = benchmarks("--only", "moon")

    assert done.returncode == 2
    assert "loopback" in done.stderr.splitlines()[-1]
    assert done.stdout == ""
