"""Rate limit: used as far as it goes, never hit, and waited for when it is hit all the same."""

from __future__ import annotations

import re
import time
from collections import Counter
from math import ceil
from typing import Any

import pytest

from tap_wootric import pace, transport

from .helpers import Account, assert_complete

LIMIT, WINDOW = 20, 2
RESERVE = 1


def statuses(account: Account) -> Counter[int]:
    """How often the lists were answered with each status."""
    return Counter(request.status for request in account.lists())


@pytest.mark.long
@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_limit_is_used_up_and_never_hit(make_account: Any, concurrency: int) -> None:
    """20 requests in 2 s: no 429, all records, within 10 % of what the limit allows."""
    account = make_account(responses=3500)
    account.sandbox.options.rate_limit = (LIMIT, WINDOW)
    time.sleep(WINDOW - time.time() % WINDOW)  # a whole window

    output = account.sync(max_concurrency=concurrency, page_size=50)

    assert_complete(account, output.records())
    assert statuses(account).keys() == {200}
    lists = account.lists()
    windows = ceil(len(lists) / LIMIT)
    seconds = lists[-1].finished - lists[0].started
    allowed = (windows - 1) * WINDOW + WINDOW * (len(lists) % LIMIT or LIMIT) / LIMIT
    assert seconds <= 1.1 * allowed + 0.2


@pytest.mark.long
def test_a_share_is_left_to_other_users_of_the_account(make_account: Any) -> None:
    """A twentieth of each window, save the request that looks whether it was renewed."""
    account = make_account(responses=1200)
    account.sandbox.options.rate_limit = (LIMIT, WINDOW)

    account.sync(page_size=25)

    used = Counter(int(request.finished // WINDOW) for request in account.lists())
    assert len(used) > 2
    assert max(used.values()) <= LIMIT - RESERVE + 1
    assert sum(count > LIMIT - RESERVE for count in used.values()) <= 1


@pytest.mark.long
def test_others_who_use_the_limit_too_are_made_room_for(make_account: Any) -> None:
    """What is left is read from every reply, not counted on one's own."""
    account = make_account(responses=1000)
    sandbox = account.sandbox
    sandbox.options.rate_limit = (LIMIT, WINDOW)

    def use(number: int, path: str) -> None:
        if number % 3 == 0:
            sandbox._wootric._limit.take()

    sandbox.before_request(use)
    output = account.sync(page_size=25)

    assert_complete(account, output.records())
    assert statuses(account).keys() == {200}


def test_the_log_tells_why_and_until_when_it_waits(make_account: Any) -> None:
    """One line a wait, with the time of day."""
    account = make_account(responses=200)
    account.sandbox.options.rate_limit = (5, 1)

    output = account.sync(page_size=25)

    assert output.code == 0
    waits = [line for line in output.log.splitlines() if "Rate limit of 5 requests" in line]
    assert waits
    assert all("waiting" in line and " UTC" in line for line in waits)
    assert len(waits) <= len(account.lists()) / 4 + 1


@pytest.mark.parametrize("date_ahead", [0.0, None], ids=["Date", "no Date"])
def test_a_429_waits_for_its_reset_and_costs_no_retry(
    account: Account, date_ahead: float | None
) -> None:
    """The retries meant for faults are off here; the local clock has to do where none is sent."""
    account.sandbox.options.date_ahead = date_ahead
    account.sandbox.faults.on("429", times=2, path="/v1/responses", reset_in=1)

    output = account.sync(retry_budget_seconds=0)

    assert output.code == 0
    assert_complete(account, output.records())
    assert statuses(account)[429] == 2
    assert "0 retries" in output.log
    assert re.search(r" [1-4] s waited for the rate limit", output.log)


def test_a_429_without_headers_waits_a_minute(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shortened here; that it is a minute is told by the pace's own test."""
    monkeypatch.setattr(pace, "SECONDS_WITHOUT_RESET", 0.7)
    account.sandbox.faults.on("429", times=2, path="/v1/responses")

    output = account.sync(retry_budget_seconds=0)

    assert_complete(account, output.records())
    refused = [r for r in account.lists() if r.status == 429]
    after = [r for r in account.lists() if r.started > refused[-1].finished]
    assert refused[1].started - refused[0].finished >= 0.65
    assert after[0].started - refused[1].finished >= 0.65


def test_without_announcements_nothing_waits(account: Account) -> None:
    """Where the headers are missing, there is no limit."""
    output = account.sync(page_size=25)

    assert "Rate limit" not in output.log
    assert "0 s waited for the rate limit" in output.log


def test_a_token_that_expires_while_the_limit_is_used_up_is_renewed(account: Account) -> None:
    """The token request waits for its turn like all others, and the sync goes on."""
    account.sandbox.options.rate_limit = (LIMIT, WINDOW)
    account.sandbox.options.token_lifetime = 0.4

    output = account.sync(page_size=25, retry_budget_seconds=0)

    assert output.code == 0
    assert_complete(account, output.records())


def test_a_limit_that_somebody_else_uses_up_ends_in_one_line(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not in an endless wait, nor in a stack trace."""
    monkeypatch.setattr(pace, "SECONDS_WITHOUT_RESET", 0.001)
    account.sandbox.faults.on("429", share=1, path="/v1/responses")

    output = account.sync()

    assert output.code == 1
    assert "HTTP 429" in output.error
    assert len(account.lists()) == transport.MAX_REFUSALS
    assert "Traceback" not in output.log
