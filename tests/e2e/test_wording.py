"""The tap and the target describe the same mistake in the same words."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from commands import environment, run

PLUGINS = {
    "tap-wootric": {"client_id": "id", "client_secret": "secret"},
    "target-birdie": {"api_key": "key"},
}
NAMES = re.compile("tap-wootric|target-birdie|TAP_WOOTRIC|TARGET_BIRDIE")


def complaint(plugin: str, folder: Path, change: Any, **variables: str) -> str:
    """The error of a command with a changed or replaced configuration, without its name."""
    replaced = isinstance(change, str)
    text = change if replaced else json.dumps(PLUGINS[plugin] | change)
    (folder / "config.json").write_text(text)
    prefix = plugin.upper().replace("-", "_")
    env = environment({f"{prefix}_{name}": value for name, value in variables.items()})
    done = run(plugin, "--config", "config.json", cwd=folder, env=env, input="")
    assert done.returncode == 1
    line = done.stderr.splitlines()[-1].rpartition("| ")[2].removeprefix("Error: ")
    return NAMES.sub("PLUGIN", line)


@pytest.mark.parametrize(
    ("change", "variables", "message"),
    [
        ({"user_agnet": "x"}, {}, "Did you mean 'user_agent'?"),
        ({"user_agent": 5}, {}, "Setting 'user_agent' must be "),
        ({"max_concurrency": 0}, {}, "Setting 'max_concurrency' must be "),
        ({}, {"USER_AGNET": "x"}, "Did you mean PLUGIN_USER_AGENT?"),
        ("{", {}, "line 1"),
    ],
)
def test_both_report_a_mistake_in_the_same_words(
    tmp_path: Path, change: Any, variables: dict[str, str], message: str
):
    tap, target = (complaint(name, tmp_path, change, **variables) for name in PLUGINS)

    assert (message in tap, tap) == (True, target)


def test_both_explain_how_to_provide_a_missing_setting(tmp_path: Path):
    tap, target = (complaint(name, tmp_path, "{}") for name in PLUGINS)
    tap = tap.replace("CLIENT_ID", "API_KEY")

    assert target.startswith("Setting 'api_key' is missing. Provide it in a file")
    assert tap.partition(". ")[2] == target.partition(". ")[2]
