"""What has not changed is not sent again, and what has is, whatever befell the syncs before."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tap_wootric.horizon import QUIET

from .helpers import Account, Output

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def pass_time(account: Account, time: timedelta) -> None:
    """Let the server's clock, and with it that of the records, go on."""
    account.sandbox.options.utc_offset_seconds_clock += time.total_seconds()


def versions(*outputs: Output) -> list[tuple[Any, Any]]:
    """Each record sent, with when it was changed."""
    return [(row["id"], row["updated_at"]) for out in outputs for row in out.records()]


def import_old(account: Account, n: int) -> set[int]:
    """Responses of days ago that are brought in now, one every twenty seconds."""
    added = set()
    for i in range(n):
        pass_time(account, timedelta(seconds=20))
        now = account.sandbox.store.now()
        created = now - 3 * DAY + timedelta(minutes=i)
        added.add(account.sandbox.store.add("responses", created, updated_at=now)["id"])
    return added


@pytest.mark.parametrize("becomes_honoured", [True, False])
def test_what_older_look_backs_have_left_is_not_sent_again(
    account: Account, *, becomes_honoured: bool
) -> None:
    """When the look-back is made longer, or Wootric begins to honour `updated`, after many days."""
    options, store = account.sandbox.options, account.sandbox.store
    options.updated_filter = False
    output, late = account.sync(lookback_days=2), 0
    for day in range(20):
        options.utc_offset_seconds_clock += DAY.total_seconds()
        added = [store.add_response()["id"] for _ in range(3)]
        late = added[0] if day == 8 else late
        output = account.sync(state=output.state, lookback_days=2)
        assert set(output.ids()) == set(added)
    store.comment(late, "came late")
    options.updated_filter = becomes_honoured

    longer = account.sync(state=output.state, lookback_days=2 if becomes_honoured else 60)

    assert longer.ids() == [late]


@pytest.mark.parametrize("is_honoured", [True, False])
def test_an_import_that_a_broken_off_sync_has_sent_is_not_sent_by_the_next(
    account: Account, *, is_honoured: bool
) -> None:
    """Its last state is exact: only what came after it is left."""
    account.sandbox.options.updated_filter = is_honoured
    first = account.sync()
    imported = import_old(account, 200)
    pass_time(account, HOUR)
    account.sandbox.faults.on("500", share=1.0, after=4, path="/v1/")

    broken = account.sync(state=first.state, retry_budget_seconds=0)
    account.sandbox.faults.off()
    second = account.sync(state=broken.state)

    assert (broken.code, second.code) == (1, 0)
    assert 50 < len(broken.ids()) < 200
    assert {*broken.ids(), *second.ids()} == imported
    assert len(broken.ids()) + len(second.ids()) == 200


@pytest.mark.parametrize("narrower", ["start_date", "lookback_days", "updated ignored"])
def test_a_sync_that_reads_less_forgets_nothing_of_the_rest(
    account: Account, narrower: str
) -> None:
    """Changes in the last minute before a sync are known by name until times can tell."""
    options, store = account.sandbox.options, account.sandbox.store
    for number in sorted(account.truth())[:30]:
        store.tag(number, "seen")
        pass_time(account, timedelta(seconds=1))
    options.updated_filter = narrower != "lookback_days"
    settings: dict[str, Any] = {"lookback_days": 300}
    first = account.sync(**settings)
    pass_time(account, HOUR)
    added = [store.add_response()["id"]]

    options.updated_filter = narrower == "start_date"
    less = {"start_date": (store.now() - 2 * DAY).date().isoformat()}
    second = account.sync(state=first.state, **(less if narrower == "start_date" else {}))
    pass_time(account, HOUR)
    added.append(store.add_response()["id"])
    options.updated_filter = narrower != "lookback_days"
    third = account.sync(state=second.state, **settings)

    assert second.ids() + third.ids() == added


def test_what_is_imported_behind_a_sync_is_not_taken_for_sent(account: Account) -> None:
    """Though a later id was: the next look-back meets it."""
    store = account.sandbox.store
    account.sandbox.options.updated_filter = False
    first = account.sync()
    late: list[int] = []
    settings = {"page_size": 25, "lookback_days": 60}

    def bring(number: int, _path: str) -> None:
        if number == 3:  # the newest page: the oldest one of the look-back has been read
            old = store.now() - 59 * DAY
            late.append(store.add("responses", old, updated_at=old)["id"])
            store.add_response()

    account.sandbox.before_request(bring)
    second = account.sync(state=first.state, **settings)
    account.sandbox.before_request(None)
    third = account.sync(state=second.state, **settings)
    pass_time(account, HOUR)
    store.add_response()
    fourth = account.sync(state=third.state, **settings)
    pass_time(account, HOUR)
    fifth = account.sync(state=fourth.state, **settings)

    assert late[0] not in second.ids()
    assert late[0] + 1 in second.ids()
    ids = second.ids() + third.ids() + fourth.ids() + fifth.ids()
    assert set(late) <= set(ids)
    assert len(ids) == len(set(ids)) == 3


def test_a_response_of_the_future_does_not_vouch_for_a_date_that_is_ahead(
    account: Account,
) -> None:
    """Its time of change is the server's own, and that alone tells what the clock is."""
    store = account.sandbox.store
    account.sandbox.options.date_ahead = 3_600
    ahead = store.now() + timedelta(minutes=50)
    store.add("responses", ahead, updated_at=store.now())
    output = account.sync()
    for oldest in (0, 40):
        changed = sorted(account.truth())[oldest : oldest + 40]
        for number in changed:
            pass_time(account, timedelta(seconds=10))
            store.comment(number, "came late")

        output = account.sync(state=output.state)

        assert set(changed) <= set(output.ids())


def test_an_idle_sync_costs_two_requests_also_after_a_bulk_change(account: Account) -> None:
    """Changes of the last minute are met again once, and then settled, however quiet it is."""
    first = account.sync()
    for number in account.truth():
        account.sandbox.store.tag(number, "bulk")
        pass_time(account, timedelta(seconds=0.05))
    bulk = account.sync(state=first.state)
    pass_time(account, timedelta(seconds=QUIET))
    again = account.sync(state=bulk.state)
    account.sandbox.requests.clear()

    idle = account.sync(state=again.state)

    assert len(bulk.ids()) == 300
    assert again.ids() == idle.ids() == []
    assert len(account.lists()) <= 2
