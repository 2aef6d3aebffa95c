"""Every record that the account holds is delivered, once and in order."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .helpers import (
    INCREMENTAL,
    REPLICATION_KEYS,
    Account,
    assert_complete,
    assert_each_once,
    selecting,
)

MakeAccount = Callable[..., Account]


@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_first_sync_delivers_every_record_once_in_the_order_of_the_replication_key(
    account: Account, stream: str, concurrency: int
) -> None:
    output = account.sync(stream, max_concurrency=concurrency)

    assert output.code == 0
    assert_each_once(output.ids(stream))
    assert_complete(account, output.records(stream), stream)
    keys = [record[REPLICATION_KEYS[stream]] for record in output.records(stream)]
    assert keys == sorted(keys)


@pytest.mark.long
@pytest.mark.parametrize(("concurrency", "most"), [(1, 1.05), (4, 1.08)])
def test_twenty_thousand_responses_cost_few_more_requests_than_pages(
    make_account: MakeAccount, concurrency: int, most: float
) -> None:
    account = make_account(responses=20_000)

    output = account.sync(max_concurrency=concurrency)

    assert_each_once(output.ids())
    assert len(output.ids()) == 20_000
    assert len(account.lists()) <= 400 * most
    assert len(account.tokens) == 1


@pytest.mark.parametrize("concurrency", [1, 4])
def test_insertions_and_deletions_during_a_sync_lose_no_other_record(
    make_account: MakeAccount, stream: str, concurrency: int
) -> None:
    account = make_account(responses=4_000)
    store, key = account.sandbox.store, REPLICATION_KEYS[stream]
    rows = sorted(account.truth(stream).values(), key=lambda row: row[key])
    deleted = iter(rows)
    first = rows[0][key]

    def change(number: int, _path: str) -> None:
        if number % 10 == 0:
            store.delete(stream, next(deleted)["id"])
        if number % 10 == 5:
            store.add(stream, first, updated_at=first)

    account.sandbox.before_request(change)
    output = account.sync(stream, max_concurrency=concurrency)

    assert output.code == 0
    assert len(account.lists(stream)) > 25
    assert {row["id"] for row in rows} & account.truth(stream).keys() <= set(output.ids(stream))
    assert_each_once(output.ids(stream))


@pytest.mark.parametrize(
    ("stream", "fractions", "reading"),
    [("responses", "same", "stored"), ("end_users", "spread", "seconds")],
)
def test_thousands_of_records_in_one_second_are_all_delivered(
    account: Account, stream: str, fractions: str, reading: str
) -> None:
    account.sandbox.options.filter_reading = reading
    account.sandbox.store.burst(2_990, account.moment(30), fractions, stream)

    output = account.sync(stream)

    assert output.code == 0
    assert_each_once(output.ids(stream))
    assert_complete(account, output.records(stream), stream)


@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_second_with_too_many_records_fails_the_run_and_all_else_is_delivered(
    account: Account, concurrency: int
) -> None:
    """The next run succeeds once newer changes settle the second."""
    second, others = account.moment(30), account.truth()
    account.sandbox.store.burst(3_500, second)
    account.pass_time(minutes=20)
    account.sandbox.store.add_response()

    first = account.sync(max_concurrency=concurrency)
    again = account.sync(state=first.state)

    assert first.code == 1
    assert second.isoformat() in first.error
    assert_each_once(first.ids())
    assert others.keys() <= set(first.ids())
    assert len(first.ids()) == len(others) + 1 + 3_000
    assert (again.code, again.ids()) == (0, [])


def test_after_an_end_date_the_next_sync_continues_from_there(
    account: Account, stream: str
) -> None:
    end = account.moment(100).isoformat()
    bounded = account.sync(stream, end_date=end)
    rest = account.sync(stream, state=bounded.state)

    assert max(record[REPLICATION_KEYS[stream]] for record in bounded.records(stream)) < end
    assert_each_once(bounded.ids(stream) + rest.ids(stream))
    assert_complete(account, bounded.records(stream) + rest.records(stream), stream)


def test_an_end_date_in_the_future_does_not_hide_later_records(
    account: Account, stream: str
) -> None:
    account.sandbox.options.updated_filter = False
    settings = {"end_date": account.moment(-2).isoformat(), "lookback_days": 0}
    state = account.sync(stream, **settings).state
    added = account.sandbox.store.add(stream)

    assert account.sync(stream, state=state, **settings).ids(stream) == [added["id"]]


def test_an_earlier_start_date_delivers_the_older_records_once(
    account: Account, stream: str
) -> None:
    late, early, key = account.moment(50), account.moment(200), REPLICATION_KEYS[stream]
    first = account.sync(stream, start_date=late.isoformat())
    second = account.sync(stream, state=first.state, start_date=early.isoformat())
    third = account.sync(stream, state=second.state, start_date=early.isoformat())

    rows = account.truth(stream)
    assert set(first.ids(stream)) == {n for n, row in rows.items() if row[key] >= late}
    assert set(second.ids(stream)) == {n for n, row in rows.items() if early <= row[key] < late}
    assert third.ids(stream) == []
    assert second.bookmark(stream) == first.bookmark(stream)


def test_a_full_table_sync_delivers_everything_and_keeps_the_state(
    account: Account, stream: str
) -> None:
    state = account.sync(stream).state
    catalog = selecting(stream, replication_method="FULL_TABLE")

    output = account.sync(stream, state=state, catalog=catalog)

    assert_complete(account, output.records(stream), stream)
    assert output.state == state


def test_records_dated_in_the_future_are_delivered_and_block_no_later_record(
    account: Account, stream: str
) -> None:
    store = account.sandbox.store
    for year in (2198, 2199):
        store.add(stream, f"{year}-01-01T00:00:00Z", updated_at=f"{year}-01-01T00:00:00Z")

    first = account.sync(stream)
    added = store.add(stream)
    second = account.sync(stream, state=first.state)

    assert_complete(account, first.records(stream) + second.records(stream), stream)
    assert first.bookmark(stream) <= store.now().isoformat()
    assert second.ids(stream) == [added["id"]]


def test_an_empty_account_is_no_error(empty: Account, stream: str) -> None:
    first = empty.sync(stream)
    added = empty.sandbox.store.add(stream)

    assert (first.code, first.records(stream)) == (0, [])
    assert empty.sync(stream, state=first.state).ids(stream) == [added["id"]]


def test_only_filters_that_mean_the_same_under_both_readings_are_used(account: Account) -> None:
    """`gt`, `lte` and `eq` depend on whether the API compares fractions of a second."""
    state = account.sync(INCREMENTAL, start_date="2020-01-01").state
    account.sync(INCREMENTAL, state=state)

    names = {name for request in account.sandbox.requests for name in request.query}
    assert {name for name in names if "[" in name} == {
        f"{filtered}[{way}]" for filtered in ("created", "updated") for way in ("gte", "lt")
    }
