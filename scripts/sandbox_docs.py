"""Write the tables of options, faults and control routes into `docs/sandbox.md`."""

from __future__ import annotations

import ast
import inspect
import json
import re
from pathlib import Path

from connector_sandbox import options
from connector_sandbox.faults import FAULTS
from connector_sandbox.page.control import HELP

DOCUMENT = Path(__file__).parents[1] / "docs/sandbox.md"
JSON_WORDS = {"None": "null", "True": "true", "False": "false"}


def option_rows() -> list[list[str]]:
    """Return name, default as JSON, and description of each option."""
    (source,) = ast.parse(inspect.getsource(options.Options)).body
    assert isinstance(source, ast.ClassDef)
    rows = []
    for field, text in zip(source.body, source.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            assert isinstance(text, ast.Expr)
            default = json.dumps(getattr(options.Options(), field.target.id))
            meaning = re.sub(
                "|".join(JSON_WORDS), lambda word: JSON_WORDS[word[0]], ast.literal_eval(text.value)
            )
            rows.append([f"`{field.target.id}`", f"`{default}`", meaning])
    return rows


def fault_rows() -> list[list[str]]:
    """Return name and description of each fault."""
    return [[f"`{name}`", inspect.getdoc(fault) or ""] for name, fault in FAULTS.items()]


def control_rows() -> list[list[str]]:
    """Return each route of the control API with its description."""
    return [[f"`{route}`", meaning] for route, meaning in HELP.items()]


def written(document: str) -> str:
    """Return the document with its tables replaced."""
    tables = {"Options": option_rows(), "Faults": fault_rows(), "Control API": control_rows()}
    for heading, rows in tables.items():
        before, title, below = document.partition(f"## {heading}\n")
        old = re.search(r"(^\|.*\n)+", below, re.MULTILINE)
        assert old is not None
        lines = old[0].splitlines()[:2] + [f"| {' | '.join(row)} |" for row in rows]
        document = before + title + below[: old.start()] + "\n".join(lines) + "\n"
        document += below[old.end() :]
    return document


if __name__ == "__main__":
    DOCUMENT.write_text(written(DOCUMENT.read_text()))
