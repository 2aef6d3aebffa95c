"""What the documents name exists, and their generated parts are up to date."""

import re
import sys
from importlib import import_module
from pathlib import Path

import pytest
from commands import ROOT, run

sys.path.insert(0, str(ROOT / "scripts"))

import make_docs
from pages import ERRORS, subclasses
from plugins import PLUGINS

DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("*/README.md"), *ROOT.glob("docs/*.md")]
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)|`([\w-]+/[\w./-]*)`")
SETTING = re.compile(r"\b(?:TAP_WOOTRIC|TARGET_BIRDIE)_[A-Z_]*[A-Z]\b")
COMMAND = re.compile(r"\b(tap-wootric|target-birdie) ((?!--from-ref)--?[^|`\n]*)")
OPTIONS = {
    plugin.name: {"--help"}.union(*(p.opts for p in plugin.cls.get_singer_command().params))
    for plugin in PLUGINS
}
VARIABLES = {
    f"{plugin.name}_{setting.name}".replace("-", "_").upper()
    for plugin in PLUGINS
    for setting in plugin.settings
}
each_document = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)


@each_document
def test_links_lead_to_files_and_headings(path: Path):
    for name, anchor, mentioned in LINK.findall(path.read_text()):
        if mentioned.partition("/")[0] in {"tests", "docs", "scripts", "tap_wootric"}:
            assert (ROOT / mentioned).exists(), mentioned
        target = path.parent / name if name else path
        assert target.exists(), name
        headings = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE) if anchor else []
        anchors = {re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-") for text in headings}
        assert {anchor} <= {"", *anchors}


@each_document
def test_options_and_variables_of_the_plugins_exist(path: Path):
    """A setting or option that is renamed must be renamed in the documents as well."""
    assert set(SETTING.findall(path.read_text())) <= VARIABLES
    for command, rest in COMMAND.findall(path.read_text()):
        assert set(re.findall(r"(?<![\w-])--[a-z-]+", rest)) <= OPTIONS[command], rest


def test_blocks_are_valid_shell():
    """Also those that need a cluster, a bucket or a live account."""
    texts = [text for path in DOCUMENTS for text in BLOCK.findall(path.read_text())]

    assert [text for text in texts if run("bash", "-n", input=text).returncode] == []


def test_generated_files_are_up_to_date():
    stale = [path.name for path, text in make_docs.documents() if path.read_text() != text]

    assert stale == [], "run make docs"


@pytest.mark.parametrize("base", ERRORS.values())
def test_each_error_has_a_message_template_and_an_explanation(base: type[Exception]):
    """`docs/troubleshooting.md` shows both. An error class with subclasses is only a base class."""
    final = {cls for cls in subclasses(base) if not cls.__subclasses__()}

    assert len(final) > 10
    assert [cls for cls in final if not getattr(cls, "template", "")] == []
    assert [cls for cls in final if len(cls.__doc__ or "") < 30] == []


@pytest.mark.parametrize("page", ["wootric-api", "birdie-api"])
def test_each_fact_about_an_api_names_a_test_of_the_sandbox(page: str):
    modules = [path.stem for path in ROOT.glob("tests/sandbox/test_*.py")]
    known = {name for module in modules for name in dir(import_module(f"sandbox.{module}"))}
    named = re.findall(r"`(test_\w+)`", (ROOT / f"docs/{page}.md").read_text())

    assert len(named) > 15
    assert set(named) <= known
