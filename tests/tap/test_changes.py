"""Later syncs deliver what is new or has changed, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from .helpers import REPLICATION_KEYS, Account, Json, Output, assert_complete

CHANGES: list[Callable[[Any, int], Any]] = [
    lambda store, number: store.comment(number, "came late"),
    lambda store, number: store.tag(number, "late tag"),
    lambda store, number: store.note(number, "late note"),
    lambda store, number: store.score(number, 3),
]


@pytest.mark.parametrize("updated_filter", ["honored", "ignored", "400", "403", "500"])
def test_a_late_change_and_a_new_record_are_delivered_by_the_next_sync_only(
    account: Account, updated_filter: str
) -> None:
    """A number is the status with which the API rejects the filter `updated`."""
    state = account.sync().state
    changed = account.newest(8)[:4]
    for number, change in zip(changed, CHANGES, strict=True):
        change(account.sandbox.store, number)
    added = account.sandbox.store.add_response()["id"]
    account.sandbox.options.updated_filter = updated_filter == "honored"
    if updated_filter.isdigit():
        account.sandbox.faults.on(updated_filter, times=1, path="/v1/responses")

    second = account.sync(state=state, lookback_days=30, retry_budget_seconds=0)
    third = account.sync(state=second.state, lookback_days=30)

    assert second.code == 0
    assert sorted(second.ids()) == sorted([*changed, added])
    for record in second.records():
        row = account.truth()[record["id"]]
        for name in ("text", "score", "tags", "notes"):
            assert record[name] == row.get(name)
    assert third.ids() == []


def test_changes_of_any_age_are_found_with_few_requests_if_the_filter_is_honored(
    account: Account,
) -> None:
    state = account.sync().state
    changed = sorted(account.truth())[::10]
    for number in changed:
        account.sandbox.store.comment(number, "came late")
    account.sandbox.requests.clear()

    assert sorted(account.sync(state=state).ids()) == changed
    assert len(account.lists()) <= 4


@pytest.mark.parametrize(("days", "is_found"), [(0, False), (8, False), (9, True)])
def test_without_the_filter_lookback_days_bounds_the_age_of_changes_that_are_found(
    account: Account, days: int, is_found: bool
) -> None:
    account.sandbox.options.updated_filter = False
    newest = account.truth()[account.newest(1)[0]]["created_at"]
    old = account.sandbox.store.import_past(1, newest - timedelta(days=8.5))[0]["id"]
    state = account.sync().state
    account.sandbox.store.comment(old, "came late")

    assert account.sync(state=state, lookback_days=days).ids() == ([old] if is_found else [])


@pytest.mark.parametrize("is_honored", [True, False])
def test_back_dated_imports_are_delivered_once(account: Account, is_honored: bool) -> None:
    account.sandbox.options.updated_filter = is_honored
    store, state = account.sandbox.store, account.sync().state
    newest = account.truth()[account.newest(1)[0]]["created_at"]
    added = store.import_past(70, newest - timedelta(days=3))
    added += store.burst(2_000, newest - timedelta(days=2))

    second = account.sync(state=state)

    assert sorted(second.ids()) == sorted(row["id"] for row in added)
    assert account.sync(state=second.state).ids() == []


def test_an_import_of_too_many_records_into_a_synced_second_fails_the_run(
    account: Account,
) -> None:
    state, second = account.sync().state, account.moment(3)
    account.sandbox.store.burst(3_500, second)

    output = account.sync(state=state)

    assert (output.code, len(output.ids())) == (1, 3_000)
    assert second.isoformat() in output.error


def test_an_idle_sync_costs_two_requests_sends_nothing_and_keeps_the_state_short(
    account: Account, stream: str
) -> None:
    state = account.sync(stream).state
    for _ in range(4):
        account.sandbox.requests.clear()
        output = account.sync(stream, state=state)

        assert (output.code, output.records(stream)) == (0, [])
        assert len(account.lists(stream)) <= (1 if stream == "end_users" else 2)
        assert len(account.tokens) == 1
        assert output.bookmark(stream) == state["bookmarks"][stream]["replication_key_value"]
        state = output.state
    assert len(str(state)) < 1_000


@pytest.mark.parametrize(
    ("stream", "is_honored", "clock", "date_ahead"),
    [
        ("responses", True, -86_400, 0),
        ("responses", False, 86_400, 0),
        ("responses", True, 0, None),
        ("responses", True, 0, 3_600),
        ("responses", True, 0, -3_600),
        ("responses", True, 0, 7e7),
        ("declines", True, 0, 0),
        ("end_users", True, 0, 0),
    ],
)
def test_changes_during_a_sync_are_delivered_once_whatever_the_clocks_show(
    account: Account, stream: str, is_honored: bool, clock: float, date_ahead: float | None
) -> None:
    """`clock` moves the server's time, and `date_ahead` the header `Date` (None: missing).

    With a correct clock, a sync may last longer than the time that changes may be late.
    """
    options, store = account.sandbox.options, account.sandbox.store
    options.updated_filter, options.date_ahead = is_honored, date_ahead
    account.pass_time(seconds=clock)
    store.add(stream)
    ids = sorted(account.truth(stream))[::7] if is_honored else account.newest(60, stream)[::2]
    pending = iter(ids)

    def change(_number: int, _path: str) -> None:
        account.pass_time(seconds=2 if date_ahead else 120)
        for number in [next(pending, None) for _ in range(3)]:
            if number:
                store.change(number, stream)
                store.add(stream)

    outputs: list[Output] = []
    for hook in (change, change, None, None):
        account.sandbox.before_request(hook)
        state = outputs[-1].state if outputs else None
        outputs.append(account.sync(stream, state=state, page_size=25, lookback_days=300))

    delivered = [record for output in outputs for record in output.records(stream)]
    assert_complete(account, delivered, stream)
    assert outputs[-1].ids(stream) == []
    versions = [(record["id"], str(record)) for record in delivered]
    assert len(versions) == len(set(versions))


def state_of(stream: str, bookmark: str) -> Json:
    values = {"replication_key": REPLICATION_KEYS[stream], "replication_key_value": bookmark}
    return {"bookmarks": {stream: values}}


def test_a_bookmark_without_intervals_resumes_the_sync_of_another_tap(
    account: Account, stream: str
) -> None:
    """Records before the bookmark count as known as of then; later changes of them are sent."""
    key = REPLICATION_KEYS[stream]
    rows = sorted(account.truth(stream).values(), key=lambda row: row[key])
    bookmark = rows[40][key].replace(microsecond=0)

    first = account.sync(stream, state=state_of(stream, bookmark.isoformat()))

    assert set(first.ids(stream)) == {row["id"] for row in rows if row["updated_at"] >= bookmark}
    assert account.sync(stream, state=first.state).ids(stream) == []


def test_a_bookmark_in_the_future_does_not_disable_the_look_back(account: Account) -> None:
    account.sandbox.options.updated_filter = False
    first = account.sync(state=state_of("responses", "2199-01-01T00:00:00+00:00"))
    added = account.sandbox.store.add_response()["id"]
    changed = account.newest(3)[0]
    account.sandbox.store.comment(changed, "came late")

    second = account.sync(state=first.state, lookback_days=30)

    assert sorted(second.ids()) == sorted([changed, added])
