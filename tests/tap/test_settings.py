"""Settings: what is wrong is told in sentences, and what they mean is worked out once."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_wootric.problems import problems
from tap_wootric.settings import (
    REGIONS,
    SCHEMA,
    base_url,
    moment,
    with_connection_details,
)

APP = {"client_id": "an-id", "client_secret": "a-secret"}
DATES = ("start_date", "end_date")


def told(**config: Any) -> list[str]:
    """What is wrong with these settings beside working credentials."""
    return list(problems({**APP, **config}, SCHEMA))


def test_credentials_are_all_that_is_needed() -> None:
    """Every other setting has a default or may be left alone."""
    assert told() == []


def test_the_sample_is_right() -> None:
    """What people copy."""
    sample = Path(__file__).parents[2] / "sample_config.json"

    assert list(problems(json.loads(sample.read_text()), SCHEMA)) == []


@pytest.mark.parametrize("name", DATES)
@pytest.mark.parametrize(
    "value",
    ["2024-01-31", "2024-01-31T09:00:00Z", "2024-01-31T09:00:00", "2024-01-31 09:00:00.123+01:00"],
)
def test_dates_may_be_rfc3339_or_a_day(name: str, value: str) -> None:
    """UTC where no offset is given."""
    assert told(**{name: value}) == []


@pytest.mark.parametrize("name", DATES)
@pytest.mark.parametrize(
    "value",
    [
        "last week",
        "31.01.2024",
        "2024-1-31",
        "20240131",
        "2024-02-30",
        "1706659200",
        "2024-01-31 x",
    ],
)
def test_a_date_that_is_none_is_told_with_the_form_to_write(name: str, value: str) -> None:
    """Its own value is not repeated."""
    (problem,) = told(**{name: value})

    assert problem.startswith(f"setting '{name}' is not a date: write it like 2024-01-31 or")
    assert value not in problem.replace("2024-01-31T", "")


@pytest.mark.parametrize("end", ["2024-01-31", "2024-01-30T23:59:59Z", "2024-01-31T01:00:00+01:00"])
def test_an_end_that_is_not_after_the_start_is_told(end: str) -> None:
    """Compared as moments, not as texts."""
    (problem,) = told(start_date="2024-01-31", end_date=end)

    assert "'end_date' is not after 'start_date'" in problem


@pytest.mark.parametrize(
    "url",
    [
        "https://api.wootric.com",
        "https://api.example.com:8443/wootric/",
        "http://localhost:8765/wootric",
        "http://127.0.0.1:8765",
        "http://[::1]:8765/wootric",
    ],
)
def test_an_address_may_be_https_or_on_this_machine(url: str) -> None:
    """With or without port, path and closing slash."""
    assert told(api_url=url) == []


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://api.wootric.com", "is plain http"),
        ("http://127.0.0.1.example.com", "is plain http"),
        ("http://localhost.example.com", "is plain http"),
        ("http://0.0.0.0:8765", "is plain http"),
        ("api.wootric.com", "is not a URL"),
        ("ftp://api.wootric.com", "is not a URL"),
        ("https://", "is not a URL"),
        ("https://api.wootric.com:port", "is not a URL"),
        ("https://[::1", "is not a URL"),
        ("", "is not a URL"),
        ("https://api wootric.com", "is not a URL"),
        ("https://.wootric.com", "is not a URL"),
        (f"https://{'a' * 64}.com", "is not a URL"),
        ("https://api.wootric.com:99999", "is not a URL"),
        ("https://api.wootric.com/#v1", "no placeholder"),
        ("https://api.wootric.com/{client_secret}", "no placeholder"),
        ("https://ada:pass@api.wootric.com", "no credentials, no query"),
        ("https://api.wootric.com?account_token=NPS-1", "no credentials, no query"),
        ("http://localhost@example.com", "no credentials, no query"),
    ],
)
def test_an_address_that_would_leak_or_lead_nowhere_is_told(url: str, problem: str) -> None:
    """Credentials go over https only, save to loopback."""
    (found,) = told(api_url=url)

    assert found.startswith("setting 'api_url'")
    assert problem in found


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({"page_size": 9}, "setting 'page_size' is wrong: it must be at least 10"),
        ({"page_size": 51}, "setting 'page_size' is wrong: it must be at most 50"),
        ({"page_size": "50"}, "setting 'page_size' is wrong: it must be of type integer"),
        ({"lookback_days": -1}, "setting 'lookback_days' is wrong: it must be at least 0"),
        ({"max_concurrency": 0}, "setting 'max_concurrency' is wrong: it must be at least 1"),
        ({"request_timeout": 0}, "setting 'request_timeout' is wrong: it must be at least 1"),
        ({"region": "de"}, "setting 'region' is wrong: it must be one of us, eu, au"),
        (
            {"grant_type": "magic"},
            "setting 'grant_type' is wrong: it must be one of client_credentials, password",
        ),
        ({"user_agent": 5}, "setting 'user_agent' is wrong: it must be of type string"),
        ({"start_data": "2024-01-31"}, "setting 'start_data' is unknown: did you mean"),
        ({"q": 1}, "setting 'q' is unknown: see --about for those there are"),
        ({"client_secret": 12345}, "setting 'client_secret' is wrong: it must be of type string"),
    ],
)
def test_a_wrong_setting_is_told_by_name_with_what_it_must_be(
    config: dict[str, Any], problem: str
) -> None:
    """Not with its value, which may be a secret in the wrong place."""
    (found,) = told(**config)

    assert found.startswith(problem)
    assert "12345" not in found


def test_a_rule_that_is_not_known_is_named() -> None:
    """One that a later SDK brings along for a setting of its own: no stack trace, nor the value."""
    declared = {**SCHEMA["properties"], "code": {"pattern": "^[a-z]*$"}}

    (found,) = problems({**APP, "code": "12345"}, {"properties": declared})

    assert found == "setting 'code' is wrong: it must be valid (pattern)"


@pytest.mark.parametrize("agent", ["a\nX-Header: b", " agent", "agent ", "a\tb", "ümlaut", "漢字"])
def test_a_user_agent_that_no_header_can_hold_is_told(agent: str) -> None:
    """Before `requests` stumbles over it."""
    (problem,) = told(user_agent=agent)

    assert problem.startswith("setting 'user_agent' must be printable ASCII")
    assert told(user_agent="our-sync/1.0 (ops@example.com)") == []


def test_everything_wrong_is_told_at_once() -> None:
    """Nobody wants to start a tap five times."""
    found = told(page_size=5, region="de", start_data="x", client_id="")

    assert [
        name
        for name in ("page_size", "region", "start_data", "client_id")
        if any(f"'{name}'" in problem for problem in found)
    ] == ["page_size", "region", "start_data", "client_id"]


values = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text(), max_size=2)


@given(st.dictionaries(st.sampled_from(sorted(SCHEMA["properties"])), values))
def test_any_value_of_any_setting_is_right_or_told(config: dict[str, Any]) -> None:
    """Never an error of the check itself, and always a sentence that begins with the name."""
    config = with_connection_details(config)

    for problem in problems(config, SCHEMA):
        assert problem.startswith("setting '")
    for name in DATES:
        if not list(problems(config, SCHEMA)):
            moment(config, name)


def test_connection_details_take_the_place_of_what_is_not_given() -> None:
    """The form in which Birdie's set-up page shows the credentials."""
    details = {**APP, "grant_type": "client_credentials"}

    assert with_connection_details({"connection_details": details}) == details
    mixed = {"connection_details": details, "client_id": "mine"}
    assert with_connection_details(mixed) == {**details, "client_id": "mine"}


