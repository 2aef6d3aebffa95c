"""Settings and input: one clear line for what users get wrong, before the first request."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from tap_wootric.config import DECLARED, SCHEMA, moment, normalize
from tap_wootric.tap import TapWootric

from .helpers import ROOT, Account, Json, Output, Process, invoke, selecting

SECRET = "s3cr3t-value"
DATE = "must be a date such as 2024-01-31, or a time such as 2024-01-31T09:00:00Z"
URL = "must be a URL such as https://api.wootric.com, without credentials, query and fragment"
GRANT = "(required when 'grant_type' is 'client_credentials')"

INVALID: list[tuple[Json, str]] = [
    ({"client_id": None}, f"Setting 'client_id' is missing {GRANT}. Provide it in a file"),
    ({"client_secret": " \n"}, f"Setting 'client_secret' is missing {GRANT}."),
    ({"grant_type": "password", "username": "ada"}, "Setting 'password' is missing (required"),
    ({"personal_data": "hash"}, "Setting 'hash_salt' is missing (required when 'personal_data' is"),
    ({"flattening_enabled": True}, "Setting 'flattening_max_depth' is missing."),
    ({"client_id": "your-client-id"}, "Setting 'client_id' is a placeholder; replace it."),
    ({"client_secret": "<secret>"}, "Setting 'client_secret' is a placeholder; replace it."),
    ({"clientid": SECRET}, "Unknown setting 'clientid'. Did you mean 'client_id'?"),
    ({"token": SECRET}, "Unknown setting 'token'. See tap-wootric --about for all settings."),
    ({"batch_config": {}}, "Unknown setting 'batch_config'."),
    ({"client_secret": 12345}, "Setting 'client_secret' must be of type string."),
    ({"grant_type": "magic"}, "Setting 'grant_type' must be one of client_credentials, password."),
    ({"region": "mars"}, "Setting 'region' must be one of us, eu, au."),
    ({"page_size": 24}, "Setting 'page_size' must be at least 25."),
    ({"page_size": 51}, "Setting 'page_size' must be at most 50."),
    ({"page_size": "50"}, "Setting 'page_size' must be of type integer."),
    ({"start_date": "last week"}, f"Setting 'start_date' {DATE}."),
    ({"end_date": "2024-02-30"}, f"Setting 'end_date' {DATE}."),
    ({"start_date": 1706691600}, "Setting 'start_date' must be of type string."),
    (
        {"start_date": "2024-01-31", "end_date": "2024-01-31T01:00:00+01:00"},
        "Setting 'end_date' must be after 'start_date'.",
    ),
    ({"api_url": "api.wootric.com"}, f"Setting 'api_url' {URL}"),
    ({"api_url": "ftp://api.wootric.com"}, f"Setting 'api_url' {URL}"),
    ({"api_url": "https://host:port/"}, f"Setting 'api_url' {URL}"),
    ({"api_url": "http://api.wootric.com"}, f"Setting 'api_url' {URL}"),
    ({"api_url": "http://127.0.0.1.example.com"}, f"Setting 'api_url' {URL}"),
    ({"api_url": f"https://ada:{SECRET}@api.wootric.com"}, f"Setting 'api_url' {URL}"),
    ({"api_url": f"https://api.wootric.com?t={SECRET}"}, f"Setting 'api_url' {URL}"),
    ({"connection_details": SECRET}, "Setting 'connection_details' must be of type object."),
    (
        {"connection_details": {"client_key": SECRET}},
        "Unknown setting 'connection_details.client_key'. Did you mean 'client_id'?",
    ),
    ({"stream_maps": SECRET}, "Setting 'stream_maps' must be of type object."),
    ({"stream_maps": {"responses": SECRET}}, "Setting 'stream_maps.responses' must be of type"),
    ({"stream_maps": {"responses": {"x": f"'{SECRET}' + ("}}}, "Setting 'stream_maps' contains an"),
    ({"stream_maps": {"responses": {"id": None}}}, "Setting 'stream_maps' contains an"),
    ({"stream_maps": {"peple": {"text": None}}}, "Stream map 'peple': no stream has this name."),
    (
        {"stream_maps": {"end_user": {"email": None}}},
        "Stream map 'end_user': no stream has this name. Did you mean 'end_users'?",
    ),
    (
        {"stream_maps": {"end_users": {"mail": None}}},
        "Stream map 'end_users': stream 'end_users' has no field 'mail'. Did you mean 'email'?",
    ),
    (
        {"stream_maps": {"end_users": {"emial": "md5(email)"}}},
        "Stream map 'end_users': stream 'end_users' has no field 'emial'. Did you mean 'email'?",
    ),
    (
        {"stream_maps": {"copy": {"__source__": "end_users", "emial": "md5(email)"}}},
        "Stream map 'copy': stream 'end_users' has no field 'emial'. Did you mean 'email'?",
    ),
    (
        {"stream_maps": {"*": {"end_user__properties": None}}},
        "Stream map '*': stream '*' has no field 'end_user__properties'.",
    ),
    (
        {"stream_maps": {"responses": {"__filtre__": SECRET}}},
        "Stream map 'responses': stream 'responses' has no field '__filtre__'. Did you mean '__f",
    ),
]


@pytest.mark.parametrize(("changes", "line"), INVALID)
def test_an_invalid_setting_is_one_line_without_its_value(
    account: Account, changes: Json, line: str
) -> None:
    """The line says what to do. Nothing is written or requested."""
    output = account.sync(**{"client_secret": SECRET, **changes})

    assert output.code == 1
    assert line in output.error
    assert SECRET not in output.log
    assert "Traceback" not in output.log
    assert (output.lines, list(account.sandbox.requests)) == ([], [])


@pytest.mark.parametrize(
    "changes",
    [
        {"start_date": "2024-01-31 09:00:00.123+01:00"},
        {"api_url": "https://api.example.com:8443/wootric/"},
        {"api_url": "http://[::1]:8765"},
        {"stream_maps": {"end_users": {"email_hash": "md5(email) if email else None"}}},
        {"stream_maps": {"end_users": {"e": "email"}, "__else__": None}},
        {"stream_maps": {"nps_summary": {"nps": None}}, "personal_data": "drop"},
        {"stream_maps": {"end_users": {"email": None}}, "personal_data": "drop"},
    ],
)
def test_valid_settings_are_accepted(account: Account, changes: Json) -> None:
    """Times and addresses of any usual form, and new names in stream maps."""
    TapWootric(config=account.config | changes).setup_mapper()


@pytest.mark.parametrize("option", ["--discover", "--about", "--version", "--help"])
def test_options_that_need_no_account_need_no_settings(option: str) -> None:
    """Anybody can look at the tap before there are credentials."""
    output = invoke([option])

    assert (output.code, output.lines != []) == (0, True)


def test_the_command_itself_shows_no_stack_trace(account: Account) -> None:
    """The error is the last line of the log."""
    output = Process(account.options(page_size=99), account.folder).finish()

    assert output.code == 1
    assert output.log.splitlines()[-1].endswith("Setting 'page_size' must be at most 50.")


def test_the_sample_configuration_only_lacks_real_credentials() -> None:
    """A copy that was not filled in is recognized."""
    output = invoke(["--config", str(ROOT / "sample_config.json")])

    assert "Setting 'client_id' is a placeholder; replace it." in output.error


def test_every_setting_is_described_by_the_template() -> None:
    """What it is. Required when …. Defaults to …."""
    for name, setting in DECLARED.items():
        assert setting["title"], name
        assert re.search("Required when|Defaults to", setting["description"]), name
    secret = {name for name, setting in DECLARED.items() if setting.get("secret")}
    credentials = {"client_secret", "password", "account_token", "connection_details"}
    assert secret == credentials | {"hash_salt"}


def test_connection_details_replace_missing_credentials() -> None:
    """Separate settings win; null and empty settings count as unset."""
    details = {"client_id": "a", "client_secret": "b", "grant_type": "client_credentials"}

    found = normalize({"connection_details": details, "client_id": "c", "region": None})

    assert found == {**details, "client_id": "c", "connection_details": details}


def test_whitespace_around_credentials_is_removed() -> None:
    """A password keeps its spaces, but not the line end of a file."""
    names = ("client_id", "client_secret", "username", "password")

    found = normalize(dict.fromkeys(names, " a \r\n"))

    assert found == dict.fromkeys(names, "a") | {"password": " a "}


def test_dates_without_an_offset_are_utc() -> None:
    """A date alone means its first second."""
    config = {"start_date": "2024-01-31T01:00:00+01:00", "end_date": "2024-02-01"}

    assert moment(config, "start_date") == datetime(2024, 1, 31, tzinfo=UTC)
    assert moment(config, "end_date") == datetime(2024, 2, 1, tzinfo=UTC)
    assert moment({}, "start_date") is None


# Files


@pytest.mark.parametrize("option", ["--config", "--catalog", "--state"])
@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b'{\n "a": }', "is not valid JSON (line 2, column 7: Expecting value)"),
        (b"[1, 2]", "must contain a JSON object"),
        (b"\xff{}", "is not UTF-8 text"),
    ],
)
def test_a_file_without_a_json_object_is_named(
    account: Account, option: str, content: bytes, problem: str
) -> None:
    """With line and column of the mistake."""
    path = account.folder / "my.json"
    path.write_bytes(content)

    output = invoke([*account.options(), option, str(path)])

    assert f"{option} {path} {problem}." in output.error
    assert list(account.sandbox.requests) == []


@pytest.mark.parametrize("option", ["--config", "--catalog", "--state"])
def test_a_missing_file_is_named(account: Account, option: str) -> None:
    """The exit code is not 0."""
    output = invoke([*account.options(), option, "/nowhere/my.json"])

    assert output.code != 0
    assert "/nowhere/my.json" in output.log.splitlines()[-1]
    assert "o such file" in output.log.splitlines()[-1]


# Environment variables


@pytest.fixture
def from_environment(account: Account, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run with the account's settings, and others, in variables."""

    def run(*options: str, **variables: str) -> Output:
        names = {name.upper(): value for name, value in account.config.items()} | variables
        for name, value in names.items():
            monkeypatch.setenv(f"TAP_WOOTRIC_{name}", value)
        return invoke([*options, *account.options()[2:]])

    return run


