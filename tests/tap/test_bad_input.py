"""Bad input: one line that says what is wrong and what to do, exit code not 0, no stack trace."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tap_wootric.settings import SCHEMA

from .helpers import Account, Output, Process, invoke, selecting

SECRET = "s3cr3t-value"

WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("client_id", {"client_id": None}, "missing"),
    ("client_id", {"client_id": ""}, "missing"),
    ("client_secret", {"client_secret": None}, "missing"),
    ("client_secret", {"client_secret": 5}, "of type string"),
    ("client_secret", {"client_secret": [SECRET]}, "of type string"),
    ("grant_type", {"grant_type": "magic"}, "client_credentials, password"),
    ("username", {"grant_type": "password", "password": SECRET}, "missing"),
    ("password", {"grant_type": "password", "username": "ada@example.com"}, "missing"),
    ("start_date", {"start_date": "last week"}, "2024-01-31"),
    ("start_date", {"start_date": "2024-13-31"}, "2024-01-31"),
    ("start_date", {"start_date": "20240131"}, "2024-01-31"),
    ("start_date", {"start_date": 1706691600}, "of type string"),
    ("end_date", {"end_date": "31.01.2024"}, "2024-01-31"),
    ("end_date", {"start_date": "2024-02-01", "end_date": "2024-01-31"}, "not after"),
    ("end_date", {"start_date": "2024-02-01", "end_date": "2024-02-01T00:00:00Z"}, "not after"),
    ("lookback_days", {"lookback_days": -1}, "at least 0"),
    ("lookback_days", {"lookback_days": 1.5}, "of type integer"),
    ("lookback_days", {"lookback_days": "7"}, "of type integer"),
    ("page_size", {"page_size": 51}, "at most 50"),
    ("page_size", {"page_size": 0}, "at least"),
    ("page_size", {"page_size": True}, "of type integer"),
    ("max_concurrency", {"max_concurrency": 0}, "at least 1"),
    ("request_timeout", {"request_timeout": 0}, "at least 1"),
    ("retry_budget_seconds", {"retry_budget_seconds": -5}, "at least 0"),
    ("region", {"region": "mars"}, "us, eu, au"),
    ("api_url", {"api_url": "api.wootric.com"}, "https://"),
    ("api_url", {"api_url": "ftp://api.wootric.com"}, "https://"),
    ("api_url", {"api_url": "https://"}, "https://"),
    ("api_url", {"api_url": "https://host:port/"}, "https://"),
    ("api_url", {"api_url": "http://api.wootric.com"}, "plain http"),
    ("api_url", {"api_url": "http://127.0.0.1.example.com"}, "plain http"),
    ("api_url", {"api_url": f"https://ada:{SECRET}@api.wootric.com"}, "no credentials"),
    ("api_url", {"api_url": f"https://api.wootric.com/?token={SECRET}"}, "no query"),
    ("user_agent", {"user_agent": {"name": SECRET}}, "of type string"),
    ("connection_details", {"connection_details": SECRET}, "of type object"),
    ("connection_details", {"connection_details": {"api_key": SECRET}}, "client_id"),
    ("client_secret", {"client_secret": "\ud83d" + SECRET}, "text in UTF-8"),
    ("account_token", {"account_token": "\ud83d" + SECRET}, "text in UTF-8"),
    ("client_id", {"client_id": " \n"}, "missing"),
    ("flattening_max_depth", {"flattening_enabled": True}, "missing"),
    ("stream_maps.responses.x", {"stream_maps": {"responses": {"x": ""}}}, "is empty"),
    ("stream_maps", {"stream_maps": {"responses": {"x": "\ud83d"}}}, "text in UTF-8"),
    (
        "stream_maps.responses.text",
        {"stream_maps": {"responses": {"text": f"sha256('{SECRET}' + text"}}},
        "no valid expression",
    ),
    (
        "stream_maps.responses.__filter__",
        {"stream_maps": {"responses": {"__filter__": f"text = '{SECRET}'"}}},
        "no valid expression",
    ),
    ("clientid", {"clientid": SECRET}, "did you mean 'client_id'"),
    ("token", {"token": SECRET}, "--about"),
    ("stream_maps", {"stream_maps": SECRET}, "of type object"),
    ("stream_maps.responses", {"stream_maps": {"responses": SECRET}}, "of type null or object"),
    ("stream_maps.responses.text", {"stream_maps": {"responses": {"text": 5}}}, "or string"),
    ("stream_maps.__else__", {"stream_maps": {"__else__": SECRET}}, '"__NULL__" or of type null'),
    ("stream_maps.__els__", {"stream_maps": {"__els__": None}}, "did you mean '__else__'"),
    (
        "stream_maps.responses.__ELSE__",
        {"stream_maps": {"responses": {"__ELSE__": None}}},
        "no such option",
    ),
    (
        "stream_maps.responses.__filtre__",
        {"stream_maps": {"responses": {"__filtre__": SECRET}}},
        "did you mean '__filter__'",
    ),
    ("faker_config.locale", {"faker_config": {"locale": 5}}, "of type string or array"),
]


@pytest.mark.parametrize(("setting", "changes", "hint"), WRONG)
def test_a_wrong_setting_is_named_with_what_is_right_and_without_its_value(
    account: Account, setting: str, changes: dict[str, Any], hint: str
) -> None:
    """Before the first request."""
    output = account.sync(**{"client_secret": SECRET, **changes})

    assert output.code == 1
    assert f"'{setting}" in output.error
    assert hint in output.error
    assert SECRET not in output.log
    assert output.lines == []
    assert account.sandbox.requests == []


def test_all_that_is_wrong_is_said_at_once(account: Account) -> None:
    """Nobody wants to mend one setting a run."""
    output = account.sync(region="mars", page_size=99, start_dat="2024-01-01")

    for setting in ("region", "page_size", "start_dat"):
        assert f"'{setting}'" in output.error


@pytest.mark.parametrize(
    "changes",
    [
        {"client_secret": "wrong"},
        {"client_id": "wrong"},
        {"grant_type": "password", "username": "ada@example.com", "password": SECRET},
    ],
)
def test_wrong_credentials_end_the_sync_at_once(account: Account, changes: dict[str, Any]) -> None:
    """Trying again would not help, and could lock the account."""
    output = account.sync(**changes)

    assert output.code == 1
    assert "rejected the credentials" in output.error
    assert "Check the settings" in output.error
    assert len(account.sandbox.requests) == 1
    assert "RECORD" not in "".join(output.lines)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[1, 2]", b"null", b"not JSON", b"\x00", b'"text"', b"\xff{}", b"[" * 100_000],
    ids=lambda content: str(content[:10]),
)
def test_a_config_that_is_no_json_object_is_named(tmp_path: Path, content: bytes) -> None:
    """The file's name, not its content."""
    path = tmp_path / "my-config.json"
    path.write_bytes(content)

    output = invoke(["--config", str(path)])

    assert output.code != 0
    assert "my-config.json" in output.error


