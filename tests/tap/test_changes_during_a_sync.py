"""Changes during a sync, or in its last minute: none is lost, whatever the clocks show."""

from __future__ import annotations

import time
from datetime import timedelta
from types import SimpleNamespace

import pytest

from .helpers import Account, assert_complete, newest

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("stream", "is_honoured", "skew"),
    [
        *((name, honours, 0) for name in ("responses", "declines") for honours in (True, False)),
        ("end_users", True, 0),
        ("responses", True, -86_400),
        ("responses", False, 86_400),
    ],
)
def test_what_changes_while_a_sync_runs_is_delivered_by_it_or_the_next(
    account: Account, stream: str, is_honoured: bool, skew: int
) -> None:
    """Whichever pages had been read by then, and however wrong the local clock is."""
    account.sandbox.options.updated_filter = is_honoured
    account.sandbox.options.utc_offset_seconds_clock = skew
    store = account.sandbox.store
    candidates = (
        newest(account, 60, stream)[::2] if not is_honoured else sorted(account.truth(stream))[::7]
    )
    pending = iter(candidates)

    def change(_number: int, _path: str) -> None:
        for number in [next(pending, None) for _ in range(3)]:
            if number:
                store.change(number, stream)
                store.add(stream)

    account.sandbox.before_request(change)
    first = account.sync(stream, page_size=25, lookback_days=300)
    second = account.sync(stream, state=first.state, page_size=25, lookback_days=300)
    account.sandbox.before_request(None)
    third = account.sync(stream, state=second.state, lookback_days=300)
    fourth = account.sync(stream, state=third.state, lookback_days=300)

    delivered = first.records(stream) + second.records(stream) + third.records(stream)
    assert_complete(account, delivered, stream)
    assert fourth.ids(stream) == []
    versions = [(record["id"], str(record)) for record in delivered]
    assert len(versions) == len(set(versions))


