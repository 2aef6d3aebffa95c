"""Write the settings, which the tap and the target declare, into every document that lists them.

`make docs` runs it; with `--check` it changes nothing and fails when a document is out of date.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plugin_pages import PAGES, Page
from singer_sdk.plugin_base import PluginBase
from target_birdie.target import TargetBirdie

from tap_wootric.tap import TapWootric

ROOT = Path(__file__).parents[1]
WIDTH = 100
QUOTED = re.compile(
    r"""[-?:,\[\]{}#&*!|>'"%@`].*|.*(: | \#).*|.*:|[\d.]+|true|false|yes|no|on|off|null|"""
)
"""Texts that are something else in YAML unless they are quoted."""
KINDS = {"string": "string", "integer": "integer", "boolean": "boolean"} | {
    "object": "object",
    "array": "array",
    "number": "decimal",
}

HUB_HEAD = (
    "# Definition for Meltano Hub, written by `make docs`. What it still lacks there is `variant`,",
    "# `repo`, `pip_url` and `logo_url`: CONTRIBUTING.md tells how to list it.",
)


@dataclass(frozen=True)
class Setting:
    """One setting as the plugin declares it; `of_sdk` where the SDK adds it."""

    name: str
    declared: dict[str, Any]
    of_sdk: bool

    @property
    def description(self) -> str:
        """What it does, in one paragraph."""
        return " ".join(self.declared["description"].split())

    @property
    def default(self) -> object:
        """What the plugin takes when it is left alone; None where that is nothing to write down."""
        value = self.declared.get("default")
        return None if isinstance(value, dict | list) else value

    @property
    def kind(self) -> str:
        """Meltano's kind; choices stay text, because the plugin refuses a wrong one in one line."""
        types = self.declared["type"]
        kind = next(KINDS[name] for name in types if name in KINDS)
        return "date_iso8601" if self.declared.get("format") == "date-time" else kind

    def definition(self, *, hub: bool) -> dict[str, Any]:
        """The setting as Meltano (and with its choices spelled out, Meltano Hub) takes it."""
        choices = self.declared.get("enum", []) if hub else []
        found: dict[str, Any] = {"name": self.name, "kind": "options" if choices else self.kind}
        if self.default is not None:
            found["value"] = self.default
        found |= {"label": self.declared["title"], "description": self.description}
        if choices:
            found["options"] = [{"label": value, "value": value} for value in choices]
        if self.declared.get("secret"):
            found["sensitive"] = True
        return found


@dataclass(frozen=True)
class Plugin:
    """What the documents say of a plugin."""

    plugin: type[PluginBase]
    page: Page

    @property
    def settings(self) -> list[Setting]:
        """Its own settings, then those of the SDK."""
        own = set(self.page.own_settings)
        self.plugin.append_builtin_config(self.plugin.config_jsonschema)
        declared = self.plugin.config_jsonschema["properties"]
        return [Setting(name, declared[name], name not in own) for name in declared]

    @property
    def capabilities(self) -> list[str]:
        """What it can do, in Meltano's words."""
        return [str(capability.value) for capability in self.plugin.capabilities]

    def meltano(self) -> dict[str, Any]:
        """Its generated part of meltano.yml."""
        return {
            "capabilities": self.capabilities,
            "settings_group_validation": self.page.needed,
            "settings": [setting.definition(hub=False) for setting in self.settings],
        }

    def hub(self) -> dict[str, Any]:
        """Its definition for Meltano Hub."""
        return {
            **self.page.hub,
            "capabilities": self.capabilities,
            "settings_group_validation": self.page.needed,
            "settings": [setting.definition(hub=True) for setting in self.settings],
        }


PLUGINS = tuple(Plugin(plugin, PAGES[plugin.name]) for plugin in (TapWootric, TargetBirdie))


def yaml(value: object, indent: int = 0) -> Iterator[str]:
    """The lines of a dict or list as YAML."""
    pad = " " * indent
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _entry(f"{pad}{key}:", item, indent)
    elif isinstance(value, list):
        for item in value:
            if isinstance(item, dict):
                first, *rest = yaml(item, indent + 2)
                yield f"{pad}- {first.lstrip()}"
                yield from rest
            elif isinstance(item, list):
                yield f"{pad}- [{', '.join(map(_scalar, item))}]"
            else:
                yield f"{pad}- {_scalar(item)}"


