"""`--check`: two requests that Birdie cannot store, and a verdict on address, path and key."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import responses
from connector_sandbox import Sandbox
from target_birdie.check import CHECK_ID

Check = Callable[..., tuple[int, list[str]]]
YES, NO, UNKNOWN = "yes", "no", "cannot tell"


@pytest.fixture
def check(run_command: Callable[..., Any], config: dict[str, Any]) -> Check:
    """Run the check with changed settings; return its exit code and lines, the error last."""

    def run(**changes: Any) -> tuple[int, list[str]]:
        result = run_command("--check", **changes)
        return result.exit_code, (result.stdout + result.stderr).splitlines()

    return run


def verdict(lines: list[str]) -> tuple[str, str]:
    """What the check says of path and key, without explanations."""
    found = [line.partition(" is right: ")[2].partition(":")[0] for line in lines]
    path, key = (answer for answer in found if answer)
    return path, key


def test_the_sandbox_accepts_path_and_key(sandbox: Sandbox, check: Check) -> None:
    exit_code, lines = check()

    assert (exit_code, verdict(lines), lines[-1]) == (0, (YES, YES), "OK")
    assert lines[0].startswith(f"Sending two PUT requests to {sandbox.birdie_url}/feedbacks/")
    assert (sandbox.birdie.puts, sandbox.birdie.records()) == (2, {})
    assert sum("/schemas/" in line for line in lines) == 2


@pytest.mark.parametrize(
    ("settings", "expected", "advice"),
    [
        ({"api_key": "wrong"}, (UNKNOWN, NO), "Check api_key."),
        ({"feedback_path": "/wrong/{feedback_id}"}, (NO, UNKNOWN), "Check feedback_path"),
        ({"api_url": "http://127.0.0.1:9"}, (UNKNOWN, UNKNOWN), "(no connection). Check api_url"),
    ],
)
def test_the_last_line_says_what_to_correct(
    settings: dict[str, Any], expected: tuple[str, str], advice: str, check: Check
) -> None:
    exit_code, lines = check(**settings)

    assert (exit_code, verdict(lines), advice in lines[-1]) == (1, expected, True)


def test_a_key_cannot_be_proved_if_birdie_reads_the_body_first(
    sandbox: Sandbox, check: Check
) -> None:
    sandbox.options.birdie_key_first = False
    exit_code, lines = check(api_key="wrong")

    assert (exit_code, verdict(lines), lines[-1]) == (0, (YES, UNKNOWN), "OK")


@pytest.mark.parametrize("fault", ["500", "503", "reset", "html"])
def test_a_fault_of_the_server_gives_no_verdict(fault: str, sandbox: Sandbox, check: Check) -> None:
    sandbox.faults.on(fault, share=1.0, path="/birdie")
    exit_code, lines = check()

    assert (exit_code, verdict(lines)) == (1, (UNKNOWN, UNKNOWN))
    assert "Birdie did not check the record" in lines[-1]


@pytest.mark.parametrize(
    ("status", "expected"),
    [(403, (UNKNOWN, NO)), (405, (NO, UNKNOWN)), (302, (UNKNOWN, UNKNOWN))],
)
@responses.activate
def test_other_refusals_have_a_verdict(
    status: int, expected: tuple[str, str], check: Check
) -> None:
    responses.put(re.compile(f".*/{CHECK_ID}$"), status=status)
    responses.get(re.compile(".*/schemas/.*"), status=404)
    exit_code, lines = check(api_url="https://api.birdie.example")

    assert (exit_code, verdict(lines)) == (1, expected)


@responses.activate
def test_a_stored_record_fails_the_check_with_its_id(check: Check) -> None:
    responses.put(re.compile(".*"), status=201)
    exit_code, lines = check(api_url="https://api.birdie.example")

    assert (exit_code, f"Birdie stored the record '{CHECK_ID}'" in lines[-1]) == (1, True)
    assert len(responses.calls) == 1


def test_the_check_needs_a_key(check: Check) -> None:
    exit_code, lines = check(api_key=None, dry_run=True)

    assert (exit_code, "Setting 'api_key' is missing." in lines[-1]) == (1, True)
