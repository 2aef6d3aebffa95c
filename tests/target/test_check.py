"""`--check`: two requests that Birdie cannot store, and a verdict on address, path and key."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import responses
from target_birdie.check import CHECK_ID

from .running import Target

Check = Callable[..., tuple[int, tuple[str, ...], str]]
YES, NO, UNKNOWN = "yes", "no", "cannot tell"


@pytest.fixture
def check(target: Target) -> Check:
    """Run the check; return its exit code, the verdicts on path and key, and the last line."""

    def run(**changes: Any) -> tuple[int, tuple[str, ...], str]:
        found = target("", "--check", **changes)
        text = found.output + found.error
        verdicts = re.findall("(?:path|key) is right: (yes|no|cannot tell)", text)
        return found.exit_code, tuple(verdicts), text.splitlines()[-1]

    return run


def test_the_sandbox_accepts_path_and_key_and_stores_nothing(target: Target) -> None:
    lines = target("", "--check").output.splitlines()

    assert lines[0].startswith(f"Sending two PUT requests to {target.sandbox.birdie_url}/feedbacks")
    assert (lines[-1], target.puts, target.sent) == ("OK", 2, {})
    assert f"with schema_path: {target.sandbox.birdie_url}/schemas/{{record_type}}" in lines[-2]


@pytest.mark.parametrize(
    ("settings", "verdicts", "advice"),
    [
        ({}, (YES, YES), "OK"),
        ({"api_key": "wrong"}, (UNKNOWN, NO), "Check api_key."),
        ({"feedback_path": "/wrong/{feedback_id}"}, (NO, UNKNOWN), "Check feedback_path"),
        (
            {"api_url": "http://127.0.0.1:9"},
            (UNKNOWN, UNKNOWN),
            "(no connection). Check api_url (http://127.0.0.1:9)",
        ),
        ({"api_key": None, "dry_run": True}, (), "Setting 'api_key' is missing."),
    ],
)
def test_the_last_line_says_what_to_correct(
    settings: dict[str, Any], verdicts: tuple[str, ...], advice: str, check: Check
) -> None:
    exit_code, found, line = check(**settings)

    assert (exit_code, found, advice in line) == (int(advice != "OK"), verdicts, True)


def test_a_key_cannot_be_proved_if_birdie_reads_the_body_first(
    target: Target, check: Check
) -> None:
    target.sandbox.options.birdie_key_first = False

    assert check(api_key="wrong") == (0, (YES, UNKNOWN), "OK")


@pytest.mark.parametrize(
    ("status", "verdicts", "advice"),
    [
        (403, (UNKNOWN, NO), "Check what api_key may do."),
        (405, (NO, UNKNOWN), "Check feedback_path"),
        (302, (UNKNOWN, UNKNOWN), "Birdie did not check the record (302). Check api_url"),
        (200, (UNKNOWN, UNKNOWN), "(a reply that is not Birdie's). Check api_url"),
        (503, (UNKNOWN, UNKNOWN), "Birdie did not check the record (503). Check api_url"),
        (201, (UNKNOWN, UNKNOWN), f"Birdie stored the record '{CHECK_ID}'"),
    ],
)
@responses.activate
def test_other_replies_have_a_verdict(
    status: int, verdicts: tuple[str, ...], advice: str, check: Check
) -> None:
    responses.put(re.compile(f".*/{CHECK_ID}$"), status=status, body="<html>")
    responses.get(re.compile(".*/schemas/.*"), status=404)
    exit_code, found, line = check(api_url="https://api.birdie.example")

    assert (exit_code, found, advice in line) == (1, verdicts, True)