def test_a_config_that_is_missing_is_named(tmp_path: Path) -> None:
    """Also where it is a folder, and beside one that is right."""
    right = tmp_path / "right.json"
    right.write_text("{}")
    for path, reason in ((tmp_path / "nowhere", "there is no such file"), (tmp_path, "directory")):
        output = invoke(["--config", str(right), "--config", str(path)])

        assert output.code == 1
        assert f"--config {path} can't be read" in output.error
        assert reason in output.error
        assert "right.json" not in output.error


def with_catalog(account: Account, content: bytes) -> Output:
    """Run with a file of this content as the catalog."""
    options = account.options()
    Path(options[options.index("--catalog") + 1]).write_bytes(content)
    return invoke(options)


def responses_as(**changes: Any) -> bytes:
    """The catalog with another entry of the responses."""
    catalog = selecting("responses")
    entry = next(entry for entry in catalog["streams"] if entry["stream"] == "responses")
    for name, value in changes.items():
        entry.pop(name) if value is None else entry.update({name: value})
    return json.dumps(catalog).encode()


NO_CATALOGS = [
    *(b"{", b"not JSON", b"[]", b'{"streams": 5}', b"{}", b"\xff{}", b"[" * 100_000),
    *(b'{"streams": {"a": 1}}', b'{"streams": [5]}', b'{"streams": [{"stream": "responses"}]}'),
    responses_as(schema=5),
    responses_as(schema={"type": "object", "properties": {"end_user": {"type": True}}}),
    responses_as(metadata=5),
    responses_as(tap_stream_id=None),
    responses_as(extra="\ud83d"),
    responses_as(extra=float("nan")),
]


