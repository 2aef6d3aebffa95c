"""Faults: they cost time and nothing else; a server that stays down ends in one line."""

from __future__ import annotations

import time
from typing import Any

import pytest
import responses

from .helpers import INCREMENTAL, Account, assert_complete

STATUSES = ("408", "500", "502", "503", "504")
BROKEN = ("reset", "lost_reply", "cut", "html")
PASSING = (*STATUSES, *BROKEN, "object", "retry_after", "slow")


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their lengths have tests of their own."""
    monkeypatch.setattr("tap_wootric.retries.LONGEST_WAIT", 0.02)


@pytest.mark.parametrize("fault", PASSING)
def test_a_fault_that_passes_costs_nothing_but_time(account: Account, fault: str) -> None:
    """Each kind, in the first request and later ones."""
    details = {"seconds": 0.1} if fault == "slow" else {}
    rule = account.sandbox.faults.on(fault, times=3, path="/v1/responses", **details)

    output = account.sync(page_size=50)

    assert output.code == 0
    assert rule.hits == 3
    assert len(output.ids()) == len(set(output.ids()))
    assert_complete(account, output.records())


@pytest.mark.parametrize("fault", PASSING)
def test_a_fault_while_signing_in_costs_nothing_but_time(account: Account, fault: str) -> None:
    """The SDK has no retries there."""
    rule = account.sandbox.faults.on(fault, times=2, path="/oauth/token")

    output = account.sync()

    assert output.code == 0
    assert rule.hits == (1 if fault == "slow" else 2)
    assert_complete(account, output.records())


@pytest.mark.parametrize("path", ["/v1/responses", "/oauth/token"])
def test_a_server_that_does_not_answer_is_asked_again(account: Account, path: str) -> None:
    """After `request_timeout`."""
    account.sandbox.faults.on("hang", times=1, path=path, seconds=5)

    output = account.sync(request_timeout=1)

    assert output.code == 0
    assert_complete(account, output.records())


@pytest.mark.parametrize("path", ["/v1/responses", "/oauth/token"])
@pytest.mark.parametrize(("fault", "seconds"), [("slow", 8), ("trickle", 0.1)])
def test_a_reply_that_comes_little_by_little_is_given_up_in_time(
    account: Account, path: str, fault: str, seconds: float
) -> None:
    """`request_timeout` holds for headers and body together, though every byte comes in time."""
    account.sandbox.faults.on(fault, times=1, path=path, seconds=seconds)

    output = account.sync(request_timeout=1)

    assert output.code == 0
    assert "no answer in time; trying again" in output.log
    assert "1 retries" in output.log
    assert_complete(account, output.records())


def test_a_server_that_always_trickles_ends_in_one_line(account: Account) -> None:
    """With the reason that a person can act on."""
    account.sandbox.faults.on("slow", share=1, path="/v1/responses", seconds=8)

    output = account.sync(request_timeout=1, retry_budget_seconds=0)

    assert output.code == 1
    assert "for 0 s, at last with no answer in time." in output.error


def test_a_tenth_of_all_requests_may_fail(make_account: Any, stream: str) -> None:
    """Every kind at once, in lists and at the token endpoint, with tokens that expire."""
    account = make_account(seed=3, responses=1500)
    account.sandbox.options.token_lifetime = 0.5
    for seed, fault in enumerate(PASSING[:-1]):
        account.sandbox.faults.on(fault, share=0.1 / len(PASSING), seed=seed)

    first = account.sync(stream, page_size=25)
    account.sandbox.faults.off()
    second = account.sync(stream, state=first.state)

    assert first.code == 0
    assert sum(bool(request.fault) for request in account.sandbox.requests) >= 3
    assert len(first.ids(stream)) == len(set(first.ids(stream)))
    assert_complete(account, first.records(stream), stream)
    assert second.records(stream) == []


@pytest.mark.parametrize("fault", [*STATUSES, "reset", "cut", "html", "object"])
@pytest.mark.parametrize("path", ["/v1/responses", "/oauth/token"])
def test_a_server_that_stays_down_ends_in_one_line(account: Account, fault: str, path: str) -> None:
    """With what was read, and a state to go on from."""
    sandbox = account.sandbox
    sandbox.before_request(lambda number, _: number == 4 and sandbox.tokens.revoke_all())
    sandbox.faults.on(fault, share=1, after=1 if "token" in path else 3, path=path)

    output = account.sync(page_size=25, max_concurrency=1, retry_budget_seconds=0)
    account.sandbox.faults.off()
    resumed = account.sync(state=output.state, page_size=25)

    assert output.code == 1
    assert " for 0 s, at last with " in output.error
    assert "Traceback" not in output.log
    assert len(output.ids()) > 0
    assert_complete(account, output.records() + resumed.records())


@pytest.mark.parametrize("path", ["/v1/responses", "/oauth/token"])
@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_server_that_stays_down_is_given_up_within_the_stated_time(
    account: Account, path: str, concurrency: int
) -> None:
    """Neither earlier nor much later, however many ask at the same time."""
    account.sandbox.faults.on("503", share=1, path=path)

    began = time.monotonic()
    output = account.sync(max_concurrency=concurrency, retry_budget_seconds=1)
    seconds = time.monotonic() - began

    assert output.code == 1
    assert " for 1 s, at last with HTTP 503" in output.error
    assert 1 <= seconds < 4


def test_the_state_after_a_failure_is_of_what_was_delivered(account: Account) -> None:
    """Nothing beyond it, so the next sync sends the rest and only that."""
    account.sandbox.faults.on("500", share=1, after=3, path="/v1/responses")
    output = account.sync(page_size=25, max_concurrency=1, retry_budget_seconds=0)
    account.sandbox.faults.off()

    bookmark = output.state["bookmarks"]["responses"]["replication_key_value"]
    assert bookmark == output.records()[-1]["created_at"]
    resumed = account.sync(state=output.state, page_size=25)
    assert not set(output.ids()) & set(resumed.ids())


@pytest.mark.parametrize("status", ["400", "413", "422"])
def test_a_request_that_is_refused_for_good_ends_at_once(account: Account, status: str) -> None:
    """Retries would not help; the line names the status and what to check."""
    account.sandbox.faults.on(status, share=1, path="/v1/responses")

    output = account.sync()

    assert output.code == 1
    assert f"refuses 'responses' with HTTP {status}" in output.error
    assert len(account.lists()) == 1


@pytest.mark.parametrize(
    ("seconds", "start", "wrong"),
    [
        ([1_700_000_002, 1_700_000_001], None, "in ascending order came in another order"),
        ([1_500_000_000], "2020-01-01", "from outside the time range that was asked for"),
    ],
)
def test_a_list_that_is_not_as_asked_for_ends_in_one_line(
    account: Account, seconds: list[int], start: str | None, wrong: str
) -> None:
    """Walking on would lose records; none of the page is sent."""
    page = [{"id": n, "created_at": s, "updated_at": s} for n, s in enumerate(seconds)]
    url = account.sandbox.wootric_url
    with responses.RequestsMock() as server:
        server.post(f"{url}/oauth/token", json={"access_token": "t0k3n", "expires_in": 7200})
        server.get(f"{url}/v1/responses", json=page)
        output = account.sync(start_date=start)

    assert output.code == 1
    assert "Wootric's list of 'responses' can't be read: a page" in output.error
    assert wrong in output.error
    assert "Traceback" not in output.log
    assert output.records() == []


@pytest.mark.parametrize("path", ["/", "/nowhere"])
def test_an_address_that_is_no_api_is_said_to_be_none(account: Account, path: str) -> None:
    """With the settings to check."""
    output = account.sync(api_url=account.sandbox.url + path, retry_budget_seconds=0)

    assert output.code == 1
    assert "'api_url'" in output.error


def test_a_host_that_does_not_answer_ends_in_one_line(account: Account) -> None:
    """A port that nobody listens on."""
    output = account.sync(api_url="http://127.0.0.1:9/wootric", retry_budget_seconds=0)

    assert output.code == 1
    assert "http://127.0.0.1:9/wootric/oauth/token" in output.error
    assert "a connection that could not be made" in output.error
    assert "Traceback" not in output.log


@pytest.mark.parametrize("concurrency", [1, 4])
def test_retries_are_logged_with_what_failed(account: Account, concurrency: int) -> None:
    """A line each, without URL or body."""
    account.sandbox.faults.on("html", times=2, path="/v1/responses")

    output = account.sync(max_concurrency=concurrency)

    lines = [line for line in output.log.splitlines() if "trying again in" in line]
    assert len(lines) == 2
    assert all("responses: HTTP 200 with a body that is not JSON" in line for line in lines)
    assert "2 retries" in output.log


def test_retries_of_signing_in_are_logged_and_counted(account: Account) -> None:
    """Like those of any other request, without what was sent."""
    account.sandbox.faults.on("reset", times=2, path="/oauth/token")

    output = account.sync(account_token="NPS-s3cr3t")

    lines = [line for line in output.log.splitlines() if "trying again in" in line]
    assert [line.rpartition(" (")[2] for line in lines] == ["try 1)", "try 2)"]
    assert all("Signing in: a connection that could not be made or" in line for line in lines)
    assert "2 retries" in output.log
    assert account.config["client_secret"] not in output.log
    assert "s3cr3t" not in output.log


def test_all_streams_survive_faults_in_one_run(make_account: Any) -> None:
    """One run, every stream, a tenth of the requests failing."""
    account = make_account(seed=2, responses=400)
    account.sandbox.faults.on("503", share=0.1)
    streams = (*INCREMENTAL, "segments")

    output = account.sync(streams, page_size=25)

    assert output.code == 0
    for name in INCREMENTAL:
        assert_complete(account, output.records(name), name)
    assert len(output.records("segments")) == len(account.sandbox.store.segments())
