"""What the pages on both APIs state is held by tests that exist, and says how sure it is."""

from __future__ import annotations

import ast
import re

import pytest

from .documents import ROOT, tables

SOURCES = {
    "wootric-api.md": {"documented", "reported", "seen", "inferred", "ours"},
    "birdie-api.md": {"documented", "hinted", "ours"},
}
SURENESS = re.compile(r"\((doc|doc26|field|infer|hint|ours)\b")


def promises() -> dict[str, str]:
    """Every test of the sandbox with its docstring."""
    return {
        node.name: ast.get_docstring(node) or ""
        for path in (ROOT / "tests/sandbox").glob("test_*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def facts(page: str) -> list[dict[str, str]]:
    """The rows of a page's tables of facts."""
    return [row for row in tables(ROOT / "docs" / page) if "how sure" in row]


@pytest.mark.parametrize("page", SOURCES)
def test_every_fact_is_held_by_a_test_of_the_sandbox(page: str):
    """A test that is renamed or deleted takes the fact's mention along."""
    known = promises()
    cited = [re.findall(r"`(test_\w+)`", row["held by"]) for row in facts(page)]

    assert len(cited) > 10
    assert all(cited)
    assert [name for names in cited for name in names if name not in known] == []


@pytest.mark.parametrize("page", SOURCES)
def test_every_fact_says_how_sure_it_is(page: str):
    """In the words that the page explains at its top."""
    explained = {row["word"] for row in tables(ROOT / "docs" / page) if "word" in row}
    used = {word for row in facts(page) for word in row["how sure"].split(", ")}

    assert explained == SOURCES[page]
    assert used <= explained


def test_every_fact_that_the_sandbox_holds_is_told():
    """A test that names the source of its fact stands in one of the pages."""
    stated = "".join((ROOT / "docs" / page).read_text() for page in SOURCES)
    sourced = [name for name, promise in promises().items() if SURENESS.search(promise)]

    assert len(sourced) > 50
    assert [name for name in sourced if f"`{name}`" not in stated] == []
