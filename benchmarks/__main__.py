"""Measure the tap and the target, and compare them with a bare loop and a plain SDK tap.

Start the sandbox, run all in turns, and print medians, with the lowest and the highest in brackets.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from statistics import median

import chart
import tables
from child import CommandError, run, script
from scenarios import Measured, Scenario, scenarios

TARGET_COST = "target-cost"
BUSY_SHARE = 0.25
"""Load average per core above which the figures are unreliable."""


def main() -> int:
    """Run the selected scenarios; return 1 if a command fails."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    options = _options()
    form = tables.markdown if options.markdown else tables.plain
    print(machine(), flush=True)
    try:
        with tempfile.TemporaryDirectory() as cache:
            _as_installed(Path(cache))
            paces: dict[str, dict[str, float]] = {}
            for title, header, rows in _results(options, paces):
                print(f"\n{title}\n\n{form(header, rows)}", flush=True)
        if options.chart:
            options.chart.write_text(chart.svg(paces))
    except CommandError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return 0


def machine() -> str:
    """Describe the machine and the versions."""
    cores = os.cpu_count() or 1
    facts = f"{cores} cores, {platform.system()} {platform.machine()}, Python "
    facts += f"{platform.python_version()}, singer-sdk {version('singer-sdk')}"
    load = os.getloadavg()[0]
    if load > BUSY_SHARE * cores:
        facts += f"; load average {load:.1f} before the start, so the figures are unreliable"
    return facts


def _options() -> argparse.Namespace:
    names = [scenario.name for scenario in scenarios(quick=True)] + [TARGET_COST]
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small amounts, one round")
    parser.add_argument("--only", choices=names, action="append", help="may be given repeatedly")
    parser.add_argument("--rounds", type=int, help="how often each runs (3, quick: 1)")
    parser.add_argument("--chart", type=Path, help="SVG file for a chart of the reading scenarios")
    parser.add_argument("--markdown", action="store_true", help="tables for a document")
    return parser.parse_args()


def _as_installed(cache: Path) -> None:
    """Let commands start and write as they do elsewhere, with compiled modules and buffers.

    Environments for development often switch off both, which costs each start half a second and
    the bare loop a system call a record.
    """
    for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"):
        os.environ.pop(name, None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(cache)
    run([sys.executable, "-c", "import tap_wootric.tap, target_birdie.target"], cache)


def _results(
    options: argparse.Namespace, paces: dict[str, dict[str, float]]
) -> Iterator[tuple[str, tables.Row, list[tables.Row]]]:
    """Yield a table for each scenario, and add the records per second of several contestants."""
    rounds = options.rounds or (1 if options.quick else 3)
    for scenario in scenarios(quick=options.quick):
        if scenario.name in (options.only or [scenario.name]):
            measured = _measured(scenario, rounds)
            if len(measured) > 1:
                paces[scenario.title] = {
                    name: median(run.pace for run in runs) for name, runs in measured.items()
                }
            yield scenario.title, *scenario.table(measured)
    if TARGET_COST in (options.only or [TARGET_COST]):
        yield _target_cost(500 if options.quick else 5_000)


def _measured(scenario: Scenario, rounds: int) -> Measured:
    with tempfile.TemporaryDirectory() as folder:
        return scenario.measure(rounds, Path(folder), _log)


def _target_cost(records: int) -> tuple[str, tables.Row, list[tables.Row]]:
    _log(TARGET_COST)
    with tempfile.TemporaryDirectory() as folder:
        run(script("target_cost.py", "--records", str(records)), Path(folder))
        found = json.loads((Path(folder) / "out").read_text())
    rows: list[tables.Row] = [(name, tables.spread(us, ".1f")) for name, us in found.items()]
    return "What a record costs the target besides its request", ("", "microseconds"), rows


def _log(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