def test_every_setting_can_come_from_a_variable(account: Account, from_environment: Any) -> None:
    """An empty variable counts as unset."""
    empty = {name.upper(): "" for name in SCHEMA["properties"] if name not in account.config}

    output = from_environment(
        "--config=ENV", **empty | {"PAGE_SIZE": "25", "PERSONAL_PROPERTIES": '["plan"]'}
    )

    assert (output.code, len(output.ids())) == (0, 300)
    assert {request.query["per_page"] for request in account.lists()} == {"25"}


@pytest.mark.parametrize(
    ("variable", "kind"),
    [
        ("PAGE_SIZE", "integer"),
        ("STREAM_MAPS", "object"),
        ("PERSONAL_PROPERTIES", "array"),
        ("FLATTENING_ENABLED", "boolean"),
    ],
)
def test_a_variable_of_the_wrong_type_is_named(
    from_environment: Any, variable: str, kind: str
) -> None:
    """The SDK would read any other word as false, and show a stack trace for a number."""
    output = from_environment("--config=ENV", **{variable: "1.5, x"})

    assert f"Setting '{variable.lower()}' must be of type {kind}." in output.error


def test_a_missing_setting_whose_variable_is_set_names_the_option(from_environment: Any) -> None:
    """`--config=ENV` was forgotten."""
    output = from_environment()

    line = (
        f"Setting 'client_id' is missing {GRANT}. "
        "TAP_WOOTRIC_CLIENT_ID is set, but is only read with --config=ENV."
    )
    assert line in output.error


