"""Settings: what is wrong ends the run in one line that names the setting and shows no value."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from connector_sandbox import Sandbox
from singer_sdk.configuration import _dict_config
from target_birdie.config.schema import CONFIG_SCHEMA, DEFAULT_STREAMS
from target_birdie.target import TargetBirdie

from .messages import Run, record, stream_of

ONE = stream_of([record(1)])
ENTRY = DEFAULT_STREAMS["responses"]
PROVIDE = "Provide it in a file with --config FILE, or as TARGET_BIRDIE_API_KEY with --config=ENV."


def streams(**changes: Any) -> dict[str, Any]:
    """A table of streams with something changed."""
    return {"responses": ENTRY | changes}


def fields(**changes: Any) -> dict[str, Any]:
    """A table of streams with other fields."""
    return streams(fields=ENTRY["fields"] | changes)


def command(*options: str) -> Result:
    """Run the command in this process without input."""
    return CliRunner().invoke(TargetBirdie.get_singer_command(), options, input="")


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"api_key": None}, f"Setting 'api_key' is missing. {PROVIDE}"),
        ({"api_key": "  "}, "Setting 'api_key' is missing."),
        ({"api_key": "line\nbreak"}, "Setting 'api_key' must be printable ASCII text."),
        ({"api_key": 5}, "Setting 'api_key' must be of type string."),
        ({"api_key": "your-api-key"}, "Setting 'api_key' is a placeholder; replace it."),
        ({"api_kye": "x"}, "Unknown setting 'api_kye'. Did you mean 'api_key'?"),
        ({"wish": 1}, "Unknown setting 'wish'. See target-birdie --about for all settings."),
        ({"api_url": "birdie"}, "Setting 'api_url' must be a URL"),
        ({"api_url": "ftp://example.com"}, "Setting 'api_url' must be a URL"),
        ({"api_url": "https://example.com:port"}, "Setting 'api_url' must be a URL"),
        ({"api_url": "http://example.com"}, "http is only allowed for loopback addresses."),
        ({"api_url": "https://me:pw@example.com"}, "without credentials, query and fragment"),
        ({"feedback_path": "/feedbacks"}, "must start with / and contain {feedback_id} once"),
        ({"feedback_path": "/{id}"}, "must start with / and contain {feedback_id} once"),
        ({"feedback_path": "/{feedback_id"}, "must start with / and contain {feedback_id} once"),
        ({"feedback_path": "/{feedback_id!r}"}, "must start with / and contain {feedback_id} once"),
        ({"user_path": "/{user_id:>9}"}, "must start with / and contain {user_id} once"),
        ({"kind": "review"}, "Setting 'kind' must be one of nps, csat, ces."),
        ({"survey_kinds": {"nsp": [1]}}, "setting 'survey_kinds.nsp'. Did you mean 'nps'?"),
        (
            {"survey_kinds": {"nps": [1.5]}},
            "must be of type integer or string.",
        ),
        ({"survey_kinds": {"nps": [1], "ces": ["1"]}}, "must list survey 1 for one kind only"),
        ({"max_concurrency": 0}, "Setting 'max_concurrency' must be at least 1."),
        ({"max_concurrency": 65}, "Setting 'max_concurrency' must be at most 64."),
        ({"max_rejects": "few"}, "Setting 'max_rejects' must be a number or a share"),
        ({"on_reject": "ignore"}, "Setting 'on_reject' must be one of keep, continue, stop."),
        ({"include_pii": "yes"}, "Setting 'include_pii' must be of type boolean."),
        ({"date_properties": "renewal"}, "Setting 'date_properties' must be of type array."),
        ({"destination": "parquet"}, "Setting 'output_path' is missing."),
        ({"schema_path": "/nowhere.json"}, "must lead to a JSON Schema; /nowhere.json does not"),
        ({"streams": {"r": {"record_type": "user"}}}, "Setting 'streams.r' must contain fields."),
        ({"streams": streams(record_type="account")}, "must be one of feedback, user."),
        ({"streams": streams(color="red")}, "Unknown setting 'streams.responses.color'."),
        ({"streams": streams(fields={"feedback_id": "id"})}, "must contain rating, posted_at."),
        (
            {"streams": fields(mood="m")},
            "streams.responses.fields' can only contain feedback_id, title,",
        ),
        (
            {"stream_maps": {"responses": {"score": 5}}},
            "responses.score' must be of type string",
        ),
        ({"stream_maps": {"responses": "no"}}, "'stream_maps.responses' must be"),
    ],
)
def test_a_wrong_setting_is_one_line(
    changes: dict[str, Any], line: str, sandbox: Sandbox, run_target: Callable[..., Run]
) -> None:
    run = run_target(ONE, **changes)

    assert (run.exit_code, run.states, sandbox.birdie.puts) == (1, [], 0)
    assert (line in run.error, run.error.count("\n")) == (True, 1)
    assert run.error.startswith("Error: ")


@pytest.mark.parametrize("value", [["s3cret"], {"key": "s3cret"}, "s3cret\u2028"])
def test_a_wrong_secret_is_not_shown(value: Any, run_target: Callable[..., Run]) -> None:
    run = run_target(ONE, api_key=value)

    assert (run.exit_code, "s3cret" in run.error + run.log) == (1, False)


def test_null_means_unset(run_target: Callable[..., Run]) -> None:
    """Meltano writes null for settings without a value."""
    assert run_target(ONE, kind=None, streams=None, survey_kinds=None, dry_run=None).exit_code == 0


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
    option: str, name: str, similar: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`TARGET_BIRDIE_DRYRUN=true` would send real data."""
    monkeypatch.setenv(f"TARGET_BIRDIE_{name}", "true")
    path = tmp_path / "file"
    path.write_text('{"dry_run": true}')
    result = command("--config", option if option == "ENV" else str(path))

    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert f"TARGET_BIRDIE_{name} is not a setting. Did you mean TARGET_BIRDIE_{similar}?" in (
        result.stderr
    )


