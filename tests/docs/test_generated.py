"""Documents and plugin definitions agree with the code from which they are generated."""

from __future__ import annotations

import sys

import pytest
import yaml

from .documents import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

import definitions
import make_docs
import pages
from plugins import PLUGINS, Plugin

HUB_FIELDS = {
    "name", "namespace", "variant", "label", "description", "docs", "repo", "logo_url", "pip_url",
    "executable", "capabilities", "settings", "settings_group_validation", "select", "metadata",
    "schema", "maintenance_status", "quality", "domain_url", "keywords", "definition", "prereq",
    "next_steps", "settings_preamble", "usage", "supported_python_versions", "log_parser",
    "dialect", "target_schema",
}  # fmt: skip
"""What Meltano Hub's JSON Schema of plugin definitions allows."""

each_plugin = pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.name)


def test_generated_files_are_up_to_date():
    stale = [path.name for path, text in make_docs.documents() if path.read_text() != text]

    assert stale == [], "run: .venv/bin/python scripts/make_docs.py"


def test_a_missing_marker_is_an_error():
    assert make_docs.between("a <x> old <y> b", "<x>", "<y>", " new ") == "a <x> new <y> b"
    with pytest.raises(ValueError, match="missing"):
        make_docs.between("a <x> old", "<x>", "<y>", "new")


@each_plugin
def test_definition_has_only_fields_of_meltano_hub_and_hides_secrets(plugin: Plugin):
    found = yaml.safe_load(definitions.definition(plugin))
    names = {setting["name"] for setting in found["settings"]}

    assert set(found) <= HUB_FIELDS
    assert names == {setting.name for setting in plugin.settings}
    assert {name for group in found["settings_group_validation"] for name in group} <= names
    assert all(setting["label"] and setting["description"] for setting in found["settings"])
    sensitive = {setting["name"] for setting in found["settings"] if setting.get("sensitive")}
    assert sensitive == {setting.name for setting in plugin.settings if setting.is_secret}


@each_plugin
def test_page_of_settings_lists_each_setting_once_with_its_condition(plugin: Plugin):
    page = pages.settings(plugin)

    assert set(plugin.common) <= set(plugin.own_settings)
    for setting in plugin.own_settings.values():
        assert page.count(f"\n| `{setting.name}` |") == 1
    required = page.split("### Common")[0]
    assert all(f"\n| `{name}` |" in required for name in plugin.needed[0])
    assert "Required when" not in page


def test_page_of_streams_marks_nested_personal_data():
    page = pages.streams()

    assert "| `end_user.email` | string | yes |" in page
    assert "| `last_response.text` | string | can contain it |" in page
    assert "| `tags` | array of strings |  |" in page


def test_page_of_errors_shows_templates_with_placeholders():
    page = pages.errors(PLUGINS[0])

    assert "| `Unknown setting '<name>'.` |" in page
    assert "{" not in page


@each_plugin
def test_each_error_has_a_message_template_and_an_explanation(plugin: Plugin):
    """An error class with subclasses is only a base class."""
    final = {cls for cls in pages.subclasses(pages.ERRORS[plugin.name]) if not cls.__subclasses__()}
    plain = [cls.__name__ for cls in final if not getattr(cls, "template", "")]

    assert len(final) > 10
    assert plain == []
    assert [cls.__name__ for cls in final if len(cls.__doc__ or "") < 30] == []
