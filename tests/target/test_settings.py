"""Wrong settings: one clear line that names the setting, exit 1, nothing sent, no secret shown."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from connector_sandbox import Sandbox
from singer_sdk.configuration import _dict_config
from target_birdie.config.schema import CONFIG_SCHEMA
from target_birdie.mapping.mapper import DEFAULT_STREAMS
from target_birdie.target import TargetBirdie

from .messages import Run, record, stream_of

ONE = stream_of([record(1)])
ENTRY = DEFAULT_STREAMS["responses"]


def streams(**changes: Any) -> dict[str, Any]:
    """A table of streams with something changed."""
    return {"responses": ENTRY | changes}


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"api_key": None}, "api_key is missing"),
        ({"api_key": "  "}, "api_key is missing"),
        ({"api_key": "line\nbreak"}, "api_key holds characters"),
        ({"api_key": 5}, "api_key must be a text"),
        ({"api_kye": "x"}, "unknown setting: api_kye"),
        ({"api_url": "birdie"}, "api_url is no web address"),
        ({"api_url": "ftp://example.com"}, "api_url is no web address"),
        ({"api_url": "https://example.com:port"}, "api_url is no web address"),
        ({"api_url": "http://example.com"}, "api_url must start with https://"),
        ({"api_url": "https://me:pw@example.com"}, "api_url must not carry credentials"),
        ({"feedback_path": "/feedbacks"}, "feedback_path must start with /"),
        ({"feedback_path": "/{id}"}, "feedback_path must start with /"),
        ({"feedback_path": "/{feedback_id"}, "feedback_path must start with /"),
        ({"user_path": "users/{user_id}"}, "user_path must start with /"),
        ({"kind": "ces"}, "kind must be one of nps, csat"),
        ({"max_concurrency": 0}, "max_concurrency must be at least 1"),
        ({"max_concurrency": "many"}, "max_concurrency must be a whole number"),
        ({"max_rejects": "few"}, "max_rejects must be a number"),
        ({"on_reject": "ignore"}, "on_reject must be one of file, continue, stop"),
        ({"include_pii": "yes"}, "include_pii must be true or false"),
        ({"date_properties": "renewal"}, "date_properties must be a list"),
        ({"destination": "parquet"}, "output_path is missing"),
        ({"schema_path": "/nowhere.json"}, "schema_path /nowhere.json gives no JSON Schema"),
        (
            {"schema_path": "http://127.0.0.1:9/s?sig=x"},
            "http://127.0.0.1:9/s gives no JSON Schema",
        ),
        ({"streams": {"r": {"record_type": "feedback"}}}, "streams.r lacks fields"),
        ({"streams": streams(record_type="account")}, "must be one of feedback, user"),
        ({"streams": streams(color="red")}, "unknown setting in streams.responses: color"),
        ({"streams": streams(fields={"feedback_id": "id"})}, "lacks rating, posted_at"),
        ({"streams": streams(fields=ENTRY["fields"] | {"mood": "m"})}, "no field of a Birdie"),
    ],
)
def test_a_wrong_setting_is_one_line(
    changes: dict[str, Any], line: str, sandbox: Sandbox, run_target: Callable[..., Run]
) -> None:
    """The line says which setting, what is wrong with it, and what it should be."""
    run = run_target(ONE, **changes)

    assert (run.exit_code, run.states, sandbox.birdie.puts) == (1, [], 0)
    assert run.error.startswith("Error: ")
    assert (line in run.error, run.error.count("\n")) == (True, 1)


@pytest.mark.parametrize("value", [["s3cret"], {"key": "s3cret"}, "s3cret\u2028"])
def test_a_wrong_secret_is_not_shown(value: Any, run_target: Callable[..., Run]) -> None:
    """Not in the error, not in the log."""
    run = run_target(ONE, api_key=value)

    assert (run.exit_code, "s3cret" in run.error + run.log) == (1, False)


def test_null_means_left_alone(run_target: Callable[..., Run]) -> None:
    """Meltano writes null for what is not set."""
    run = run_target(ONE, kind=None, streams=None, digest_path=None, dry_run=None)

    assert run.exit_code == 0


def test_loopback_may_be_plain_http(run_target: Callable[..., Run]) -> None:
    """The key does not leave the machine."""
    assert run_target(ONE).exit_code == 0


@pytest.mark.parametrize(
    ("content", "line"),
    [(None, "there is no such file"), ("{", "is not a JSON"), ("[1]", "is not a JSON")],
)
def test_a_config_file_that_is_none_is_one_line(
    content: str | None, line: str, tmp_path: Path
) -> None:
    """Missing or unreadable: no stack trace."""
    path = tmp_path / "config.json"
    if content is not None:
        path.write_text(content)
    result = CliRunner().invoke(TargetBirdie.get_singer_command(), ["--config", str(path)])

    assert (result.exit_code, line in result.stderr) == (1, True)
    assert (result.stderr.count("\n"), isinstance(result.exception, SystemExit)) == (1, True)


def test_settings_can_come_through_a_pipe() -> None:
    """As `--config <(...)`, so that an API key need not lie in a file."""
    receiver, sender = os.pipe()
    os.write(sender, b'{"wish": 1}')
    os.close(sender)
    arguments = ["--config", f"/dev/fd/{receiver}"]
    result = CliRunner().invoke(TargetBirdie.get_singer_command(), arguments)

    assert (result.exit_code, "unknown setting: wish" in result.stderr) == (1, True)


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("MAX_CONCURRENCY", "many", "max_concurrency must be a whole number"),
        ("STREAMS", "{", "streams must be an object"),
        ("STREAMS", '{"a": NaN}', "streams must be an object"),
        ("STREAMS", '{"a": 1e9999999999999999999}', "streams must be an object"),
        ("DRY_RUN", "y", "dry_run must be true or false"),
    ],
)
def test_a_wrong_environment_is_one_line(
    name: str, value: str, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line names the setting and the variable."""
    monkeypatch.setenv(f"TARGET_BIRDIE_{name}", value)
    result = CliRunner().invoke(TargetBirdie.get_singer_command(), ["--config=ENV"], input="")

    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert (line in result.stderr, f"TARGET_BIRDIE_{name}" in result.stderr) == (True, True)


