"""The tap and the target describe the same mistake in the same words."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from target_birdie.target import TargetBirdie

from tap_wootric.tap import TapWootric

TAP = {"client_id": "id", "client_secret": "secret"}
TARGET = {"api_key": "key"}


def complaint(
    plugin: type[TapWootric | TargetBirdie], config: str, path: Path, words: dict[str, str]
) -> str:
    """What a command reports, with neutral words for its own names.

    The tap logs its error, and the target prints it.
    """
    path.write_text(config)
    logged: list[str] = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = lambda record: logged.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("tap-wootric").addHandler(handler)
    printed = CliRunner().invoke(plugin.get_singer_command(), ["--config", str(path)], input="")
    logging.getLogger("tap-wootric").removeHandler(handler)
    error = "".join(logged) or printed.stderr.strip().removeprefix("Error: ")
    for own, neutral in words.items():
        error = error.replace(own, neutral)
    return error


@pytest.mark.parametrize(
    "change",
    [{"wish": 1}, {"user_agnet": "x"}, {"user_agent": 5}, {"max_concurrency": 0}],
)
def test_settings(change: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    tap = complaint(TapWootric, json.dumps(TAP | change), path, {"tap-wootric": "PLUGIN"})
    target = complaint(TargetBirdie, json.dumps(TARGET | change), path, {"target-birdie": "PLUGIN"})

    assert ("setting" in tap.lower(), tap) == (True, target)


@pytest.mark.parametrize("content", ["{", "[]", '{"a": 1,}'])
def test_config_files(content: str, tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    tap, target = (complaint(p, content, path, {}) for p in (TapWootric, TargetBirdie))

    assert (str(path) in tap, tap) == (True, target)


def test_a_missing_setting(tmp_path: Path) -> None:
    words = {"TAP_WOOTRIC_CLIENT_ID": "VARIABLE", "client_id": "NAME"}
    tap = complaint(TapWootric, json.dumps(TAP | {"client_id": None}), tmp_path / "a", words)
    words = {"TARGET_BIRDIE_API_KEY": "VARIABLE", "api_key": "NAME"}
    target = complaint(TargetBirdie, "{}", tmp_path / "b", words)

    assert tap.partition(". ")[2] == target.partition(". ")[2]
    assert target.startswith("Setting 'NAME' is missing. Provide it in a file")


@pytest.mark.parametrize(("name", "setting"), [("USER_AGNET", "USER_AGENT")])
def test_a_misspelled_variable(
    name: str, setting: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = []
    for plugin, config in ((TapWootric, TAP), (TargetBirdie, TARGET)):
        prefix = plugin.name.upper().replace("-", "_")
        monkeypatch.setenv(f"{prefix}_{name}", "x")
        said.append(complaint(plugin, json.dumps(config), tmp_path / "a", {prefix: "PREFIX"}))

    assert said[0] == said[1]
    assert f"PREFIX_{name} is not a setting. Did you mean PREFIX_{setting}?" in said[0]
