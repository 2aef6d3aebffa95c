"""Later syncs deliver what is new or has changed, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from .helpers import REPLICATION_KEYS, Account, Json, Output, assert_complete

FILTERS = ("honored", "ignored", "400", "403", "500")
"""What the API may do with `updated[gte]`: a number is the status of its reply."""

CHANGES: dict[str, Callable[[Any, int], Any]] = {
    "comment": lambda store, number: store.comment(number, "came late"),
    "tag": lambda store, number: store.tag(number, "late tag"),
    "note": lambda store, number: store.note(number, "late note"),
    "score": lambda store, number: store.score(number, 3),
}


def break_filter(account: Account, updated_filter: str) -> None:
    """Let the API treat `updated[gte]` in one of the ways of `FILTERS`, from now on."""
    account.sandbox.options.updated_filter = updated_filter == "honored"
    account.settings["retry_budget_seconds"] = 0
    if updated_filter.isdigit():
        account.sandbox.faults.on(updated_filter, times=1, path="/v1/responses")


def change_before_requests(account: Account, change: Callable[[int], None]) -> None:
    account.sandbox.before_request(lambda number, _path: change(number))


@pytest.mark.parametrize("updated_filter", FILTERS)
def test_a_late_change_and_a_new_record_are_delivered_by_the_next_sync_only(
    account: Account, updated_filter: str
) -> None:
    state = account.sync().state
    changed = account.newest(8)[:4]
    for number, change in zip(changed, CHANGES.values(), strict=True):
        change(account.sandbox.store, number)
    added = account.sandbox.store.add_response()["id"]
    break_filter(account, updated_filter)

    second = account.sync(state=state, lookback_days=30)
    third = account.sync(state=second.state, lookback_days=30)

    assert second.code == 0
    assert sorted(second.ids()) == sorted([*changed, added])
    for record in second.records():
        row = account.truth()[record["id"]]
        assert [record[k] for k in ("text", "score", "tags", "notes")] == [
            row.get(k) for k in ("text", "score", "tags", "notes")
        ]
    assert third.ids() == []


def test_changes_of_any_age_are_found_with_few_requests_if_the_filter_is_honored(
    account: Account,
) -> None:
    state = account.sync().state
    changed = sorted(account.truth())[::10]
    for number in changed:
        account.sandbox.store.comment(number, "came late")
    before = len(account.lists())

    output = account.sync(state=state)

    assert sorted(output.ids()) == changed
    assert len(account.lists()) - before <= 4


@pytest.mark.parametrize(("days", "is_found"), [(0, False), (7, False), (9, True)])
def test_without_the_filter_lookback_days_bounds_the_age_of_changes_that_are_found(
    account: Account, days: int, is_found: bool
) -> None:
    account.sandbox.options.updated_filter = False
    state = account.sync().state
    newest = account.truth()[account.newest(1)[0]]["created_at"]
    old = account.sandbox.store.import_past(1, newest - timedelta(days=8))[0]["id"]
    state = account.sync(state=state, lookback_days=20).state
    account.sandbox.store.comment(old, "came late")

    output = account.sync(state=state, lookback_days=days)

    assert output.ids() == ([old] if is_found else [])


@pytest.mark.parametrize("updated_filter", ["honored", "ignored"])
def test_back_dated_imports_are_delivered_once(account: Account, updated_filter: str) -> None:
    break_filter(account, updated_filter)
    state = account.sync().state
    newest = account.truth()[account.newest(1)[0]]["created_at"]
    store = account.sandbox.store
    added = store.import_past(70, newest - timedelta(days=3))
    added += store.burst(2_000, newest - timedelta(days=2))

    second = account.sync(state=state)
    third = account.sync(state=second.state)

    assert sorted(second.ids()) == sorted(row["id"] for row in added)
    assert third.ids() == []


def test_an_import_of_too_many_records_into_a_synced_second_fails_the_run(
    account: Account,
) -> None:
    state = account.sync().state
    account.sandbox.store.burst(3_500, account.moment(3))

    second = account.sync(state=state)

    assert (second.code, len(second.ids())) == (1, 3_000)
    assert account.moment(3).isoformat()[:16] in second.error


def test_an_idle_sync_costs_two_requests_sends_nothing_and_keeps_the_state_short(
    account: Account, stream: str
) -> None:
    state = account.sync(stream).state
    for _ in range(4):
        account.sandbox.requests.clear()
        output = account.sync(stream, state=state)

        assert (output.code, output.records(stream)) == (0, [])
        assert len(account.lists(stream)) <= 2
        assert len(account.sandbox.requests) <= 3
        assert output.bookmark(stream) == state["bookmarks"][stream]["replication_key_value"]
        state = output.state
    assert len(str(state)) < 1_000


def test_an_idle_sync_without_the_filter_costs_the_pages_of_the_look_back(
    make_account: Callable[..., Account],
) -> None:
    account = make_account(responses=4_000)  # 70 in seven days
    account.sandbox.options.updated_filter = False
    state = account.sync().state
    account.sandbox.requests.clear()

    assert account.sync(state=state).records() == []
    assert len(account.lists()) <= 4


def test_end_users_that_change_are_delivered_once(account: Account) -> None:
    state = account.sync("end_users").state
    changed = sorted(account.truth("end_users"))[::3]
    for number in changed:
        account.sandbox.store.update_end_user(number, properties={"plan": "pro"})

    second = account.sync("end_users", state=state)

    assert sorted(second.ids("end_users")) == changed
    assert all(r["properties"] == {"plan": "pro"} for r in second.records("end_users"))
    assert account.sync("end_users", state=second.state).ids("end_users") == []


def test_thousands_of_records_that_arrive_now_are_sent_once(account: Account, stream: str) -> None:
    """Near the present, times cannot tell what an earlier sync has seen."""
    store = account.sandbox.store
    state = account.sync(stream).state
    arrived = store.burst(2_500, store.now(), "spread", stream)
    first = account.sync(stream, state=state)
    arrived += store.burst(400, store.now(), "spread", stream)
    second = account.sync(stream, state=first.state)

    assert sorted(first.ids(stream) + second.ids(stream)) == sorted(row["id"] for row in arrived)
    assert account.sync(stream, state=second.state).ids(stream) == []


@pytest.mark.parametrize(
    ("stream", "is_honored", "skew"),
    [
        ("responses", True, -86_400),
        ("responses", False, 86_400),
        ("declines", True, 0),
        ("end_users", True, 0),
    ],
)
def test_changes_during_a_sync_are_delivered_by_it_or_the_next(
    account: Account, stream: str, is_honored: bool, skew: int
) -> None:
    """Whatever the local clock shows."""
    account.sandbox.options.updated_filter = is_honored
    account.sandbox.options.utc_offset_seconds_clock = skew
    store = account.sandbox.store
    ids = sorted(account.truth(stream))[::7] if is_honored else account.newest(60, stream)[::2]
    pending: Iterator[int] = iter(ids)

    def change(_number: int) -> None:
        for number in [next(pending, None) for _ in range(3)]:
            if number:
                store.change(number, stream)
                store.add(stream)

    change_before_requests(account, change)
    outputs = sync_repeatedly(account, 2, stream, page_size=25, lookback_days=300)
    account.sandbox.before_request(None)
    outputs = sync_repeatedly(account, 2, stream, outputs, lookback_days=300)

    delivered = [record for output in outputs for record in output.records(stream)]
    assert_complete(account, delivered, stream)
    assert outputs[-1].ids(stream) == []
    versions = [(record["id"], str(record)) for record in delivered]
    assert len(versions) == len(set(versions))


def sync_repeatedly(
    account: Account, times: int, stream: str, before: list[Output] | None = None, **settings: Any
) -> list[Output]:
    """Sync from state to state; return `before` and the new runs."""
    outputs = list(before or ())
    for _ in range(times):
        state = outputs[-1].state if outputs else None
        outputs.append(account.sync(stream, state=state, **settings))
    return outputs


@pytest.mark.parametrize(
    "date_ahead", [None, 3_600, -3_600, 7e7], ids=["missing", "ahead", "behind", "years ahead"]
)
def test_a_missing_or_wrong_date_header_loses_no_change(
    account: Account, date_ahead: float | None
) -> None:
    account.sandbox.options.date_ahead = date_ahead
    store = account.sandbox.store
    store.burst(1, store.now())
    pending = iter(sorted(account.truth())[::7])

    def change(_number: int) -> None:
        account.pass_time(seconds=5)
        for number in [next(pending, None) for _ in range(3)]:
            if number:
                store.change(number)
                store.add_response()

    change_before_requests(account, change)
    outputs = sync_repeatedly(account, 2, "responses", page_size=25)
    account.sandbox.before_request(None)
    number = account.newest(1)[0]
    for text in ("early", "late"):  # both within one second
        store.comment(number, text, updated_at=account.moment(0))
        outputs = sync_repeatedly(account, 1, "responses", outputs)
    outputs = sync_repeatedly(account, 1, "responses", outputs)

    assert_complete(account, [record for output in outputs for record in output.records()])
    assert [output.ids() for output in outputs[-2:]] == [[number], []]


def test_the_bookmark_never_moves_back(account: Account, stream: str) -> None:
    account.sandbox.options.updated_filter = False
    outputs = [account.sync(stream)]
    for number in account.newest(15, stream)[:10]:
        account.sandbox.store.change(number, stream)
    outputs.append(account.sync(stream, state=outputs[-1].state, lookback_days=100))
    account.sandbox.store.delete(stream, account.newest(1, stream)[0])
    outputs.append(account.sync(stream, state=outputs[-1].state))

    bookmarks = [
        state["bookmarks"][stream].get("replication_key_value", "")
        for output in outputs
        for state in output.states
    ]
    assert bookmarks == sorted(bookmarks)
    assert len(outputs[1].ids(stream)) == 10


def state_of(stream: str, bookmark: str) -> Json:
    key = REPLICATION_KEYS[stream]
    return {
        "bookmarks": {stream: {"replication_key": key, "replication_key_value": bookmark}},
    }


def test_a_bookmark_without_intervals_resumes_the_sync_of_another_tap(
    account: Account, stream: str
) -> None:
    """Records before the bookmark count as known as of then; later changes of them are sent."""
    key = REPLICATION_KEYS[stream]
    rows = sorted(account.truth(stream).values(), key=lambda row: row[key])
    bookmark = rows[40][key].replace(microsecond=0)

    first = account.sync(stream, state=state_of(stream, bookmark.isoformat()))
    second = account.sync(stream, state=first.state)

    assert set(first.ids(stream)) == {row["id"] for row in rows if row["updated_at"] >= bookmark}
    assert second.ids(stream) == []


def test_a_bookmark_in_the_future_does_not_disable_the_look_back(account: Account) -> None:
    account.sandbox.options.updated_filter = False
    state = state_of("responses", "2199-01-01T00:00:00+00:00")
    first = account.sync(state=state)
    added = account.sandbox.store.add_response()
    account.sandbox.store.comment(account.newest(3)[0], "came late")

    second = account.sync(state=first.state)

    assert sorted(second.ids()) == sorted([account.newest(3)[0], added["id"]])


def test_other_streams_and_unknown_keys_of_a_state_are_kept(account: Account) -> None:
    state = account.sync().state
    state["bookmarks"]["responses"]["note"] = "kept"
    state["bookmarks"]["gone"] = {"replication_key_value": "2024-01-01T00:00:00+00:00"}

    bookmarks = account.sync("declines", state=state).state["bookmarks"]

    assert bookmarks["gone"] == state["bookmarks"]["gone"]
    assert bookmarks["responses"]["note"] == "kept"
    assert bookmarks["declines"]["replication_key_value"]