def test_an_env_file_that_is_no_text_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written by another program, in another encoding: the line names the file's kind."""
    path = tmp_path / ".env"
    path.write_bytes("TARGET_BIRDIE_ID_PREFIX=caf\u00e9".encode("latin-1"))
    monkeypatch.setattr(_dict_config, "find_dotenv", lambda: str(path))
    result = CliRunner().invoke(TargetBirdie.get_singer_command(), ["--config=ENV"], input="")

    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "where there is a .env file, write it in UTF-8" in result.stderr


def test_every_setting_says_what_happens_when_left_alone() -> None:
    """A title and a description for each; the key alone is a secret."""
    settings = CONFIG_SCHEMA["properties"]
    own = {k: v for k, v in settings.items() if not k.startswith("stream_map")}

    assert all(found["title"] and "eft alone" in found["description"] for found in own.values())
    assert [name for name, found in settings.items() if found.get("secret")] == ["api_key"]


@pytest.mark.parametrize("option", ["--version", "--about", "--about --format=json", "--help"])
def test_information_needs_no_settings(option: str) -> None:
    """As a command of its own: exit 0, and nothing on the error output."""
    command = [str(Path(sys.executable).with_name("target-birdie")), *option.split()]
    result = subprocess.run(command, capture_output=True, check=False, text=True)

    assert (result.returncode, result.stderr, bool(result.stdout)) == (0, "", True)


def test_about_shows_what_the_target_honours() -> None:
    """The SDK's settings that would do nothing here are not offered."""
    result = CliRunner().invoke(TargetBirdie.get_singer_command(), ["--about", "--format=json"])
    about = json.loads(result.stdout)
    settings = about["settings"]["properties"]

    assert settings["streams"]["default"] == DEFAULT_STREAMS
    assert not settings.keys() & {
        "load_method",
        "hard_delete",
        "batch_size_rows",
        "flattening_enabled",
    }
    assert about["capabilities"] == ["about", "stream-maps", "structured-logging"]
