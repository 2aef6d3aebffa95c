"""Crowded seconds: imports put thousands of records into one, and all of them are delivered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from math import ceil
from typing import Any

import pytest

from .helpers import (
    Account,
    assert_complete,
    assert_each_once,
    rfc3339,
    second_of,
)

MakeAccount = Callable[..., Account]

CROWDS = [
    *(("responses", f, r) for f in ("same", "spread") for r in ("stored", "seconds")),
    ("declines", "spread", "stored"),
    ("end_users", "same", "seconds"),
]
"""Every reading of a crowded second once, and every stream."""


@pytest.mark.parametrize(("stream", "fractions", "reading"), CROWDS)
def test_two_thousand_in_one_second_are_all_delivered(
    account: Account, stream: str, fractions: Any, reading: str
) -> None:
    """An import puts thousands into one second; page 31 does not exist."""
    account.sandbox.options.filter_reading = reading
    account.sandbox.store.burst(2_000, second_of(account), fractions, stream)

    output = account.sync(stream)

    assert output.code == 0
    assert_each_once(output.ids(stream))
    assert_complete(account, output.records(stream), stream)
    assert max(int(request.query["page"]) for request in account.lists(stream)) <= 30
    assert all(request.status == 200 for request in account.lists(stream))


@pytest.mark.parametrize(("quiet", "concurrency"), [(10, 4), (300, 1), (1000, 4)])
def test_two_thousand_in_one_second_cost_at_most_five_percent_more_requests_than_pages(
    make_account: MakeAccount, quiet: int, concurrency: int
) -> None:
    """Where a few quiet seconds lie around it; all requests for records counted."""
    account = make_account(responses=0)
    store, second = account.sandbox.store, second_of(account)
    store.burst(2_000, second)
    for i in range(1, quiet + 1):
        for moment in (second - timedelta(seconds=i), second + timedelta(seconds=i)):
            store.add("responses", moment, updated_at=moment)

    output = account.sync(max_concurrency=concurrency)

    assert output.code == 0
    assert_each_once(output.ids())
    assert_complete(account, output.records())
    assert len(account.lists()) <= ceil(len(account.truth()) / 50) * 1.05


@pytest.mark.parametrize(("stream", "fractions", "reading"), CROWDS)
def test_beyond_three_thousand_in_one_second_the_rest_is_delivered_and_the_second_named(
    account: Account, stream: str, fractions: Any, reading: str
) -> None:
    """That run ends with an error that says what is missing; the runs after it are normal."""
    account.sandbox.options.filter_reading = reading
    second = second_of(account)
    others = account.truth(stream)
    account.sandbox.store.burst(3_500, second, fractions, stream)

    first = account.sync(stream)
    again = account.sync(stream, state=first.state)

    assert first.code == 1
    assert rfc3339(second) in first.error
    assert f"'{stream}'" in first.error
    assert_each_once(first.ids(stream))
    assert others.keys() <= set(first.ids(stream))
    assert len(first.ids(stream)) == len(others) + 3_000
    assert (again.code, again.ids(stream)) == (0, [])


def test_an_overfull_second_within_the_look_back_is_reported_once(account: Account) -> None:
    """A run that only reads it again has lost nothing new."""
    account.sandbox.options.updated_filter = False
    account.sandbox.store.burst(3_500, second_of(account, days_ago=2))
    first = account.sync()
    account.sandbox.store.add_response()

    again = account.sync(state=first.state)

    assert first.code == 1
    assert (again.code, len(again.ids())) == (0, 1)


@pytest.mark.parametrize("concurrency", [1, 4])
def test_an_overfull_second_is_named_also_by_a_run_that_breaks_off_behind_it(
    make_account: MakeAccount, concurrency: int
) -> None:
    """Later runs do not come by that second again; the first that is complete fails with it."""
    account = make_account(responses=2_000)
    store, second = account.sandbox.store, second_of(account, days_ago=300)
    store.burst(3_500, second)
    broken = sorted(account.truth().values(), key=lambda row: row["created_at"])[-100]
    store.change(broken["id"], updated_at=broken["updated_at"], end_user=5)

    first = account.sync(max_concurrency=concurrency)
    store.change(broken["id"], updated_at=broken["updated_at"], end_user=None)
    again = account.sync(state=first.state, max_concurrency=concurrency)

    assert str(broken["id"]) in first.error
    named = [line for line in first.log.splitlines() if rfc3339(second) in line]
    assert len(named) == 1
    assert "export" in named[0]
    assert again.code == 1
    assert rfc3339(second) in again.error
    assert account.sync(state=again.state, max_concurrency=concurrency).code == 0
    assert len(first.ids() + again.ids()) == len(set(first.ids() + again.ids())) == 5_000


@pytest.mark.parametrize("days_ago", [30, 0.01])
def test_a_crowded_second_whose_order_can_not_be_reversed_is_not_taken_for_complete(
    account: Account, days_ago: float
) -> None:
    """Where both directions show the same 1,500 of 2,000, the others are missed aloud."""
    account.sandbox.options.ties = "same"
    second = second_of(account, days_ago)
    account.sandbox.store.burst(2_000, second, "same")

    output = account.sync()

    assert output.code == 1
    assert rfc3339(second) in output.error
    assert len(output.ids()) == 300 + 1_500


def test_a_crowded_second_of_different_fractions_needs_no_certain_order_of_ties(
    account: Account,
) -> None:
    """The stored times order it, though the shown ones are equal."""
    account.sandbox.options.ties = "same"
    account.sandbox.store.burst(2_000, second_of(account), "spread")

    output = account.sync()

    assert output.code == 0
    assert_complete(account, output.records())


def test_ties_in_another_order_for_each_page_are_all_delivered(account: Account) -> None:
    """A database that sorts no more than a page needs repeats some and leaves out others."""
    account.sandbox.options.ties = "place"
    account.sandbox.store.burst(120, second_of(account), "same")

    output = account.sync()

    assert output.code == 0
    assert_each_once(output.ids())
    assert_complete(account, output.records())
