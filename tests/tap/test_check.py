"""The account check: each answer in the configuration of the API that it is about."""

import json
from pathlib import Path
from typing import Any

import pytest

from tap_wootric import tap

from .helpers import Account, Json, Output, invoke

CASES = json.loads(Path(__file__).with_name("answers.json").read_text())


def check(account: Account, form: str = "json", **settings: Any) -> Output:
    """Run `--check` with settings in a file."""
    return invoke([*account.options(**settings)[:2], f"--check={form}"])


def findings(account: Account, **settings: Any) -> dict[str, Json]:
    """The findings by what was checked."""
    result = json.loads("\n".join(check(account, **settings).lines))
    return {finding["check"]: finding for finding in result["checks"]}


def test_the_table_explains_each_answer_and_ends_with_ok(account: Account) -> None:
    """An account as documented, with a rate limit."""
    account.sandbox.options.rate_limit = (100, 60)

    output = check(account, "text")

    assert output.code == 0
    assert output.lines[-1] == "OK"
    assert len({line.split("  ")[0] for line in output.lines[:-1]}) == 18
    for line in output.lines[:-1]:
        assert any(f"  {answer} " in line for answer in ("yes", "no", "cannot tell")), line
        assert line.endswith("."), line


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["options"]))
def test_the_answers_follow_the_api(account: Account, case: Json) -> None:
    """Over HTTP; `updated` and `sort_key` may be silently ignored."""
    for option, value in case["options"].items():
        setattr(account.sandbox.options, option, value)

    found = findings(account)

    for name, answer in case["answers"].items():
        assert f"{found[name]['answer']}: {found[name]['detail']}".startswith(answer)


def test_an_empty_account_leaves_questions_open_and_passes(empty: Account) -> None:
    output = check(empty, "text")

    unknown = [line.split("  ")[0].strip() for line in output.lines if "  cannot tell  " in line]
    lists = ("responses", "end_users")
    assert (output.code, output.lines[-1]) == (0, "OK")
    assert unknown == [
        "per_page honored",
        *(f"sort_key honored by {name}" for name in lists),
        *(f"updated honored by {name}" for name in lists),
        "time format known",
        "survey ids",
    ]


@pytest.mark.parametrize(("path", "code"), [("/declines", 1), ("/email_stats", 0)])
def test_only_a_default_stream_without_access_fails_the_check(
    account: Account, path: str, code: int
) -> None:
    """The last line says what to do."""
    account.sandbox.faults.on("403", share=1, path=path)

    output = check(account, "text")

    assert output.code == code
    assert f"stream {path[1:]:22}  no " in "\n".join(output.lines)
    assert ("may not read 'declines' (HTTP 403)" in output.lines[-1]) == bool(code)


@pytest.mark.parametrize(
    ("settings", "share", "problem"),
    [
        ({"client_secret": "wrong"}, 0, "Wootric rejected the credentials"),
        ({}, 1, "Sign-in failed for 0 s"),
    ],
)
def test_without_a_token_the_check_fails_at_the_sign_in(
    account: Account, monkeypatch: pytest.MonkeyPatch, settings: Json, share: int, problem: str
) -> None:
    """One finding, and what to do."""
    monkeypatch.setattr(tap, "CHECK_SECONDS", 0)
    account.sandbox.faults.on("503", share=share, path="/oauth/token")

    output = check(account, **settings)

    result = json.loads("\n".join(output.lines))
    assert output.code == 1
    assert [(f["check"], f["answer"]) for f in result["checks"]] == [("sign-in", "no")]
    assert result["result"].startswith(problem)


def test_an_unknown_time_format_fails_the_check_and_shows_no_value(account: Account) -> None:
    """Only its form."""
    record = {"id": 1, "created_at": "ada@example.com", "score": 9, "survey_id": [1]}
    with account.answering(**{".*": [record]}):
        output = check(account, "text")

    assert "xxx@xxxxxxx.xxx" in "\n".join(output.lines)
    assert "ada" not in "\n".join(output.lines)
    assert output.lines[-1].startswith("Report the time format")


def test_the_check_shows_no_personal_data(account: Account) -> None:
    """Neither in the table nor in the log."""
    output = check(account, "text")

    text = "\n".join([*output.lines, output.log])
    assert [word for word in account.people() if word in text] == []
