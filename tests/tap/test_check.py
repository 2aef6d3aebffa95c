"""The account check: each answer in the configuration of the API that it is about."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from tap_wootric import tap
from tap_wootric.check import AccountCheck, action, as_text

from .helpers import Account, Json, Output, invoke


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
    answers = {line.split("  ")[0]: line.split()[-1] for line in output.lines[:-1]}
    assert len(answers) == len(output.lines) - 1 == 18
    for line in output.lines[:-1]:
        assert any(f"  {answer} " in line for answer in ("yes", "no", "cannot tell")), line
        assert line.endswith("."), line


@pytest.mark.parametrize(
    ("options", "name", "answer", "detail"),
    [
        ({}, "sign-in", "yes", "token received"),
        ({}, "stream email_stats", "yes", "one object"),
        ({}, "rate limit announced", "no", "no X-Rate-Limit-Limit"),
        ({"rate_limit": (100, 60)}, "rate limit announced", "yes", "100 requests"),
        ({"date_ahead": 36000}, "server clock known", "yes", "+3"),
        ({"date_ahead": None}, "server clock known", "no", "no Date header"),
        ({}, "per_page honored", "yes", "50 requested, 50 returned"),
        ({"per_page_cap": 25}, "per_page honored", "yes", "50 requested, 25 returned"),
        ({}, "sort_key honored by responses", "yes", "sorted by created_at"),
        ({"sort_key": False}, "sort_key honored by end_users", "no", "not sorted by updated_at"),
        ({}, "updated honored by responses", "yes", "the filter selects"),
        ({"updated_filter": False}, "updated honored by responses", "no", "the filter is ignored"),
        ({"updated_filter": False}, "updated honored by end_users", "yes", "the filter selects"),
        ({"time_format": "unix"}, "time format known", "yes", "1"),
        ({"time_format": "offset"}, "time format known", "yes", "20"),
        ({}, "survey ids", "yes", "10: 0 to 10, 11: "),
    ],
)
def test_each_answer_follows_the_api(
    account: Account, options: Json, name: str, answer: str, detail: str
) -> None:
    """Over HTTP; `updated` and `sort_key` may be silently ignored."""
    for option, value in options.items():
        setattr(account.sandbox.options, option, value)

    finding = findings(account)[name]

    assert finding["answer"] == answer
    assert finding["detail"].startswith(detail)


def test_an_empty_account_leaves_questions_open(empty: Account) -> None:
    """The check passes: nothing speaks against a sync."""
    found = findings(empty)

    unknown = {name for name, finding in found.items() if finding["answer"] == "cannot tell"}
    assert unknown == {
        "per_page honored",
        *(f"sort_key honored by {name}" for name in ("responses", "end_users")),
        *(f"updated honored by {name}" for name in ("responses", "end_users")),
        "time format known",
        "survey ids",
    }
    assert check(empty).code == 0


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


def test_an_unknown_time_format_fails_the_check_and_shows_no_value() -> None:
    """Only its form."""
    record = {"id": 1, "created_at": "ada@example.com", "score": 9, "survey_id": [1]}

    client: Any = SimpleNamespace(
        get=lambda *_, **__: [record],
        rate_limiter=SimpleNamespace(limit=0),
        transport=SimpleNamespace(server_time=None),
    )
    stream: Any = SimpleNamespace(name="responses", selected_by_default=True, declared_schema={})

    found = AccountCheck(client, [stream]).run()

    assert "xxx@xxxxxxx.xxx" in as_text(found)
    assert "ada" not in as_text(found)
    assert action(found).startswith("Report the time format")


def test_the_check_shows_no_personal_data(account: Account) -> None:
    """Neither in the table nor in the log."""
    rows = [row for stream in ("responses", "end_users") for row in account.truth(stream).values()]
    words = {row.get(name) for row in rows for name in ("email", "text", "phone_number")} - {None}

    output = check(account, "text")

    text = "\n".join([*output.lines, output.log])
    assert [word for word in words if len(word) > 5 and word in text] == []