@pytest.mark.parametrize("content", NO_CATALOGS, ids=range(len(NO_CATALOGS)))
def test_a_catalog_that_is_none_is_an_error_without_a_stack_trace(
    account: Account, content: bytes
) -> None:
    """The tap's own `--discover` writes one."""
    output = with_catalog(account, content)

    assert output.code == 1
    assert "catalog.json: not a catalog" in output.error
    assert account.sandbox.requests == []


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        ("stream", "answers", '"responses"'),
        ("replication_key", "updated_at", '"created_at"'),
        ("replication_method", "LOG_BASED", '"FULL_TABLE" or "INCREMENTAL"'),
        ("replication_method", 5, '"FULL_TABLE" or "INCREMENTAL"'),
        ("replication_method", ["INCREMENTAL"], '"FULL_TABLE" or "INCREMENTAL"'),
        ("key_properties", ["score"], '["id"]'),
        ("schema", None, 'an object with "id", "created_at"'),
        ("schema", {}, 'an object with "id", "created_at"'),
        ("schema", {"type": "object", "properties": {"text": {"type": "string"}}}, "an object"),
    ],
)
def test_what_a_catalog_can_not_change_is_told(
    account: Account, name: str, value: Any, right: str
) -> None:
    """State and order rest on it."""
    output = with_catalog(account, responses_as(**{name: value}))

    assert output.code == 1
    assert f"'{name}' of the stream 'responses' must be {right}" in output.error
    assert account.sandbox.requests == []


def test_a_catalog_may_leave_out_what_the_tap_knows(account: Account) -> None:
    """Keys are the tap's own; a stream that it does not know is left alone, and told of."""
    entry = json.loads(responses_as(replication_key=None, key_properties=None, metadata=None))
    entry["streams"].append({**entry["streams"][0], "stream": "x", "tap_stream_id": "x"})

    output = with_catalog(account, json.dumps(entry).encode())

    assert (output.code, len(output.ids())) == (0, 300)
    assert "holds 'x', which this tap does not know" in output.log
    assert output.messages[0]["key_properties"] == ["id"]
    assert output.state["bookmarks"]["responses"]["replication_key"] == "created_at"


def test_a_catalog_of_another_tap_is_refused(account: Account) -> None:
    """Nothing would be synced, and the run look well."""
    content = responses_as().replace(b'"responses"', b'"survey_responses"')
    entries = json.loads(content)["streams"]
    others = [entry for entry in entries if entry["stream"] == "survey_responses"]

    output = with_catalog(account, json.dumps({"streams": others}).encode())

    assert (output.code, output.lines) == (1, [])
    assert "another tap's: it holds survey_responses, and the streams are resp" in output.error


def test_a_catalog_that_selects_nothing_is_told_of(account: Account) -> None:
    """A run without a record may be what was meant, or may not."""
    output = account.sync(())

    assert (output.code, output.records()) == (0, [])
    assert "selects no stream" in output.log


