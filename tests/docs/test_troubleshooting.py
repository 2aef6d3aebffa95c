"""Every line that the page on production explains is one that the commands write, and back."""

from __future__ import annotations

import pytest

from .documents import ROOT, tables
from .source_lines import endings, shown, texts

EXPLAINED = [row["line"].strip("`") for row in tables(ROOT / "docs/production.md") if "line" in row]
NAMES_A_SETTING = {"ConfigError", "SettingsError"}


@pytest.mark.parametrize("line", EXPLAINED)
def test_an_explained_line_stands_in_the_code(line: str):
    """Word by word, with `…` for what varies; a message that is changed takes its row along."""
    assert line in {shown(text) for text in texts()}


def test_every_line_that_ends_a_run_is_explained():
    """Save those on settings, which say themselves what to do."""
    ends = {shown(text) for kind, text in endings() if kind not in NAMES_A_SETTING}

    assert len(ends) > 25
    assert sorted(ends - set(EXPLAINED)) == []