@pytest.mark.parametrize(
    ("date_ahead", "local_ahead"),
    [(None, 86_400), (None, -86_400), (3_600, 0), (-3_600, 0), (7e7, 0)],
    ids=["no Date, local ahead", "no Date, local behind", "ahead", "behind", "years ahead"],
)
def test_the_date_of_replies_may_be_missing_or_wrong(
    account: Account, date_ahead: float | None, local_ahead: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest record tells how far changes can be known, for one more request at first."""
    clock = SimpleNamespace(time=lambda: time.time() + local_ahead)
    monkeypatch.setattr("tap_wootric.tap.time", clock)
    account.sandbox.options.date_ahead = date_ahead
    store = account.sandbox.store
    store.burst(1, store.now())
    pending = iter(sorted(account.truth())[::7])

    def change(_number: int, _path: str) -> None:
        for number in [next(pending, None) for _ in range(3)]:
            if number:
                moment = store.now() + timedelta(seconds=_number)
                store.change(number, updated_at=moment)
                store.burst(1, moment + timedelta(seconds=1))

    account.sandbox.before_request(change)
    first = account.sync(page_size=25)
    account.sandbox.before_request(None)
    second = account.sync(state=first.state)
    number, moment = newest(account, 1)[0], store.now() + timedelta(seconds=100)
    store.change(number, updated_at=moment, text="early")
    third = account.sync(state=second.state)
    store.change(number, updated_at=moment, text="late")
    fourth = account.sync(state=third.state)

    assert_complete(
        account, first.records() + second.records() + third.records() + fourth.records()
    )
    assert third.ids() == fourth.ids() == [number]
    assert account.sync(state=fourth.state).ids() == []


def test_a_date_that_runs_ahead_only_from_some_day_on_hides_no_change(account: Account) -> None:
    """By how much it was ahead of the records in an earlier sync says nothing of this one."""
    store = account.sandbox.store
    store.burst(1, store.now())
    first = account.sync(page_size=25)
    account.sandbox.options.date_ahead = 3_600
    oldest, ahead = min(account.truth()), timedelta(seconds=600)
    store.burst(30, store.now() + ahead / 2)

    def change(number: int, _path: str) -> None:
        if number == 3:
            store.change(oldest, updated_at=store.now() + ahead, text="late")
            store.burst(1, store.now() + ahead + timedelta(seconds=2))

    account.sandbox.before_request(change)
    second = account.sync(state=first.state, page_size=25)
    account.sandbox.before_request(None)
    third = account.sync(state=second.state)

    assert oldest in second.ids() + third.ids()
    assert_complete(account, first.records() + second.records() + third.records())
    assert account.sync(state=third.state).ids() == []


def test_a_record_of_the_future_tells_nothing_of_a_date_that_is_ahead(account: Account) -> None:
    """A sync that meets no other one asks for one that does."""
    store = account.sandbox.store
    account.sandbox.options.date_ahead = 3_600
    store.burst(1, store.now() + 900 * DAY)
    first = account.sync()
    oldest = min(account.truth())
    for mark in first.state["bookmarks"]["responses"]["seen"]:
        if (number := int(mark.partition("@")[0])) != max(account.truth()):
            store.delete("responses", number)

    def change(number: int, _path: str) -> None:
        if number == 2:
            store.change(oldest, updated_at=store.now(), text="late")

    account.sandbox.before_request(change)
    second = account.sync(state=first.state)
    account.sandbox.before_request(None)
    third = account.sync(state=second.state)

    assert (second.ids(), third.ids()) == ([], [oldest])
    assert account.sync(state=third.state).ids() == []


def test_what_changes_after_the_first_page_is_not_taken_for_known(account: Account) -> None:
    """However long the rest takes, and though the first page had nothing to learn from."""
    store = account.sandbox.store
    store.burst(1, store.now())
    first = account.sync()
    oldest, later = min(account.truth()), timedelta(seconds=600)

    def change(number: int, _path: str) -> None:
        if number == 2:
            store.change(oldest, updated_at=store.now() + later / 6, text="late")
            account.sandbox.options.date_ahead = later.total_seconds()
            store.burst(1, store.now() + later)

    account.sandbox.before_request(change)
    second = account.sync(state=first.state)
    account.sandbox.before_request(None)
    third = account.sync(state=second.state)

    assert oldest in third.ids()
    assert_complete(account, first.records() + second.records() + third.records())


def test_few_changes_and_many_new_ones_leave_a_short_state(account: Account) -> None:
    """How far all is known is learned from those that come later, too."""
    store = account.sandbox.store
    first = account.sync()
    for number in sorted(account.truth())[:3]:
        store.change(number, updated_at=store.now() - timedelta(seconds=3_000), text="late")
    for ago in range(2_000, 0, -10):
        moment = store.now() - timedelta(seconds=ago)
        store.burst(1, moment, updated_at=moment)

    second = account.sync(state=first.state)
    third = account.sync(state=second.state)

    assert len(second.ids()) == 203
    assert len(second.state["bookmarks"]["responses"]["seen"]) < 30
    assert third.ids() == []


def test_thousands_that_arrive_now_are_sent_once(account: Account, stream: str) -> None:
    """Close to the present, times alone can't tell what an earlier sync has seen."""
    store = account.sandbox.store
    state = account.sync(stream).state
    first_burst = store.burst(2_500, store.now(), "spread", stream)

    first = account.sync(stream, state=state)
    second_burst = store.burst(400, store.now(), "spread", stream)
    second = account.sync(stream, state=first.state)
    third = account.sync(stream, state=second.state)

    assert len(first.ids(stream)) == len(first_burst)
    assert set(first.ids(stream)) == {row["id"] for row in first_burst}
    assert sorted(second.ids(stream)) == sorted(row["id"] for row in second_burst)
    assert third.ids(stream) == []


def test_two_changes_within_one_second_are_both_delivered(account: Account) -> None:
    """The times shown do not tell them apart."""
    state = account.sync().state
    number, now = newest(account, 1)[0], account.sandbox.store.now()
    account.sandbox.store.comment(number, "first", updated_at=now)
    first = account.sync(state=state)
    account.sandbox.store.comment(number, "second", updated_at=now)

    second = account.sync(state=first.state)

    assert [record["text"] for record in first.records()] == ["first"]
    assert [record["text"] for record in second.records()] == ["second"]
