"""Extraction: everything the account holds is delivered, whatever happens meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

import pytest

from .helpers import (
    WALK_KEYS,
    Account,
    assert_complete,
    assert_each_once,
    rfc3339,
    second_of,
    selecting,
)

MakeAccount = Callable[..., Account]


def test_a_first_sync_delivers_everything_once(account: Account, stream: str) -> None:
    """Every record, each once, with the source's values, in the order of the replication key."""
    output = account.sync(stream)

    assert output.code == 0
    assert_each_once(output.ids(stream))
    assert_complete(account, output.records(stream), stream)
    keys = [record[WALK_KEYS[stream]] for record in output.records(stream)]
    assert keys == sorted(keys)


@pytest.mark.long
@pytest.mark.parametrize("concurrency", [1, 4])
def test_twenty_thousand_responses_cost_at_most_five_percent_more_requests_than_pages(
    make_account: MakeAccount, concurrency: int
) -> None:
    """One request for every 50 records, and one in twenty to be sure that nothing slips through."""
    account = make_account(responses=20_000)

    output = account.sync(max_concurrency=concurrency)

    assert_each_once(output.ids())
    assert len(output.ids()) == 20_000
    assert len(account.lists()) <= 400 * 1.05
    assert len(account.tokens) == 1


@pytest.mark.parametrize("concurrency", [1, 4])
def test_what_is_deleted_and_added_while_the_sync_runs_loses_nothing_else(
    make_account: MakeAccount, stream: str, concurrency: int
) -> None:
    """A deletion moves all later pages forward by one record, an insertion back."""
    account = make_account(responses=4_000)
    store, key = account.sandbox.store, WALK_KEYS[stream]
    rows = sorted(account.truth(stream).values(), key=lambda row: row[key])
    doomed = iter(rows)
    first = rows[0][key]

    def change(number: int, _path: str) -> None:
        if number % 10 == 0:
            store.delete(stream, next(doomed)["id"])
        if number % 10 == 5:
            store.add(
                stream, first, **{key: first, "updated_at": first} if key != "created_at" else {}
            )

    account.sandbox.before_request(change)
    output = account.sync(stream, max_concurrency=concurrency)

    assert output.code == 0
    assert len(account.lists(stream)) > 25
    assert {row["id"] for row in rows} & account.truth(stream).keys() <= set(output.ids(stream))
    assert_each_once(output.ids(stream))


@pytest.mark.parametrize("cap", [3, 10, 25, 49])
def test_a_server_that_gives_fewer_a_page_than_asked_is_understood(
    account: Account, stream: str, cap: int
) -> None:
    """A short page is not taken for the last one."""
    account.sandbox.options.per_page_cap = cap

    output = account.sync(stream)

    assert_each_once(output.ids(stream))
    assert_complete(account, output.records(stream), stream)


def test_a_server_that_gives_very_few_a_page_is_understood_by_later_syncs(
    account: Account, stream: str
) -> None:
    """The first sync has found it out; an idle one does not look for it again."""
    account.sandbox.options.per_page_cap = 4
    first = account.sync(stream)
    for number in sorted(account.truth(stream))[::10]:
        account.sandbox.store.change(number, stream)
    added = [account.sandbox.store.add(stream)["id"] for _ in range(20)]

    second = account.sync(stream, state=first.state)

    assert_complete(account, first.records(stream) + second.records(stream), stream)
    assert set(added) < set(second.ids(stream))
    assert account.sync(stream, state=second.state).ids(stream) == []


def test_a_first_page_that_a_server_caps_does_not_pass_for_the_newest(account: Account) -> None:
    """All would be read again otherwise: what is known would be known as of the oldest record."""
    account.sandbox.options.per_page_cap = 25
    state = account.sync().state
    account.sandbox.requests.clear()

    assert account.sync(state=state).ids() == []
    assert len(account.lists()) <= 3


@pytest.mark.parametrize("size", [25, 37, 50])
def test_pages_are_as_long_as_the_setting_says(account: Account, size: int) -> None:
    """`page_size` reaches the API, and the result does not depend on it."""
    output = account.sync(page_size=size)

    assert_complete(account, output.records())
    assert max(int(request.query["per_page"]) for request in account.lists()) == size


def test_end_date_bounds_a_run_and_the_next_goes_on_from_there(
    account: Account, stream: str
) -> None:
    """Records from `end_date` on are left to a later run, which sends none twice."""
    key, end = WALK_KEYS[stream], second_of(account, 100)
    before = {n for n, row in account.truth(stream).items() if row[key] < end}

    bounded = account.sync(stream, end_date=end.isoformat())
    rest = account.sync(stream, state=bounded.state)

    assert set(bounded.ids(stream)) == before
    assert set(rest.ids(stream)) == account.truth(stream).keys() - before
    assert len(rest.ids(stream)) == len(account.truth(stream)) - len(before)


def test_an_end_date_in_the_future_hides_nothing_that_comes_before_it(
    account: Account, stream: str
) -> None:
    """What was read as of now is not taken for what will be there then."""
    end = (account.sandbox.store.now() + timedelta(days=2)).isoformat()
    account.sandbox.options.updated_filter = False
    state = account.sync(stream, end_date=end).state
    added = account.sandbox.store.add(stream)

    assert account.sync(stream, state=state, end_date=end).ids(stream) == [added["id"]]
    assert account.sync(stream, state=state, lookback_days=0).ids(stream) == [added["id"]]


