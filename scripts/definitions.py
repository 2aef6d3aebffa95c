"""The plugin definitions in YAML, and the example of a .env file."""

from __future__ import annotations

import io
import json
import textwrap
from collections.abc import Iterator
from typing import Any

from meltano.core.yaml import yaml
from plugins import PLUGINS, Plugin, Setting

WIDTH = 100
HEAD = "# For `meltano add --from-ref`, and for Meltano Hub. `make docs` writes this file.\n"
ENV_HEAD = """\
# Copy to .env and fill in. Meltano reads it, and so do the commands of a clone with --config=ENV.
# `make docs` writes this file.

MELTANO_ENVIRONMENT=prod
"""


def as_yaml(value: dict[str, Any]) -> str:
    """Return YAML as Meltano writes it, so that `meltano config set` changes nothing else."""
    text = io.StringIO()
    yaml.dump(value, text)
    return text.getvalue()


def definition(plugin: Plugin) -> str:
    """Return the file with the definition of a plugin."""
    return HEAD + as_yaml(plugin.definition())


def in_project(plugin: Plugin) -> str:
    """Return the generated lines of a plugin in meltano.yml."""
    return textwrap.indent(as_yaml(plugin.declared()), "    ")


def env_example() -> str:
    """Return a .env file. Settings that are not required are commented out."""
    lines = [ENV_HEAD]
    for plugin in PLUGINS:
        lines.append(f"# {plugin.name}\n")
        for setting in plugin.own_settings.values():
            lines += [*_variable(plugin, setting), ""]
    return "\n".join(lines).rstrip() + "\n"


def _variable(plugin: Plugin, setting: Setting) -> Iterator[str]:
    yield from textwrap.wrap(
        setting.description, WIDTH, initial_indent="# ", subsequent_indent="# "
    )
    name = f"{plugin.name}_{setting.name}".replace("-", "_").upper()
    required = setting.name in plugin.needed[0]
    default = setting.default
    value = default if isinstance(default, str) else json.dumps(default)
    yield f"{name}=" if required else f"# {name}={'' if default is None else value}"
