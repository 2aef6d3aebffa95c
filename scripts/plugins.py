"""The settings and capabilities that both plugins declare, and facts that their code lacks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.metadata import metadata
from typing import Any

from singer_sdk.plugin_base import PluginBase
from target_birdie.target import TargetBirdie

from tap_wootric.tap import TapWootric

REQUIRED = re.compile(r"Required ((?:when|if|to|for) [^.;]+)[.;]\s*")
KINDS = {
    "string": "string",
    "integer": "integer",
    "boolean": "boolean",
    "object": "object",
    "array": "array",
    "number": "string",  # Meltano 4.4 fails at a decimal in a variable; the target reads texts
}


@dataclass(frozen=True)
class Setting:
    """A setting as the plugin declares it in its JSON Schema."""

    name: str
    declared: dict[str, Any]

    @property
    def description(self) -> str:
        """The description as one paragraph."""
        return " ".join(self.declared["description"].split())

    @property
    def condition(self) -> str:
        """When the setting is required; "" if the description does not say so."""
        found = REQUIRED.search(self.description)
        return found[1] if found else ""

    @property
    def default(self) -> Any:
        """The default as a scalar, or None."""
        value = self.declared.get("default")
        return None if isinstance(value, dict | list) else value

    @property
    def is_secret(self) -> bool:
        """Whether the value must not be shown."""
        return bool(self.declared.get("secret"))

    @property
    def kind(self) -> str:
        """Meltano's kind of the setting."""
        kind = next(KINDS[name] for name in self.declared["type"] if name in KINDS)
        return "date_iso8601" if self.declared.get("format") == "date-time" else kind

    def definition(self) -> dict[str, Any]:
        """Return the setting as a plugin definition of Meltano contains it."""
        choices = self.declared.get("enum", [])
        found: dict[str, Any] = {"name": self.name, "kind": "options" if choices else self.kind}
        if isinstance(self.default, str):
            # Meltano starts plugins in the folder in which the user started Meltano.
            project = "sqlite:///$MELTANO_PROJECT_ROOT/"
            found["value"] = self.default.replace("sqlite:///", project)
        elif self.default is not None:
            found["value"] = self.default
        found |= {"label": self.declared["title"], "description": self.description}
        if choices:
            found["options"] = [{"label": choice, "value": choice} for choice in choices]
        if self.is_secret:
            found["sensitive"] = True
        return found


@dataclass(frozen=True)
class Plugin:
    """A plugin and the facts about it that its code does not contain.

    Attributes:
        cls: Class of the plugin.
        distribution: Name of the package on PyPI.
        needed: Groups of settings; one group must be complete. The usual one is first.
        common: Settings that many users need, in the order of the documentation.
        facts: Further fields of its Meltano definition.
    """

    cls: type[PluginBase]
    distribution: str
    needed: list[list[str]]
    common: list[str]
    facts: dict[str, Any]

    @property
    def name(self) -> str:
        """Name of the plugin and its command."""
        return self.cls.name

    @property
    def own_settings(self) -> dict[str, Setting]:
        """The settings that the plugin itself declares, by name."""
        return {s.name: s for s in self.settings if s.name not in SDK_SETTINGS}

    @property
    def settings(self) -> list[Setting]:
        """The plugin's own settings, then those of the SDK."""
        schema = self.cls.config_jsonschema
        self.cls.append_builtin_config(schema)
        return [Setting(name, declared) for name, declared in schema["properties"].items()]

    def definition(self) -> dict[str, Any]:
        """Return the plugin definition for `meltano add --from-ref` and Meltano Hub."""
        start = "Programming Language :: Python :: 3."
        classifiers = metadata(self.distribution).get_all("Classifier") or []
        versions = [c.rpartition(" ")[2] for c in classifiers if c.startswith(start)]
        return {
            "name": self.name,
            "namespace": self.name.replace("-", "_"),
            "variant": "wootric-to-birdie",
            "pip_url": self.distribution,
            "executable": self.name,
            **self.facts,
            "maintenance_status": "active",
            "quality": "silver",
            "keywords": ["api", "meltano_sdk"],
            "supported_python_versions": versions,
            **self.declared(),
        }

    def declared(self) -> dict[str, Any]:
        """Return the part of the definition that the plugin's code declares."""
        return {
            "capabilities": [str(capability.value) for capability in self.cls.capabilities],
            "settings_group_validation": self.needed,
            "settings": [setting.definition() for setting in self.settings],
        }


SDK_SETTINGS = {
    "stream_maps", "stream_map_config", "faker_config", "flattening_enabled",
    "flattening_max_depth", "flattening_max_key_length", "flattening_separator",
}  # fmt: skip

TAP = Plugin(
    TapWootric,
    "wootric-tap",
    needed=[["client_id", "client_secret"], ["username", "password"], ["connection_details"]],
    common=["region", "account_token", "start_date", "personal_data", "hash_salt"],
    facts={
        "label": "Wootric",
        "description": "NPS surveys: responses, end users, declines",
        "domain_url": "https://www.wootric.com",
        "select": ["responses.*", "end_users.*"],
        "prereq": "The id and the secret of an API client (Wootric: Settings > API).",
        "next_steps": "Select the streams: `meltano select tap-wootric responses '*'` and "
        "`meltano select tap-wootric end_users '*'`.",
    },
)
TARGET = Plugin(
    TargetBirdie,
    "target-birdie",
    needed=[["api_key"], ["destination", "output_path"]],
    common=[
        "feedback_path", "survey_kinds", "id_prefix", "author_id_from", "account_id_from",
        "include_pii", "store_url", "dry_run",
    ],
    facts={
        "label": "Birdie",
        "description": "Customer feedback, enriched and classified",
        "domain_url": "https://www.birdie.ai",
        "prereq": "An ingestion key and the path of a feedback, both from Birdie.",
        "next_steps": "Keep the file of `store_url` between the runs, and let git ignore it.",
    },
)  # fmt: skip
PLUGINS = (TAP, TARGET)