def _entry(head: str, item: object, indent: int) -> Iterator[str]:
    if isinstance(item, dict | list):
        yield head
        yield from yaml(item, indent if isinstance(item, list) else indent + 2)
    elif isinstance(item, str) and ("\n" in item or len(f"{head} {_scalar(item)}") > WIDTH):
        yield f"{head} {'|' if item.endswith(chr(10)) else '>-'}"
        lines = item.splitlines() if "\n" in item else _wrapped(item, WIDTH - indent - 2)
        yield from (f"{' ' * (indent + 2)}{line}".rstrip() for line in lines)
    else:
        yield f"{head} {_scalar(item)}"


def _scalar(value: object) -> str:
    if not isinstance(value, str):
        return json.dumps(value)
    if QUOTED.fullmatch(value.lower()):
        return "'" + value.replace("'", "''") + "'"
    return value


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)


def table(plugin: Plugin) -> str:
    """A plugin's own settings as a Markdown table."""
    rows = ["| Setting | Default | What it does |", "| --- | --- | --- |"]
    for setting in plugin.settings:
        if not setting.of_sdk:
            shown = "" if setting.default is None else f"`{_cell(setting.default)}`"
            text = setting.description.replace("|", "\\|")
            secret = " Secret." if setting.declared.get("secret") else ""
            rows.append(f"| `{setting.name}` | {shown} | {text}{secret} |")
    return "\n".join(rows) + "\n"


def _cell(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def env_example() -> str:
    """A `.env` to fill in; what is not needed is commented out."""
    lines = [
        "# Copy to .env and fill in: Meltano reads it, and so do the commands with --config=ENV.",
        "# Written by `make docs`.",
        "",
        "MELTANO_ENVIRONMENT=prod",
    ]
    for plugin in PLUGINS:
        lines += ["", f"# {plugin.plugin.name}"]
        for setting in plugin.settings:
            if not setting.of_sdk:
                lines += ["", *_variable(plugin, setting)]
    return "\n".join(lines) + "\n"


def _variable(plugin: Plugin, setting: Setting) -> Iterator[str]:
    yield from (f"# {line}" for line in _wrapped(setting.description, WIDTH - 2))
    name = f"{plugin.plugin.name}_{setting.name}".replace("-", "_").upper()
    if setting.name in plugin.page.needed[0]:
        yield f"{name}="
    else:
        yield f"# {name}={'' if setting.default is None else _cell(setting.default)}"


def between(text: str, start: str, end: str, content: str) -> str:
    """The text with what stands between two markers replaced.

    Raises:
        ValueError: a marker is missing.
    """
    before, found, rest = text.partition(start)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        message = f"there is no {start!r} followed by {end!r}"
        raise ValueError(message)
    return f"{before}{start}{content}{end}{after}"


def documents() -> Iterator[tuple[Path, str]]:
    """Each document and what it should hold."""
    meltano = (ROOT / "meltano.yml").read_text()
    for plugin in PLUGINS:
        name = plugin.plugin.name
        readme = ROOT / plugin.page.readme
        start, end = "<!-- settings -->\n", "<!-- /settings -->"
        yield readme, between(readme.read_text(), start, end, table(plugin))
        block = "\n".join(yaml(plugin.meltano(), 4)) + "\n"
        start, end = (
            f"    executable: {name}\n",
            "    # from capabilities on written by `make docs`\n",
        )
        meltano = between(meltano, start, end, block)
        yield ROOT / f"docs/hub/{name}.yml", "\n".join([*HUB_HEAD, *yaml(plugin.hub())]) + "\n"
    yield ROOT / "meltano.yml", meltano
    yield ROOT / ".env.example", env_example()


def main() -> int:
    """Write the documents, or with `--check` name those that are out of date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, fail on a difference")
    check = parser.parse_args().check
    stale = [
        (path, text) for path, text in documents() if not path.exists() or path.read_text() != text
    ]
    for path, text in stale:
        print(f"{path.relative_to(ROOT)}: {'out of date, run `make docs`' if check else 'written'}")
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
