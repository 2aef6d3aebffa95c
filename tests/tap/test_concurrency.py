"""Concurrency: a long history is read side by side, and nobody can tell from the result."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from connector_sandbox import most_at_once

from tap_wootric.incremental import WORTH_SLICING

from .helpers import Account, assert_complete

MakeAccount = Callable[..., Account]


@pytest.fixture
def long_history(make_account: MakeAccount) -> Account:
    """Enough for several slices, from a server that takes its time."""
    account = make_account(responses=4_000)
    account.sandbox.options.latency = 0.005
    return account


def test_records_leave_in_the_order_of_the_replication_key(long_history: Account) -> None:
    """A bookmark means that everything before it has been sent."""
    output = long_history.sync()

    keys = [record["created_at"] for record in output.records()]
    assert keys == sorted(keys)
    assert len(output.ids()) == len(set(output.ids())) == 4_000


def test_a_history_that_is_too_short_to_gain_is_read_page_after_page(
    long_history: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each slice costs a part of a request: 4,000 records stay within 5 % of 80 requests."""
    monkeypatch.setattr("tap_wootric.incremental.WORTH_SLICING", WORTH_SLICING)

    long_history.sync()

    assert most_at_once(long_history.lists()) == 1
    assert len(long_history.lists()) <= 80 * 1.05


@pytest.mark.parametrize("concurrency", [1, 3])
def test_no_more_requests_are_under_way_than_the_setting_allows(
    long_history: Account, concurrency: int
) -> None:
    """And as many as that are, where the history is long enough."""
    long_history.sync(max_concurrency=concurrency)

    assert most_at_once(long_history.lists()) == concurrency


@pytest.mark.parametrize("concurrency", [1, 3])
def test_what_comes_during_a_long_sync_is_read_by_it(
    long_history: Account, concurrency: int
) -> None:
    """The newest records are asked for at first, and count as the end for a minute only."""
    sandbox = long_history.sandbox
    added: list[int] = []

    def add(number: int, _path: str) -> None:
        if number == 40:
            sandbox.options.utc_offset_seconds_clock += 300
            added.extend(sandbox.store.add_response()["id"] for _ in range(60))

    sandbox.before_request(add)
    output = long_history.sync(max_concurrency=concurrency)

    assert len(added) == 60
    assert set(added) <= set(output.ids())
    assert len(output.ids()) == len(set(output.ids())) == 4_060


def test_where_a_rate_limit_is_announced_pages_are_read_one_after_another(
    long_history: Account,
) -> None:
    """Requests are then what a sync costs, and slices need a few more."""
    long_history.sandbox.options.rate_limit = (10_000, 60)

    long_history.sync()

    assert most_at_once(long_history.lists()) == 1


def test_one_token_serves_all_threads(long_history: Account) -> None:
    """Also when it is revoked while several requests are under way."""
    long_history.sandbox.faults.on("revoke", times=1, after=20, path="/v1/")

    output = long_history.sync()

    assert_complete(long_history, output.records())
    assert len(long_history.tokens) == 2


def test_a_record_that_can_not_be_read_ends_the_sync_after_all_before_it(
    long_history: Account,
) -> None:
    """Whichever thread meets it, one line names it, and the next sync begins there."""
    store = long_history.sandbox.store
    rows = sorted(long_history.truth().values(), key=lambda row: row["created_at"])
    broken, before = rows[-300], {row["id"] for row in rows[:-300]}
    store.change(broken["id"], updated_at=broken["updated_at"], end_user=5)

    output = long_history.sync()

    assert output.code == 1
    assert f"Record {broken['id']} of 'responses' can't be read: end_user" in output.error
    assert set(output.ids()) <= before
    assert len(output.ids()) >= len(before) - 50
    store.change(broken["id"], updated_at=broken["updated_at"], end_user=None)
    rest = long_history.sync(state=output.state)
    assert sorted(output.ids() + rest.ids()) == sorted(row["id"] for row in rows)


def test_a_server_that_breaks_down_meanwhile_ends_in_one_line(long_history: Account) -> None:
    """Not one from each thread; what was read before is kept."""
    long_history.sandbox.faults.on("503", share=1.0, after=60, path="/v1/responses")

    output = long_history.sync(retry_budget_seconds=0)
    long_history.sandbox.faults.off()
    rest = long_history.sync(state=output.state)

    assert output.code == 1
    assert "503" in output.error
    assert sorted(output.ids() + rest.ids()) == sorted(long_history.truth())
