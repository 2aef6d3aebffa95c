"""Every record that the account holds is delivered, once and in order."""

from collections.abc import Callable

import pytest
from connector_sandbox import most_at_once

from .helpers import REPLICATION_KEYS, Account, assert_complete, assert_each_once, selecting


@pytest.mark.parametrize(
    ("concurrency", "fractions", "reading"), [(1, "same", "stored"), (4, "spread", "seconds")]
)
def test_a_first_sync_delivers_every_record_once_in_the_order_of_the_replication_key(
    account: Account, stream: str, concurrency: int, fractions: str, reading: str
) -> None:
    """Also thousands of records in one second, whether or not filters compare its fractions."""
    account.sandbox.options.filter_reading = reading
    account.sandbox.store.burst(2_990, account.moment(30), fractions, stream)

    output = account.sync(stream, max_concurrency=concurrency)

    assert output.code == 0
    assert_each_once(output.ids(stream))
    assert_complete(account, output.records(stream), stream)
    keys = [record[REPLICATION_KEYS[stream]] for record in output.records(stream)]
    assert keys == sorted(keys)


@pytest.mark.parametrize(
    ("concurrency", "limit", "most"), [(1, None, 1.05), (4, None, 1.08), (4, (9_000, 60), 1.05)]
)
def test_a_large_account_costs_few_more_requests_than_pages(
    make_account: Callable[..., Account], concurrency: int, limit: object, most: float
) -> None:
    """Requests are sent at the same time only if no rate limit is announced."""
    account = make_account(responses=6_000)
    account.sandbox.options.rate_limit, account.sandbox.options.latency = limit, 0.005

    output = account.sync(max_concurrency=concurrency)

    assert_each_once(output.ids())
    assert len(output.ids()) == 6_000
    assert len(account.lists()) <= 6_000 / 50 * most
    assert (most_at_once(account.lists()) > 1) == (concurrency > 1 and limit is None)
    assert len(account.lists("token")) == 1


@pytest.mark.parametrize("days_ago", [100, -2])
def test_after_an_end_date_the_next_sync_continues_from_there(
    account: Account, stream: str, days_ago: int
) -> None:
    """An end date in the future hides no later record."""
    account.sandbox.options.updated_filter = False
    config = {"end_date": account.moment(days_ago).isoformat(), "lookback_days": 0}
    bounded = account.sync(stream, **config)
    added = account.sandbox.store.add(stream)["id"]
    rest = account.sync(stream, state=bounded.state, lookback_days=0)

    keys = [record[REPLICATION_KEYS[stream]] for record in bounded.records(stream)]
    assert max(keys) < config["end_date"]
    assert_each_once(bounded.ids(stream) + rest.ids(stream))
    assert_complete(account, bounded.records(stream) + rest.records(stream), stream)
    assert (rest.ids(stream) == [added]) == (days_ago < 0)


def test_a_full_table_sync_delivers_everything_and_keeps_the_state(
    account: Account, stream: str
) -> None:
    state = account.sync(stream).state
    catalog = selecting(stream, replication_method="FULL_TABLE")

    output = account.sync(stream, state=state, catalog=catalog)

    assert_complete(account, output.records(stream), stream)
    assert output.state == state


def test_only_filters_that_mean_the_same_under_both_readings_are_used(account: Account) -> None:
    """`gt`, `lte` and `eq` depend on whether the API compares fractions of a second."""
    state = account.sync((*REPLICATION_KEYS,), start_date="2020-01-01").state
    account.sync((*REPLICATION_KEYS,), state=state)

    names = {name for request in account.sandbox.requests for name in request.query}
    assert {name for name in names if "[" in name} == {
        f"{filtered}[{way}]" for filtered in ("created", "updated") for way in ("gte", "lt")
    }
