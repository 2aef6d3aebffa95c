"""Run the demo, and put what it prints into the README."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from settings_docs import ROOT, between

START, END = "$ make demo\n", "```\n\nEverything is set up"


def main() -> None:
    """Write the README; a demo that fails leaves it alone."""
    demo = Path(__file__).with_name("demo.py")
    shown = subprocess.run([sys.executable, demo], check=False, stdout=subprocess.PIPE, text=True)
    if shown.returncode:
        sys.exit("The README is left as it was: the demo failed.")
    readme = ROOT / "README.md"
    readme.write_text(between(readme.read_text(), START, END, shown.stdout))


if __name__ == "__main__":
    main()
