"""Failures: what cannot be delivered is reported, and everything else is delivered."""

from collections.abc import Callable
from typing import Any

import pytest

from .helpers import ALL, Account, Json, Output, assert_complete, assert_each_once, invoke

FAULTS = ("408", "500", "503", "reset", "lost_reply", "cut", "html", "object", "retry_after")


def item(number: int, **changes: Any) -> Json:
    """A response as the API lists it."""
    moment = f"2026-01-{number:02} 09:00:00 -0800"
    return {"id": number, "created_at": moment, "updated_at": moment, "score": 9} | changes


def sync_of(account: Account, *items: Any, **keywords: Any) -> Output:
    """Sync against an API that lists these items."""
    with account.answering(responses=list(items)):
        return account.sync(**keywords)


def test_unreadable_values_become_null_with_one_warning_for_each_field(account: Account) -> None:
    """The values move to `additional_fields`, and the log does not contain them."""
    wrong = {"completed": "perhaps", "score": "9.5", "tags": "a,b", "end_user": "ada@example.com"}

    output = sync_of(account, item(1, **wrong), item(2, **wrong), item(3))

    assert output.code == 0
    for record in output.records()[:2]:
        assert {name: record[name] for name in wrong} == dict.fromkeys(wrong)
        assert record["additional_fields"] == wrong
    for name, value in wrong.items():
        lines = [line for line in output.log.splitlines() if f"'{name}'" in line]
        assert len(lines) == 1
        assert "2 values" in lines[0]
        assert str(value) not in output.log


@pytest.mark.parametrize(
    ("named", "unreadable"),
    [
        *(("'id' is not an integer", x) for x in (item(2, id="two"), item(2, id=None), 5, None)),
        *(("'created_at' is not a time", item(2, created_at=x)) for x in ("soon", None)),
    ],
    ids=str,
)
def test_a_record_that_cannot_be_identified_or_ordered_is_reported_and_all_else_delivered(
    account: Account, named: str, unreadable: Any
) -> None:
    """The run fails at its end, and the next one continues."""
    first = sync_of(account, item(1), unreadable, item(3))
    second = sync_of(account, item(1), item(3), item(4), state=first.state)

    assert (first.code, first.ids()) == (1, [1, 3])
    assert named in first.error
    assert "responses" in first.error
    assert (second.code, second.ids()) == (0, [4])


@pytest.mark.parametrize("fault", ["403", "404", "503"])
@pytest.mark.parametrize("failing", ["responses", "segments"])
def test_a_failing_stream_stops_no_other_and_keeps_its_state(
    account: Account, fault: str, failing: str
) -> None:
    streams = ALL[:4]
    state = account.sync(streams).state
    added = {name: account.sandbox.store.add(name)["id"] for name in ALL[:3]}
    account.sandbox.faults.on(fault, share=1, path=f"/v1/{failing}")

    output = account.sync(streams, state=state, retry_budget_seconds=0)
    account.sandbox.faults.off()
    later = account.sync(streams, state=output.state)

    assert output.code == 1
    assert f"'{failing}'" in output.error
    assert ("may not read" in output.error) == (fault == "403")
    assert output.ids("end_users") == [added["end_users"]]
    assert output.state["bookmarks"].get(failing) == state["bookmarks"].get(failing)
    assert output.ids("responses") + later.ids("responses") == [added["responses"]]
    assert later.code == 0


def test_each_failed_stream_has_one_line_at_the_end(account: Account) -> None:
    """The line appears once. The connection test fails too."""
    for name in ("responses", "declines"):
        account.sandbox.faults.on("403", share=1, path=f"/v1/{name}")

    output = account.start(ALL[:3]).finish()

    assert output.code == 1
    assert [line.split("'")[1] for line in output.errors] == ["declines", "responses"]
    assert output.log.count("may not read") == 2
    assert "Traceback" not in output.log
    assert_complete(account, output.records("end_users"), "end_users")
    assert "'declines'" in invoke([*account.options(), "--test"]).error


def test_a_seventh_of_all_requests_may_fail(
    make_account: Callable[..., Account], stream: str
) -> None:
    """Of each kind, in lists and at the token endpoint, with tokens that expire."""
    account = make_account(seed=3, responses=1500)
    account.sandbox.options.token_lifetime = 0.5
    for seed, fault in enumerate(FAULTS):
        account.sandbox.faults.on(fault, share=0.15 / len(FAULTS), seed=seed)

    first = account.sync(stream, page_size=25)
    account.sandbox.faults.off()

    assert first.code == 0
    assert sum(bool(request.fault) for request in account.sandbox.requests) >= 2
    assert_each_once(first.ids(stream))
    assert_complete(account, first.records(stream), stream)
    assert account.sync(stream, state=first.state).records(stream) == []


@pytest.mark.parametrize(
    ("fault", "path", "after", "problem"),
    [
        ("503", "/v1/responses", 30, "failed for 0 s (last error: HTTP 503)"),
        ("401", "/oauth/token", 2, "Wootric rejected the credentials"),
    ],
)
def test_a_server_that_stays_down_ends_in_one_line_and_a_state_to_resume_from(
    make_account: Callable[..., Account], fault: str, path: str, after: int, problem: str
) -> None:
    account = make_account(responses=3_000)
    account.sandbox.options.token_lifetime = 0.2
    account.sandbox.faults.on(fault, share=1, after=after, path=path)

    output = account.sync(retry_budget_seconds=0, page_size=25)
    account.sandbox.faults.off()
    rest = account.sync(state=output.state)

    assert output.code == 1
    assert problem in output.error
    assert "Traceback" not in output.log
    assert output.bookmark() == output.records()[-1]["created_at"]
    assert_each_once(output.ids() + rest.ids())
    assert_complete(account, output.records() + rest.records())


def test_a_list_that_ignores_the_order_ends_in_one_line(account: Account) -> None:
    output = sync_of(account, item(2), item(1))

    assert (output.code, output.records()) == (1, [])
    assert "requested in ascending order is not sorted" in output.error
