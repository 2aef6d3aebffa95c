"""The documents of the project: their blocks, tables, links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "target-birdie/README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>[^\n]+) -->\n)?^```(?P<kind>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A fenced block; `mark` is the comment on the line before, "" without a comment."""

    path: Path
    kind: str
    mark: str
    text: str

    def __str__(self) -> str:
        name = self.path.relative_to(ROOT).as_posix().replace("/", ".")
        return f"{name}:{self.text.split(chr(10), maxsplit=1)[0][:40]}"


def blocks(*kinds: str) -> list[Block]:
    """The fenced blocks of these kinds in all documents."""
    return [
        Block(path, found["kind"], found["mark"] or "", found["text"])
        for path in DOCUMENTS
        for found in BLOCK.finditer(path.read_text())
        if found["kind"] in kinds
    ]


def tables(path: Path) -> Iterator[dict[str, str]]:
    """Each row of a document's tables, by the headings of its columns."""
    header: list[str] = []
    for line in path.read_text().splitlines():
        cells = [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if not cells:
            header = []
        elif not header:
            header = cells
        elif set("".join(cells)) - set("-: "):
            yield dict(zip(header, cells, strict=True))