def test_connection_details_work_as_birdie_shows_them(account: Account) -> None:
    """One object of three keys, and the plain settings beside it where both stand."""
    keys = ("client_id", "client_secret")
    details = {key: account.config[key] for key in keys} | {"grant_type": "client_credentials"}

    nested = account.sync(connection_details=details, client_id=None, client_secret=None)
    both = account.sync(connection_details=details | {"client_id": "another"})

    assert (nested.code, len(nested.ids())) == (0, 300)
    assert (both.code, len(both.ids())) == (0, 300)


def test_the_environment_can_hold_every_setting(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--config=ENV`, with names as Meltano sets them and empty ones for what is left alone."""
    for name in SCHEMA["properties"]:
        value = account.config.get(name, "")
        monkeypatch.setenv(f"TAP_WOOTRIC_{name.upper()}", str(value))
    for name in ("page_size", "lookback_days", "max_concurrency"):
        monkeypatch.setenv(f"TAP_WOOTRIC_{name.upper()}", "20" if name == "page_size" else "3")
    options = account.options()

    output = invoke(["--config=ENV", *options[2:]])

    assert (output.code, len(output.ids())) == (0, 300)
    assert {request.query["per_page"] for request in account.lists()} == {"20"}


@pytest.mark.parametrize(
    ("setting", "value"), [("page_size", "1.5"), ("stream_maps", "{"), ("connection_details", "x")]
)
def test_a_variable_that_can_not_be_read_is_named(
    account: Account, monkeypatch: pytest.MonkeyPatch, setting: str, value: str
) -> None:
    """As a setting in a file would be."""
    variable = f"TAP_WOOTRIC_{setting.upper()}"
    monkeypatch.setenv(variable, value)

    output = invoke(["--config=ENV", *account.options()])

    assert output.code == 1
    assert f"'{setting}'" in output.error
    assert variable in output.error


def test_what_a_file_adds_to_credentials_is_taken_off(account: Account) -> None:
    """A line end comes with `--from-file` and `$(cat …)`; spaces with copying."""
    output = account.sync(
        client_id=f" {account.config['client_id']}\n",
        client_secret=f"{account.config['client_secret']}\r\n",
    )

    assert (output.code, len(output.ids())) == (0, 300)


def test_a_start_in_the_future_is_warned_of(account: Account) -> None:
    """It is not wrong, but nobody would see why nothing comes."""
    output = account.sync(start_date="2999-01-01")

    assert (output.code, output.ids()) == (0, [])
    assert output.log.count("'start_date' lies in the future") == 1


def test_null_and_default_settings_are_left_alone(account: Account) -> None:
    """Meltano writes null for a setting that nobody has set."""
    path = account.folder / "config.json"
    options = account.options()
    nulls = dict.fromkeys(SCHEMA["properties"])
    path.write_text(json.dumps(nulls | account.config))

    output = invoke(options)

    assert (output.code, len(output.ids())) == (0, 300)


@pytest.mark.parametrize(
    "date", ["2024-02-01", "2024-02-01T00:00:00Z", "2024-01-31T16:00:00-08:00"]
)
def test_dates_are_read_in_every_usual_form(account: Account, date: str) -> None:
    """RFC 3339, or a date alone, which is UTC."""
    account.sync(start_date=date)

    assert {r.query.get("created[gte]") for r in account.lists()[:1]} == {"1706745600"}


@pytest.mark.parametrize("option", ["--discover", "--about", "--version", "--help"])
def test_what_needs_no_account_needs_no_settings(option: str) -> None:
    """A tap can be looked at before anybody has credentials."""
    output = invoke([option])

    assert output.code == 0
    assert output.lines


def run_as_command(account: Account, **changes: Any) -> Output:
    return Process(account.options(**changes), account.folder).finish()


@pytest.mark.parametrize("changes", [{"page_size": 99}, {"client_secret": "wrong"}])
def test_the_command_itself_shows_no_stack_trace(account: Account, changes: dict[str, Any]) -> None:
    """Exit code 1 and one `Error:` as the last line."""
    output = run_as_command(account, retry_budget_seconds=0, **changes)

    assert output.code == 1
    assert output.log.splitlines()[-1] == output.error
    assert "Traceback" not in output.log
