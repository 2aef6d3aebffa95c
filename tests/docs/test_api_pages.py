"""The fact tables of both APIs name their certainty and an existing test."""

from __future__ import annotations

import ast
import re

import pytest

from .documents import ROOT, tables

CERTAINTIES = {
    "wootric-api.md": {"documented", "SDK", "live", "field", "inferred", "ours"},
    "birdie-api.md": {"documented", "hinted", "ours"},
}
SOURCED = re.compile(r"\((?:[^()]*, )?(doc|sdk|live|field|infer|hint|ours)\b")


def sandbox_tests() -> dict[str, str]:
    """Return the docstring of every test of the sandbox."""
    return {
        node.name: ast.get_docstring(node) or ""
        for path in (ROOT / "tests/sandbox").glob("test_*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


@pytest.mark.parametrize("page", CERTAINTIES)
def test_every_fact_names_its_certainty_and_a_test(page: str):
    """In the words of the first table; a renamed test must be renamed here too."""
    rows = list(tables(ROOT / "docs" / page))
    facts = [row for row in rows if "test" in row]
    named = {row["test"]: set(re.findall(r"`(test_\w+)`", row["test"])) for row in facts}
    certainties = {word for row in facts for word in row["certainty"].split(", ")}
    explained = {row["certainty"] for row in rows if "source" in row}

    assert len(facts) > 15
    assert all(named.values())
    assert set().union(*named.values()) <= sandbox_tests().keys()
    assert certainties <= explained == CERTAINTIES[page]


def test_every_sourced_test_is_in_a_fact_table():
    """A docstring with a certainty claims a fact."""
    text = "".join((ROOT / "docs" / page).read_text() for page in CERTAINTIES)
    sourced = [name for name, docstring in sandbox_tests().items() if SOURCED.search(docstring)]

    assert len(sourced) > 50
    assert [name for name in sourced if f"`{name}`" not in text] == []