def test_several_machines_can_share_a_first_load(account: Account, stream: str) -> None:
    """The ranges between a date and the next hold every record exactly once."""
    dates = [None, *(second_of(account, days).isoformat() for days in (250, 120, 10)), None]

    shares = [
        account.sync(stream, start_date=since, end_date=until).ids(stream)
        for since, until in pairwise(dates)
    ]

    ids = [number for share in shares for number in share]
    assert all(shares)
    assert_each_once(ids)
    assert set(ids) == account.truth(stream).keys()


def test_start_date_moved_earlier_brings_the_older_records_once(
    account: Account, stream: str
) -> None:
    """The bookmark does not hide what was never synced; what was is not sent again."""
    late, early = second_of(account, 50), second_of(account, 200)
    key = WALK_KEYS[stream]
    first = account.sync(stream, start_date=late.isoformat())

    second = account.sync(stream, state=first.state, start_date=early.isoformat())
    third = account.sync(stream, state=second.state, start_date=early.isoformat())

    rows = account.truth(stream)
    assert set(first.ids(stream)) == {n for n, row in rows.items() if row[key] >= late}
    assert set(second.ids(stream)) == {n for n, row in rows.items() if early <= row[key] < late}
    assert third.ids(stream) == []
    bookmark = first.state["bookmarks"][stream]["replication_key_value"]
    assert second.state["bookmarks"][stream]["replication_key_value"] == bookmark


def test_full_table_chosen_in_the_catalog_sends_everything_and_keeps_the_bookmark(
    account: Account, stream: str
) -> None:
    """A full sync reads no bookmark and moves none."""
    state = account.sync(stream).state
    catalog = selecting(stream, replication_method="FULL_TABLE")

    output = account.sync(stream, state=state, catalog=catalog)

    assert_complete(account, output.records(stream), stream)
    assert output.state == state
    assert account.sync(stream, state=output.state).ids(stream) == []


def test_full_table_without_a_state_sends_everything(account: Account, stream: str) -> None:
    """Nothing is held back at the end of a run that writes no bookmark."""
    output = account.sync(stream, catalog=selecting(stream, replication_method="FULL_TABLE"))

    assert_complete(account, output.records(stream), stream)


def test_records_dated_in_the_future_are_delivered_and_block_nothing(
    account: Account, stream: str
) -> None:
    """The bookmark stays in the present, so that new records are found, and none comes twice."""
    store, key = account.sandbox.store, WALK_KEYS[stream]
    for year in (2198, 2199):
        store.add(stream, f"{year}-01-01T00:00:00Z", updated_at=f"{year}-01-01T00:00:00Z")

    first = account.sync(stream)
    added = store.add(stream)
    second = account.sync(stream, state=first.state)
    third = account.sync(stream, state=second.state)

    assert_complete(account, first.records(stream) + second.records(stream), stream)
    bookmark = first.state["bookmarks"][stream]["replication_key_value"]
    assert bookmark <= rfc3339(store.now())
    assert first.state["bookmarks"][stream]["replication_key"] == key
    assert second.ids(stream) == [added["id"]]
    assert third.ids(stream) == []


def test_an_empty_account_is_no_error(empty: Account, stream: str) -> None:
    """Nothing to send, one request, and what comes later is found."""
    first = empty.sync(stream)
    empty.sandbox.store.add(stream)

    second = empty.sync(stream, state=first.state)

    assert (first.code, first.records(stream)) == (0, [])
    assert len(second.ids(stream)) == 1


def test_an_unselected_stream_costs_no_request(account: Account) -> None:
    """Each stream can be synced alone."""
    account.sync("declines")

    assert {r.path.rsplit("/", 1)[-1] for r in account.sandbox.requests} == {"token", "declines"}


def test_only_filters_that_mean_the_same_under_both_readings_are_used(account: Account) -> None:
    """`gt`, `lte` and `eq` depend on whether fractions of a second are compared."""
    state = account.sync(("responses", "declines", "end_users"), start_date="2020-01-01").state
    account.sync(("responses", "declines", "end_users"), state=state)

    names = {name for request in account.sandbox.requests for name in request.query}
    assert {name for name in names if "[" in name} == {
        f"{filtered}[{way}]" for filtered in ("created", "updated") for way in ("gte", "lt")
    }


@pytest.mark.parametrize("concurrency", [1, 4])
def test_end_users_that_change_during_a_first_sync_are_in_it(
    account: Account, concurrency: int
) -> None:
    """They move to the end of the list, and who syncs once only would never see them."""
    store = account.sandbox.store
    people = sorted(account.truth("end_users").values(), key=lambda row: row["updated_at"])
    moving = iter([row["id"] for row in people[len(people) // 2 :]])

    def change(_number: int, _path: str) -> None:
        for number in [next(moving, None) for _ in range(5)]:
            account.sandbox.options.utc_offset_seconds_clock += 0.5
            if number:
                store.change(number, "end_users")

    account.sandbox.before_request(change)
    output = account.sync("end_users", max_concurrency=concurrency, page_size=25)

    assert set(output.ids("end_users")) == set(account.truth("end_users"))
