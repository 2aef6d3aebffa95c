"""Run the demo, and write its output into README.md and docs/sandbox.md."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from make_docs import ROOT, between

RECORDS = "Response in Wootric"
BLOCKS = {"README.md": "$ make demo\n", "docs/sandbox.md": "$ make demo ARGS=--records\n"}
"""Documents, and the line of each after which the output is written."""

OF_THE_RUN = re.compile(
    r"\.* \d+ s\b"
    r"|\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?: [+-]\d{4}|\+00:00|Z)"
    r"|\b\d{10}\b"
    r"|\b\d{8}T\d{6}Z-[0-9a-f]{6}\b"
)
"""Durations, times, UNIX seconds and batch ids, which differ from run to run."""


def steady(text: str) -> str:
    """Return the text without what differs from run to run."""
    return OF_THE_RUN.sub("…", text)


def written(name: str, document: str, output: str) -> str:
    """Return a document with the output; unchanged if only times and the like differ."""
    summary, _, records = output.partition(RECORDS)
    shown = summary if name == "README.md" else f"…\n{RECORDS}{records}"
    changed = between(document, BLOCKS[name], "```\n", shown)
    return document if steady(changed) == steady(document) else changed


def main() -> None:
    """Write the documents, unless the demo fails."""
    demo = [sys.executable, str(Path(__file__).with_name("demo.py")), "--records"]
    done = subprocess.run(demo, check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit("The demo failed; no document was changed.")
    for name in BLOCKS:
        path = ROOT / name
        path.write_text(written(name, path.read_text(), done.stdout))


if __name__ == "__main__":
    main()
