"""Settings: what is wrong ends the run in one line that names the setting and shows no value."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from singer_sdk.configuration import _dict_config
from target_birdie.config.schema import CONFIG_SCHEMA
from target_birdie.target import TargetBirdie

from .messages import sync
from .running import Target

WRONG = json.loads(Path(__file__).with_name("cases").joinpath("wrong_settings.json").read_text())


def command(*options: str) -> Result:
    """Run the command in this process without input."""
    return CliRunner().invoke(TargetBirdie.get_singer_command(), options, input="")


@pytest.mark.parametrize(("changes", "line"), WRONG)
def test_a_wrong_setting_is_one_line(changes: dict[str, Any], line: str, target: Target) -> None:
    run = target(sync(1), **changes)

    assert (run.result, target.puts, run.error.count("\n")) == ((1, None), 0, 1)
    assert (line in run.error, run.error.startswith("Error: ")) == (True, True)


@pytest.mark.parametrize("value", [["s3cret"], {"key": "s3cret"}, "s3cret\u2028"])
def test_a_wrong_secret_is_not_shown(value: Any, target: Target) -> None:
    run = target(sync(1), api_key=value)

    assert (run.exit_code, "s3cret" in run.error + run.log) == (1, False)


def test_null_means_unset(target: Target) -> None:
    """Meltano writes null for settings without a value."""
    unset = dict.fromkeys(("kind", "streams", "survey_kinds", "dry_run"))
    assert target(sync(1), **unset).exit_code == 0


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (None, "cannot be read: No such file or directory."),
        (b'{\n "a": ,\n}', "is not valid JSON (line 2, column 7: Expecting value)."),
        (b"[1]", "must contain a JSON object."),
        ('{"a": "caf\u00e9"}'.encode("latin-1"), "is not UTF-8 text."),
    ],
)
def test_a_wrong_config_file_is_one_line(content: bytes | None, line: str, tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    if content is not None:
        path.write_bytes(content)
    result = command("--config", str(path))

    assert (result.exit_code, result.stderr) == (1, f"Error: --config {path} {line}\n")


def test_settings_can_come_through_a_pipe() -> None:
    """As `--config <(...)`, so that no file has to contain the key."""
    receiver, sender = os.pipe()
    os.write(sender, b'{"wish": 1}')
    os.close(sender)

    assert "Unknown setting 'wish'" in command("--config", f"/dev/fd/{receiver}").stderr


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("MAX_CONCURRENCY", "many", "Setting 'max_concurrency' must be of type integer."),
        ("STREAMS", "{", "Setting 'streams' must be of type object."),
        ("DRY_RUN", "y", "Setting 'dry_run' must be of type boolean."),
    ],
)
def test_a_wrong_value_of_a_variable_is_one_line(
    name: str, value: str, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"TARGET_BIRDIE_{name}", value)

    assert command("--config=ENV").stderr == f"Error: {line}\n"


@pytest.mark.parametrize("option", ["ENV", "file"])
@pytest.mark.parametrize(
    ("name", "similar"),
    [("DRYRUN", "DRY_RUN"), ("API_KEYS", "API_KEY"), ("include_pii", "INCLUDE_PII")],
)
def test_a_misspelled_variable_ends_the_run(
    option: str, name: str, similar: str, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`TARGET_BIRDIE_DRYRUN=true` would send real data."""
    monkeypatch.setenv(f"TARGET_BIRDIE_{name}", "true")
    result = command("--config", option if option == "ENV" else str(target.write_config()))

    line = f"TARGET_BIRDIE_{name} is not a setting. Did you mean TARGET_BIRDIE_{similar}?"
    assert (result.exit_code, result.stderr) == (1, f"Error: Environment variable {line}\n")


def test_variables_that_meltano_or_others_set_are_not_checked(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = "_DRYRUN STREAM_MAPS_DRYRUN SURVEY_KINDS_NPS EU_API_KEY EU_DRY_RUN EU_STREAM_MAPS_A"
    for name in (*names.split(), "LOGLEVEL", "HOME"):
        monkeypatch.setenv(f"TARGET_BIRDIE_{name}", "info")

    assert target(sync(1)).exit_code == 0


def test_a_key_in_a_variable_that_is_not_read_is_explained(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TARGET_BIRDIE_API_KEY", "s3cret")
    error = target(sync(1), api_key=None).error

    assert "TARGET_BIRDIE_API_KEY is set, but is only read with --config=ENV." in error


def test_an_env_file_in_another_encoding_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / ".env"
    path.write_bytes("TARGET_BIRDIE_ID_PREFIX=caf\u00e9".encode("latin-1"))
    monkeypatch.setattr(_dict_config, "find_dotenv", lambda: str(path))
    result = command("--config=ENV")

    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "Error: .env cannot be read as UTF-8." in result.stderr


def test_every_setting_is_described_and_secrets_are_marked() -> None:
    settings = CONFIG_SCHEMA["properties"]
    own = [found for name, found in settings.items() if not name.startswith("stream_map")]

    assert all(found["title"] and found["description"].endswith(".") for found in own)
    assert all("default" in v or re.search("[Rr]equired|Defaults", v["description"]) for v in own)
    secrets = {name for name, found in settings.items() if found.get("secret")}
    assert secrets == {"api_key", "store_url"}


@pytest.mark.parametrize("option", ["--version", "--about", "--help"])
def test_information_needs_no_settings(option: str) -> None:
    result = command(option)

    assert (result.exit_code, bool(result.stdout)) == (0, True)


def test_about_lists_only_settings_and_capabilities_that_have_an_effect() -> None:
    about = json.loads(command("--about", "--format=json").stdout)
    own = set(CONFIG_SCHEMA["properties"]) | {"stream_maps", "stream_map_config"}

    assert (set(about["settings"]["properties"]), own) == (own, own)
    assert about["capabilities"] == ["about", "stream-maps", "structured-logging"]
