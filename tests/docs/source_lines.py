"""The lines that the commands can write, as patterns, read from their source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("tap_wootric", "target-birdie/target_birdie")
HOLE = "\0"
ERRORS = re.compile(r"(\w*Error|Unmappable)$")


def modules() -> Iterator[tuple[Path, ast.Module]]:
    """Every module of the tap and the target."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).glob("*.py")):
            yield path, ast.parse(path.read_text())


def text_of(node: ast.AST) -> str | None:
    """A string as it is written, with a hole wherever a value goes; None for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.sub(r"%(\.\d)?[sdf]", HOLE, node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) or HOLE for part in node.values)
    return None


def pattern(text: str) -> re.Pattern[str]:
    """What lines come of a string."""
    return re.compile(".*".join(re.escape(part) for part in text.split(HOLE)), re.DOTALL)


def texts() -> set[str]:
    """Every string of the source that says something."""
    found = (text_of(node) for _, module in modules() for node in ast.walk(module))
    return {text for text in found if text and len(text.replace(HOLE, "")) > 15}


def endings() -> Iterator[tuple[str, str]]:
    """Module and text of every error that is raised with one."""
    for path, module in modules():
        for function in ast.walk(module):
            if isinstance(function, ast.FunctionDef):
                yield from ((path.name, text) for text in _raised(function))


def _raised(function: ast.FunctionDef) -> Iterator[str]:
    named = {
        target.id: node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and ERRORS.match(getattr(node.func, "id", "")):
            for argument in node.args:
                value = named.get(argument.id) if isinstance(argument, ast.Name) else argument
                text = None if value is None else text_of(value)
                if text:
                    yield text
