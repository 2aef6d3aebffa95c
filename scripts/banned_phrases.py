"""Find phrases that hide the meaning of a sentence, in code, comments, messages and documents.

Arguments are files or folders of the repository; without them, all files are checked.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SKIPPED = re.compile(r"(^|/)(LICENSE|uv\.lock|fixtures/.*)$")

PHRASES = {
    r"(?i:left|leaves?|leaving)[\s_]*(?i:alone)": "unset, skipped or ignored",
    r"\b[Ss]ave\s+(?:for|in|on|those|that|where|when)\b|,\s+save\s": "except",
    r"\b[Ll]est\b": "so that … not",
    r"\bis\s+none\b": "no …, or 0",
    r"(?<!cannot )\b[Tt]ell(?:s|ing)?\b|\b[Tt]old\b": "say, report, log or show",
    r"\b[Ss]tand(?:s|ing)?\b(?!-)|\b[Ss]tood\b": "is, or is written",
    r"\b[Mm]eet(?:s|ing)?\b|\b[Mm]et\b": "reach, find or match",
    r"\b[Mm]end(?:s|ed|ing)?\b": "correct or repair",
    r"\bat\s+hand\b": "available",
    r"(?i:\b(?:goe?s?|went|going|gone)\s+on\b)": "continue",
    r"\b[Aa]s\s+it\s+says\b": "the action itself",
    r"\banew\b": "again, or from the beginning",
    r"\bof\s+which\b": "a second sentence",
}
"""Regular expressions and what to write instead."""


def found(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield line number, phrase and replacement for each match."""
    for pattern, replacement in PHRASES.items():
        for match in re.finditer(pattern, text):
            yield text.count("\n", 0, match.start()) + 1, match[0], replacement


def main(areas: list[str]) -> int:
    """Print the matches; return 1 if there are any."""
    command = ["git", "ls-files", "-z", "--", *(areas or ["."])]
    names = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    count = 0
    for name in filter(None, names.split("\0")):
        path = ROOT / name
        if SKIPPED.search(name) or not path.is_file():
            continue
        for line, phrase, replacement in sorted(found(path.read_text(errors="replace"))):
            count += 1
            print(f"{name}:{line}: '{' '.join(phrase.split())}': write {replacement}")
    return int(count > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
