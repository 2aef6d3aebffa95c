"""Changes after creation: delivered by a later sync, and what is unchanged is not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from .helpers import Account, newest

DAY = timedelta(days=1)


@pytest.fixture(params=[True, False], ids=["updated-honoured", "updated-ignored"])
def synced(request: pytest.FixtureRequest, account: Account) -> tuple[Account, Any]:
    """A synced account, and its state; `updated[…]` may be silently ignored."""
    account.sandbox.options.updated_filter = request.param
    return account, account.sync().state


CHANGES: dict[str, Callable[[Any, int], Any]] = {
    "comment": lambda store, number: store.comment(number, "came late"),
    "tag": lambda store, number: store.tag(number, "late tag"),
    "note": lambda store, number: store.note(number, {"text": "late note"}),
    "score": lambda store, number: store.score(number, 3),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_what_changes_after_the_sync_is_delivered_by_the_next_one_alone(
    synced: tuple[Account, Any], kind: str
) -> None:
    """A comment, tag, note or corrected score; no other response is sent with it."""
    account, state = synced
    number = newest(account, 3)[0]
    CHANGES[kind](account.sandbox.store, number)

    second = account.sync(state=state)
    third = account.sync(state=second.state)

    assert second.ids() == [number]
    assert_complete_of(account, second.records())
    assert third.ids() == []


def assert_complete_of(account: Account, records: list[Any]) -> None:
    truth = account.truth()
    for record in records:
        row = truth[record["id"]]
        for name in ("text", "score", "tags", "notes"):
            assert record[name] == row.get(name)


def test_changes_of_any_age_are_found_where_the_api_can_be_asked(account: Account) -> None:
    """Thirty responses out of the whole history changed: these thirty, in a few requests."""
    state = account.sync().state
    changed = sorted(account.truth())[::10]
    for number in changed:
        account.sandbox.store.comment(number, "came late")
    before = len(account.lists())

    output = account.sync(state=state)

    assert len(changed) == 30
    assert sorted(output.ids()) == changed
    assert len(account.lists()) - before <= 4


@pytest.mark.parametrize(("days", "found"), [(7, False), (400, True)])
def test_the_look_back_reads_as_many_days_as_the_setting_says(
    account: Account, days: int, found: bool
) -> None:
    """Where the API can't be asked, the age of a change that is found is the look-back's."""
    account.sandbox.options.updated_filter = False
    state = account.sync().state
    edge = account.truth()[newest(account, 1)[0]]["created_at"]
    old = max(n for n, row in account.truth().items() if row["created_at"] < edge - 8 * DAY)
    recent = min(n for n, row in account.truth().items() if row["created_at"] > edge - 6 * DAY)
    for number in (old, recent):
        account.sandbox.store.comment(number, "came late")

    output = account.sync(state=state, lookback_days=days)

    assert set(output.ids()) == ({old, recent} if found else {recent})


def test_without_a_look_back_only_what_is_new_is_sent(account: Account) -> None:
    """`lookback_days: 0` is honoured."""
    account.sandbox.options.updated_filter = False
    state = account.sync().state
    account.sandbox.store.comment(newest(account, 20)[0], "came late")
    added = account.sandbox.store.add_response()

    assert account.sync(state=state, lookback_days=0).ids() == [added["id"]]


@pytest.mark.parametrize("status", ["400", "422"])
def test_an_api_that_refuses_to_be_asked_for_changes_is_read_by_the_look_back(
    account: Account, status: str
) -> None:
    """As one that ignores the question; the refusal ends nothing."""
    state = account.sync().state
    number = newest(account, 3)[0]
    account.sandbox.store.comment(number, "came late")
    added = account.sandbox.store.add_response()
    account.sandbox.requests.clear()
    account.sandbox.faults.on(status, times=1, path="/v1/responses")

    output = account.sync(state=state)

    refused, *rest = account.lists()
    assert (refused.status, "updated[gte]" in refused.query) == (int(status), True)
    assert not any("updated[gte]" in request.query for request in rest)
    assert (output.code, output.ids()) == (0, [number, added["id"]])


def test_imports_into_the_past_are_found(synced: tuple[Account, Any]) -> None:
    """Records created long ago of which the API hears now, once."""
    account, state = synced
    edge = account.truth()[newest(account, 1)[0]]["created_at"]
    added = account.sandbox.store.import_past(70, edge - 3 * DAY)

    second = account.sync(state=state)
    third = account.sync(state=second.state)

    assert sorted(second.ids()) == [row["id"] for row in added]
    assert third.ids() == []


@pytest.mark.parametrize("is_honoured", [True, False])
def test_an_import_of_thousands_into_one_synced_second_is_found(
    account: Account, is_honoured: bool
) -> None:
    """A crowded second may appear where a sync has already been."""
    account.sandbox.options.updated_filter = is_honoured
    state = account.sync().state
    edge = account.truth()[newest(account, 1)[0]]["created_at"]
    added = account.sandbox.store.burst(2_000, edge - 3 * DAY)

    second = account.sync(state=state)
    third = account.sync(state=second.state)

    assert sorted(second.ids()) == [row["id"] for row in added]
    assert third.ids() == []


@pytest.mark.parametrize("is_honoured", [True, False])
def test_an_import_of_too_many_into_one_synced_second_is_reported(
    account: Account, is_honoured: bool
) -> None:
    """That the second had been synced before does not keep the loss quiet."""
    account.sandbox.options.updated_filter = is_honoured
    state = account.sync().state
    edge = account.truth()[newest(account, 1)[0]]["created_at"]
    account.sandbox.store.burst(3_500, edge - 3 * DAY)

    second = account.sync(state=state)
    third = account.sync(state=second.state)

    assert (second.code, len(second.ids())) == (1, 3_000)
    assert (third.code, third.ids()) == (0, [])


def test_an_idle_sync_costs_two_requests_and_a_token_and_sends_nothing(account: Account) -> None:
    """One request for what is new, one for what has changed; the state stays valid."""
    for stream in ("responses", "declines", "end_users"):
        state = account.sync(stream).state
        account.sandbox.requests.clear()

        output = account.sync(stream, state=state)

        assert output.code == 0
        assert output.records(stream) == []
        assert len(account.lists(stream)) <= 2
        assert len(account.tokens) == 1
        assert len(account.sandbox.requests) <= 3
        assert output.state["bookmarks"][stream]["replication_key_value"]
        assert account.sync(stream, state=output.state).ids(stream) == []


def test_an_idle_sync_without_a_working_filter_costs_the_pages_of_the_look_back(
    make_account: Callable[..., Account],
) -> None:
    """What is read again is not sent again."""
    account = make_account(responses=4_000)  # 70 in seven days
    account.sandbox.options.updated_filter = False
    state = account.sync().state
    account.sandbox.requests.clear()

    output = account.sync(state=state)

    assert output.records() == []
    assert len(account.lists()) <= 2 + 2


def test_idle_syncs_change_nothing_however_many(account: Account, stream: str) -> None:
    """The state does not grow, and nothing comes again."""
    outputs = [account.sync(stream)]
    for _ in range(6):
        outputs.append(account.sync(stream, state=outputs[-1].state))

    assert [output.ids(stream) for output in outputs[1:]] == [[]] * 6
    assert len(str(outputs[-1].state)) < 2_000


def test_an_import_with_the_times_of_long_ago_is_found_by_its_id(account: Account) -> None:
    """Where the look-back reads it: nothing else tells that it was not there before."""
    account.sandbox.options.updated_filter = False
    state = account.sync().state
    moment = account.truth()[newest(account, 1)[0]]["created_at"] - 3 * DAY
    added = account.sandbox.store.add_response(moment, updated_at=moment)

    second = account.sync(state=state)

    assert second.ids() == [added["id"]]
    assert account.sync(state=second.state).ids() == []


def test_end_users_that_change_move_to_the_end_and_come_once(account: Account) -> None:
    """Walked by the time of the last change, whose order changes under the walk."""
    state = account.sync("end_users").state
    changed = sorted(account.truth("end_users"))[::3]
    for number in changed:
        account.sandbox.store.update_end_user(number, properties={"plan": "pro"})

    second = account.sync("end_users", state=state)

    assert sorted(second.ids("end_users")) == changed
    assert {str(r["properties"]) for r in second.records("end_users")} == {"{'plan': 'pro'}"}
    assert account.sync("end_users", state=second.state).ids("end_users") == []


def test_the_bookmark_never_goes_back(account: Account, stream: str) -> None:
    """Not in any STATE line, whatever older records are sent meanwhile."""
    account.sandbox.options.updated_filter = False
    first = account.sync(stream)
    for number in newest(account, 15, stream)[:10]:
        account.sandbox.store.change(number, stream)
    second = account.sync(stream, state=first.state, lookback_days=100)
    account.sandbox.store.delete(stream, newest(account, 1, stream)[0])
    third = account.sync(stream, state=second.state)

    marks = [
        state["bookmarks"][stream].get("replication_key_value", "")
        for state in first.states + second.states + third.states
    ]
    assert marks == sorted(marks)
    assert len(second.ids(stream)) == 10


def test_a_sync_that_sends_an_old_record_alone_tells_the_bookmark_as_it_is(
    account: Account,
) -> None:
    """It does not go back, in the log either."""
    first = account.sync()
    account.sandbox.store.comment(min(account.truth()), "came late")

    second = account.sync(state=first.state)

    bookmark = first.state["bookmarks"]["responses"]["replication_key_value"]
    assert len(second.ids()) == 1
    assert f"bookmark {bookmark}" in second.log
