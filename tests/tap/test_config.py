"""Settings and input: one clear line for what users get wrong, before the first request."""

import json
import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tap_wootric.config import DECLARED, SCHEMA, moment, normalize
from tap_wootric.tap import TapWootric

from .helpers import ROOT, Account, Json, Output, invoke, selecting

SECRET = "s3cr3t-value"
CASES = tomllib.loads(Path(__file__).with_name("settings.toml").read_text())


@pytest.mark.parametrize(
    ("line", "changes"), [(line, x) for line, cases in CASES["invalid"].items() for x in cases]
)
def test_an_invalid_setting_is_one_line_without_its_value(
    account: Account, line: str, changes: Json
) -> None:
    """The line says what to do. Nothing is written or requested."""
    output = account.sync(**{"client_secret": SECRET, **changes})

    assert output.code == 1
    assert line in output.error
    assert SECRET not in output.log
    assert "Traceback" not in output.log
    assert (output.lines, list(account.sandbox.requests)) == ([], [])


@pytest.mark.parametrize("changes", CASES["accepted"], ids=str)
def test_valid_settings_are_accepted(account: Account, changes: Json) -> None:
    """Times and addresses of any usual form, and new names in stream maps."""
    TapWootric(config=account.config | changes).setup_mapper()


@pytest.mark.parametrize("option", ["--discover", "--about", "--version", "--help"])
def test_options_that_need_no_account_need_no_settings(option: str) -> None:
    """Anybody can look at the tap before there are credentials."""
    output = invoke([option])

    assert (output.code, output.lines != []) == (0, True)


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
    found = normalize({"client_id": " a \r\n", "username": " a \r\n", "password": " a \r\n"})

    assert found == {"client_id": "a", "username": "a", "password": " a "}


def test_dates_without_an_offset_are_utc() -> None:
    """A date alone means its first second."""
    config = {"start_date": "2024-01-31T01:00:00+01:00", "end_date": "2024-02-01"}

    assert moment(config, "start_date") == datetime(2024, 1, 31, tzinfo=UTC)
    assert moment(config, "end_date") == datetime(2024, 2, 1, tzinfo=UTC)
    assert moment({}, "start_date") is None


@pytest.mark.parametrize("option", ["--config", "--catalog", "--state"])
@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b'{\n "a": }', "is not valid JSON (line 2, column 7: Expecting value)."),
        (b"[1, 2]", "must contain a JSON object."),
        (b"\xff{}", "is not UTF-8 text."),
        (None, "o such file"),
    ],
)
def test_a_file_without_a_json_object_is_named(
    account: Account, option: str, content: bytes | None, problem: str
) -> None:
    """With line and column of the mistake. The last line is the SDK's if a file is missing."""
    path = account.folder / "my.json"
    if content is not None:
        path.write_bytes(content)

    output = invoke([*account.options(), option, str(path)])

    line = output.log.splitlines()[-1]
    assert output.code != 0
    assert str(path) in line
    assert problem in line
    assert list(account.sandbox.requests) == []


@pytest.fixture
def from_environment(account: Account, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run with the account's settings, and others, in variables."""

    def run(variables: Json, *, is_read: bool = True) -> Output:
        names = {name.upper(): value for name, value in account.config.items()} | variables
        for name, value in names.items():
            monkeypatch.setenv(f"TAP_WOOTRIC_{name}", value)
        return invoke([*["--config=ENV"][:is_read], *account.options()[2:]])

    return run


def test_every_setting_can_come_from_a_variable(account: Account, from_environment: Any) -> None:
    """An empty variable counts as unset."""
    empty = {name.upper(): "" for name in SCHEMA["properties"] if name not in account.config}

    output = from_environment(empty | {"PAGE_SIZE": "25", "PERSONAL_PROPERTIES": '["plan"]'})

    assert (output.code, len(output.ids())) == (0, 300)
    assert {request.query["per_page"] for request in account.lists()} == {"25"}


@pytest.mark.parametrize(
    ("is_read", "line", "variables"),
    [
        (kind == "read", *case)
        for kind, cases in CASES["variables"].items()
        for case in cases.items()
    ],
)
def test_an_invalid_variable_is_named(
    from_environment: Any, is_read: bool, line: str, variables: Json
) -> None:
    """The SDK would read any other word as false, and show a stack trace for a number."""
    assert line in from_environment(variables, is_read=is_read).error


@pytest.mark.parametrize("variable", CASES["unchecked_variables"])
def test_variables_that_meltano_sets_are_not_checked(from_environment: Any, variable: str) -> None:
    assert from_environment({variable: "INFO"}).code == 0


@pytest.mark.parametrize("known", ['"tap_stream_id": "', '"tap_stream_id": "declines'])
def test_a_catalog_that_selects_only_unknown_streams_is_rejected(
    account: Account, known: str
) -> None:
    """Otherwise the run would succeed without a record."""
    catalog = json.dumps(selecting("declines")).replace(known, f"{known}x")

    output = account.sync(catalog=json.loads(catalog))

    assert "no stream of tap-wootric. Use the output of --discover." in output.error


@pytest.mark.parametrize(
    ("streams", "settings", "warning"),
    [
        ("segments", {}, "The catalog contains the unknown stream 'refusals'"),
        ((), {}, "The catalog selects no stream"),
        ("responses", {"start_date": "2999-01-01"}, "'start_date' is in the future"),
    ],
)
def test_a_questionable_selection_is_a_warning(
    account: Account, streams: Any, settings: Json, warning: str
) -> None:
    """The other streams are synced."""
    catalog = json.loads(json.dumps(selecting(streams)).replace('"declines"', '"refusals"'))

    output = account.sync(catalog=catalog, **settings)

    assert output.code == 0
    assert warning in output.log
    assert bool(output.records("segments")) == (streams == "segments")
