"""What the documents say of each plugin beside what the plugin itself declares."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import metadata
from typing import Any

from target_birdie.config import schema as birdie

from tap_wootric import config as wootric

COMMON = {
    "maintenance_status": "active",
    "quality": "silver",
    "keywords": ["api", "meltano_sdk"],
}


@dataclass(frozen=True)
class Page:
    """The parts of a plugin's documents that its code does not know.

    Args:
        readme: Where its table of settings stands.
        own_settings: Names of the settings that are its own, not the SDK's.
        needed: Groups of settings of which one must be complete; the usual one first.
        hub: Fields of its definition for Meltano Hub.
    """

    readme: str
    own_settings: list[str]
    needed: list[list[str]]
    hub: dict[str, Any]


def _versions(package: str) -> list[str]:
    start = "Programming Language :: Python :: 3."
    found = metadata(package).get_all("Classifier") or []
    return [name.rpartition(" ")[2] for name in found if name.startswith(start)]


TAP_HUB = {
    "name": "tap-wootric",
    "namespace": "tap_wootric",
    "label": "Wootric",
    "description": "NPS surveys: responses, end users, declines",
    "domain_url": "https://www.wootric.com",
    "executable": "tap-wootric",
    **COMMON,
    "supported_python_versions": _versions("wootric-tap"),
    "select": ["responses.*", "end_users.*"],
    "prereq": "An API client of your Wootric account: its id and secret stand under Settings > "
    "API.\n",
    "next_steps": "Select `nps_summary` and `email_stats` only if needed: each day is a request.\n",
}

TARGET_HUB = {
    "name": "target-birdie",
    "namespace": "target_birdie",
    "label": "Birdie",
    "description": "Customer feedback, enriched and classified",
    "domain_url": "https://www.birdie.ai",
    "executable": "target-birdie",
    **COMMON,
    "supported_python_versions": _versions("target-birdie"),
    "prereq": "An ingestion key and the path of a feedback, both from Birdie.\n",
    "next_steps": "Set `store_url` to a database that persists from run to run.\n",
}

PAGES = {
    "tap-wootric": Page(
        readme="README.md",
        own_settings=[*wootric.DECLARED],
        needed=[["client_id", "client_secret"], ["username", "password"], ["connection_details"]],
        hub=TAP_HUB,
    ),
    "target-birdie": Page(
        readme="target-birdie/README.md",
        own_settings=[
            name for name in birdie.CONFIG_SCHEMA["properties"] if not name.startswith("stream_map")
        ],
        needed=[["api_key"], ["destination", "output_path"]],
        hub=TARGET_HUB,
    ),
}