@pytest.mark.parametrize("options", [["--config=ENV"], []])
def test_a_misspelled_variable_ends_the_run(from_environment: Any, options: list[str]) -> None:
    """Also without `--config=ENV`: the person means to change something."""
    output = from_environment(*options, PERSONAL_DTA="drop")

    line = (
        "Environment variable TAP_WOOTRIC_PERSONAL_DTA is not a setting. "
        "Did you mean TAP_WOOTRIC_PERSONAL_DATA?"
    )
    assert line in output.error


@pytest.mark.parametrize(
    "variable",
    [
        "_CLIENT_ID",
        "_SELECT",
        "EU_CLIENT_ID",
        "EU_PERSONAL_DATA",
        "STREAM_MAPS_RESPONSES_TEXT",
        "LOGLEVEL",
        "HOME_PAGE",
    ],
)
def test_variables_that_meltano_sets_are_not_checked(from_environment: Any, variable: str) -> None:
    """Extras, object settings, inherited plugins, and names unlike any setting."""
    assert from_environment("--config=ENV", **{variable: "INFO"}).code == 0


# Catalogs


def test_a_catalog_of_another_tap_is_rejected(account: Account) -> None:
    """Otherwise the run would succeed without a record."""
    catalog = json.dumps(selecting()).replace('"tap_stream_id": "', '"tap_stream_id": "x_')

    output = account.sync(catalog=json.loads(catalog))

    line = "no stream of tap-wootric. Use the output of --discover."
    assert line in output.error


def test_an_unknown_stream_in_a_catalog_is_a_warning(account: Account) -> None:
    """The other streams are synced."""
    catalog = json.loads(json.dumps(selecting("segments")).replace('"declines"', '"refusals"'))

    output = account.sync(catalog=catalog)

    assert output.code == 0
    assert "'refusals'" in output.log
    assert output.records("segments")


def test_a_catalog_without_a_selected_stream_is_a_warning(account: Account) -> None:
    """The run succeeds without a request."""
    output = account.sync(())

    assert (output.code, list(account.sandbox.requests)) == (0, [])
    assert "selects no stream" in output.log


def test_a_start_date_in_the_future_is_a_warning(account: Account) -> None:
    output = account.sync(start_date="2999-01-01")

    assert (output.code, output.records()) == (0, [])
    assert "'start_date' is in the future" in output.log