@pytest.mark.parametrize("details", ["text", 5, ["client_id"], {**APP, "user": "x"}])
def test_connection_details_of_another_form_are_told(details: Any) -> None:
    """Rather than ignored."""
    config = with_connection_details({**APP, "connection_details": details})

    (problem,) = problems(config, SCHEMA)
    assert problem.startswith("setting 'connection_details' is wrong")


def test_spaces_belong_to_a_password() -> None:
    """A line end does not: no form on the web takes one."""
    spaced = dict.fromkeys(["client_id", "client_secret", "username", "password"], " a \r\n")

    found = with_connection_details(spaced)

    assert found["password"] == " a "
    assert {found[name] for name in spaced if name != "password"} == {"a"}


def test_null_means_left_alone() -> None:
    """What orchestrators write for a setting without value."""
    assert with_connection_details({"region": None, **APP}) == APP


@pytest.mark.parametrize("region", REGIONS)
def test_an_address_ends_without_a_slash(region: str) -> None:
    """Paths are put behind it."""
    assert not base_url({"region": region}).endswith("/")
    assert base_url({"region": region, "api_url": "http://localhost/x//"}) == "http://localhost/x"


def test_a_date_is_a_moment_in_utc() -> None:
    """Whatever offset it is written in."""
    config = {"start_date": "2024-01-31T01:00:00+01:00", "end_date": "2024-02-01"}

    assert moment(config, "start_date") == datetime(2024, 1, 31, tzinfo=UTC)
    assert moment(config, "end_date") == datetime(2024, 2, 1, tzinfo=UTC)
    assert moment({}, "start_date") is None
