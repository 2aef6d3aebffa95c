"""The lines that the commands can write, read from their source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("tap_wootric", "target-birdie/target_birdie")
HOLE = "\0"
RUN_ENDS = {
    "TapError", "SettingsError", "StateError", "CredentialsError", "ServerError",
    "TargetError", "ConfigError", "InputError", "StreamWithoutSchemaError", "MissingKeyError",
    "RejectedRecordsError",
}  # fmt: skip


@cache
def modules() -> list[ast.Module]:
    """Every module of the tap and the target."""
    paths = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    return [ast.parse(path.read_text()) for path in sorted(paths)]


def text_of(node: ast.AST) -> str | None:
    """A string as it is written, with a hole wherever a value goes; None for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.sub(r"%(\.\d)?[sdf]|\{\w+\}", HOLE, node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) or HOLE for part in node.values)
    return None


def shown(text: str) -> str:
    """A string as a document shows it: `…` for one value, or for several in a row."""
    return re.sub(f"{HOLE}+", "…", text)


@cache
def texts() -> set[str]:
    """Every string of the source."""
    found = (text_of(node) for module in modules() for node in ast.walk(module))
    return {text for text in found if text}


def endings() -> Iterator[tuple[str, str]]:
    """Class and text of every error that ends a run."""
    for module in modules():
        for function in ast.walk(module):
            if isinstance(function, ast.FunctionDef):
                yield from _raised(function)


def _raised(function: ast.FunctionDef) -> Iterator[tuple[str, str]]:
    assigned = {
        target.id: node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for call in ast.walk(function):
        name = getattr(call.func, "id", "") if isinstance(call, ast.Call) else ""
        if isinstance(call, ast.Call) and name in RUN_ENDS and call.args:
            (argument,) = call.args
            value = assigned.get(argument.id) if isinstance(argument, ast.Name) else argument
            text = None if value is None else text_of(value)
            if text:
                yield name, text
