"""Settings are declared once, and every document that lists them says the same."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import settings_docs
import yaml

from .commands import ROOT

FIELDS = {
    "name", "namespace", "variant", "label", "description", "docs", "repo", "logo_url", "pip_url",
    "executable", "capabilities", "settings", "settings_group_validation", "select", "metadata",
    "schema", "maintenance_status", "quality", "domain_url", "keywords", "definition", "prereq",
    "next_steps", "settings_preamble", "usage", "supported_python_versions", "log_parser",
    "dialect", "target_schema",
}  # fmt: skip
"""What Meltano Hub's JSON Schemas of plugin definitions know; they take nothing else."""
OF_A_SETTING = {"name", "kind", "label", "description", "value", "options", "sensitive", "hidden"}
AT_SUBMISSION = {"variant", "repo", "logo_url", "pip_url"}
"""Known once the code is public."""
KINDS = {"string", "integer", "boolean", "date_iso8601", "object", "array", "decimal", "options"}
PLUGINS = [pytest.param(plugin, id=plugin.plugin.name) for plugin in settings_docs.PLUGINS]


def parsed(path: str) -> Any:
    """A YAML document of the project."""
    return yaml.safe_load((ROOT / path).read_text())


def test_documents_agree_with_the_declarations():
    """A setting that was changed in code only fails here; `make docs` writes the documents."""
    stale = [path for path, text in settings_docs.documents() if path.read_text() != text]

    assert stale == [], "run make docs"


def test_a_changed_description_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The check sees a difference of one word in any of the documents."""
    for name in ["README.md", "target-birdie/README.md", "meltano.yml", ".env.example"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "docs/hub", tmp_path / "docs/hub")
    example = tmp_path / ".env.example"
    example.write_text(example.read_text().replace("Wootric", "Wotric", 1))
    monkeypatch.setattr(settings_docs, "ROOT", tmp_path)

    monkeypatch.setattr("sys.argv", ["settings_docs.py", "--check"])
    assert settings_docs.main() == 1
    monkeypatch.setattr("sys.argv", ["settings_docs.py"])
    assert settings_docs.main() == 0
    monkeypatch.setattr("sys.argv", ["settings_docs.py", "--check"])
    assert settings_docs.main() == 0


@pytest.mark.parametrize("plugin", PLUGINS)
def test_every_setting_is_told_with_title_and_description(plugin: settings_docs.Plugin):
    """Labels and descriptions come from the declarations; none is empty."""
    for setting in plugin.settings:
        definition = setting.definition(hub=True)
        assert definition["label"].strip(), setting.name
        assert len(definition["description"]) > 15, setting.name


@pytest.mark.parametrize("plugin", PLUGINS)
def test_secrets_are_sensitive_for_meltano_and_hub(plugin: settings_docs.Plugin):
    """What the plugin declares secret is shown by neither; nothing else is hidden."""
    secret = {setting.name for setting in plugin.settings if setting.declared.get("secret")}

    assert secret
    for page in (plugin.meltano(), plugin.hub()):
        hidden = {setting["name"] for setting in page["settings"] if setting.get("sensitive")}
        assert secret == hidden


@pytest.mark.parametrize("plugin", PLUGINS)
def test_hub_definition_has_what_hub_asks_for(plugin: settings_docs.Plugin):
    """The written file parses back to the definition, and its kinds are Hub's."""
    found = parsed(f"docs/hub/{plugin.plugin.name}.yml")

    assert plugin.hub() == found
    assert set(found) <= FIELDS - AT_SUBMISSION
    assert {"name", "namespace", "label", "description", "keywords", "capabilities"} <= set(found)
    assert {"maintenance_status", "quality", "domain_url", "executable"} <= set(found)
    assert {field for setting in found["settings"] for field in setting} <= OF_A_SETTING
    assert {setting["kind"] for setting in found["settings"]} <= KINDS
    names = {setting["name"] for setting in found["settings"]}
    assert {name for group in found["settings_group_validation"] for name in group} <= names


def test_the_document_tells_how_to_fill_in_what_hub_asks_for_besides():
    """What cannot be known before the code is public is named where a submission is told."""
    guide = (ROOT / "CONTRIBUTING.md").read_text()

    assert {name for name in AT_SUBMISSION if f"`{name}`" in guide} == AT_SUBMISSION


def test_example_of_env_names_each_setting_once():
    """Filling in the example needs no other page."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    variables = [line.removeprefix("# ").partition("=")[0] for line in lines if "=" in line]

    for plugin in settings_docs.PLUGINS:
        prefix = plugin.plugin.name.replace("-", "_").upper()
        for setting in plugin.settings:
            expected = 0 if setting.of_sdk else 1
            assert variables.count(f"{prefix}_{setting.name.upper()}") == expected, setting.name