@pytest.mark.parametrize(
    "name",
    [
        "_DRYRUN", "STREAM_MAPS_DRYRUN", "SURVEY_KINDS_NPS", "EU_API_KEY", "EU_DRY_RUN",
        "EU_STREAM_MAPS_A", "LOGLEVEL", "HOME",
    ],
)  # fmt: skip
def test_variables_that_meltano_or_others_set_are_not_checked(
    name: str, run_target: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"TARGET_BIRDIE_{name}", "info")

    assert run_target(ONE).exit_code == 0


def test_a_key_in_a_variable_that_is_not_read_is_explained(
    run_target: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TARGET_BIRDIE_API_KEY", "s3cret")
    error = run_target(ONE, api_key=None).error

    assert "TARGET_BIRDIE_API_KEY is set, but is only read with --config=ENV." in error


def test_an_env_file_in_another_encoding_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / ".env"
    path.write_bytes("TARGET_BIRDIE_ID_PREFIX=caf\u00e9".encode("latin-1"))
    monkeypatch.setattr(_dict_config, "find_dotenv", lambda: str(path))
    result = command("--config=ENV")

    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "Cannot read the .env file" in result.stderr


def test_every_setting_is_described_and_secrets_are_marked() -> None:
    settings = CONFIG_SCHEMA["properties"]
    own = {k: v for k, v in settings.items() if not k.startswith("stream_map")}

    assert all(found["title"] and found["description"].endswith(".") for found in own.values())
    assert all("default" in v or "equired" in v["description"] or "Defaults" in v["description"]
               for v in own.values())  # fmt: skip
    secrets = {name for name, found in settings.items() if found.get("secret")}
    assert secrets == {"api_key", "store_url"}


@pytest.mark.parametrize("option", ["--version", "--about", "--about --format=json", "--help"])
def test_information_needs_no_settings(option: str) -> None:
    arguments = [str(Path(sys.executable).with_name("target-birdie")), *option.split()]
    result = subprocess.run(arguments, capture_output=True, check=False, text=True)

    assert (result.returncode, result.stderr, bool(result.stdout)) == (0, "", True)


def test_about_lists_only_settings_and_capabilities_that_have_an_effect() -> None:
    about = json.loads(command("--about", "--format=json").stdout)
    own = set(CONFIG_SCHEMA["properties"]) | {"stream_maps", "stream_map_config"}

    assert (set(about["settings"]["properties"]), own) == (own, own)
    assert about["capabilities"] == ["about", "stream-maps", "structured-logging"]
