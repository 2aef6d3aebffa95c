"""The benchmarks run with all contestants. No test asserts a speed."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from commands import ROOT, run, succeeded

BENCHMARKS = (sys.executable, ROOT / "benchmarks")
READING = ["bare loop", "plain SDK tap", "tap-wootric"]
TARGET = ["read a line", "map and check", "encode", "fingerprint", "look up"]
ROWS = [*READING, *READING, "tap-wootric, one by one", *READING, "target-birdie", "target-birdie"]


@pytest.mark.long
def test_a_quick_run_misses_no_record_and_draws_what_it_prints(tmp_path: Path):
    image = tmp_path / "chart.svg"
    printed = succeeded(run(*BENCHMARKS, "--markdown", "--quick", "--chart", image))
    parts = [part.splitlines() for part in printed.split("\n\n") if part.startswith("|")]
    tables = [[[cell.strip() for cell in line.split("|")[1:-1]] for line in part] for part in parts]
    rows = [dict(zip(table[0], row, strict=True)) for table in tables for row in table[2:]]
    drawn = {element.text for element in ET.parse(image).iter()}

    assert [row[""] for row in rows] == [*ROWS, *TARGET, "map to look up, together"]
    assert {row.get("missing", "0") for row in rows} == {"0"}
    assert {row["records/s"] for row in rows[: ROWS.index("target-birdie")]} <= drawn


def test_an_unknown_scenario_is_an_error_that_lists_the_known_ones():
    done = run(*BENCHMARKS, "--only", "moon")

    assert (done.returncode, "loopback" in done.stderr.splitlines()[-1]) == (2, True)
