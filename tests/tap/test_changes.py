"""Later syncs deliver what is new or has changed, and nothing else."""

import pytest

from .helpers import REPLICATION_KEYS, Account, assert_complete


@pytest.mark.parametrize("updated_filter", ["honored", "ignored", "400", "403", "500"])
def test_a_late_change_and_a_new_record_are_delivered_by_the_next_sync_only(
    account: Account, updated_filter: str
) -> None:
    """A number is the status with which the API rejects the filter `updated`."""
    first = account.sync()
    store, changed = account.sandbox.store, first.ids()[-8:-5]
    for number, change in zip(changed, (store.comment, store.tag, store.note), strict=True):
        change(number, "came late")
    added = store.add_response()["id"]
    account.sandbox.options.updated_filter = updated_filter == "honored"
    if updated_filter.isdigit():
        account.sandbox.faults.on(updated_filter, times=1, path="/v1/responses")

    second = account.sync(state=first.state, lookback_days=30, retry_budget_seconds=0)
    third = account.sync(state=second.state, lookback_days=30)

    assert second.code == 0
    assert sorted(second.ids()) == sorted([*changed, added])
    assert_complete(account, first.records() + second.records())
    assert third.ids() == []


def test_an_idle_sync_costs_two_requests_sends_nothing_and_keeps_the_state_short(
    account: Account, stream: str
) -> None:
    state = account.sync(stream).state
    for _ in range(4):
        account.sandbox.requests.clear()
        output = account.sync(stream, state=state)

        assert (output.code, output.records(stream)) == (0, [])
        assert len(account.lists(stream)) <= (1 if stream == "end_users" else 2)
        assert len(account.lists("token")) == 1
        assert output.bookmark(stream) == state["bookmarks"][stream]["replication_key_value"]
        state = output.state
    assert len(str(state)) < 1_000


@pytest.mark.parametrize("is_honored", [True, False])
def test_a_second_with_too_many_records_fails_only_the_run_that_finds_it(
    account: Account, is_honored: bool
) -> None:
    """All other records are delivered."""
    account.sandbox.options.updated_filter = is_honored
    store, others, second = account.sandbox.store, account.truth().keys(), account.moment(30)
    store.burst(3_500, second)
    account.pass_time(minutes=20)
    store.add_response()

    first = account.sync()
    again = account.sync(state=first.state, lookback_days=60)

    assert (first.code, len(first.ids())) == (1, len(others) + 1 + 3_000)
    assert second.isoformat() in first.error
    assert others <= set(first.ids())
    assert (again.code, again.ids()) == (0, [])


def test_an_import_of_too_many_records_into_a_synced_second_fails_the_run(account: Account) -> None:
    state, second = account.sync().state, account.moment(3)
    account.sandbox.store.burst(3_500, second)

    output = account.sync(state=state)

    assert (output.code, len(output.ids())) == (1, 3_000)
    assert second.isoformat() in output.error


def test_a_bookmark_without_intervals_resumes_the_sync_of_another_tap(
    account: Account, stream: str
) -> None:
    """Records before the bookmark count as known as of then; later changes of them are sent."""
    key = REPLICATION_KEYS[stream]
    rows = sorted(account.truth(stream).values(), key=lambda row: row[key])
    bookmark = rows[40][key].replace(microsecond=0)
    values = {"replication_key": key, "replication_key_value": bookmark.isoformat()}

    first = account.sync(stream, state={"bookmarks": {stream: values}})

    assert set(first.ids(stream)) == {row["id"] for row in rows if row["updated_at"] >= bookmark}
    assert account.sync(stream, state=first.state).ids(stream) == []
