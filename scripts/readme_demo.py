"""Run the demo, and put what it prints into the README."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from settings_docs import ROOT, between

START, END = "$ make demo\n", "```\n\nEverything is set up"
OF_THE_RUN = re.compile(
    r"\(\d+ s\)"
    r"|\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?: [+-]\d{4}|\+00:00|Z)"
    r"|\b\d{10}\b"
    r"|\b\d{8}T\d{6}Z-[0-9a-f]{6}\b"
)
"""Durations, times, UNIX seconds and batch ids, which differ from run to run."""


def steady(text: str) -> str:
    """The text without what differs from run to run."""
    return OF_THE_RUN.sub("…", text)


def with_output(readme: str, shown: str) -> str:
    """The README with this output; as it is where only what differs from run to run is new."""
    changed = between(readme, START, END, shown)
    return readme if steady(changed) == steady(readme) else changed


def main() -> None:
    """Write the README; a demo that fails leaves it alone."""
    demo = Path(__file__).with_name("demo.py")
    shown = subprocess.run([sys.executable, demo], check=False, stdout=subprocess.PIPE, text=True)
    if shown.returncode:
        sys.exit("The README is left as it was: the demo failed.")
    readme = ROOT / "README.md"
    readme.write_text(with_output(readme.read_text(), shown.stdout))


if __name__ == "__main__":
    main()
