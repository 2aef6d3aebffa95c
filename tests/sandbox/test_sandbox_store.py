"""Data that changes while the sandbox runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from connector_sandbox import Sandbox
    from connector_sandbox.store import Store

    from tests.conftest import SignedIn

STREAMS = ("responses", "declines", "end_users")
SECOND = datetime(2031, 5, 1, 12, 0, 0, tzinfo=UTC)
LONG_AGO = datetime(2016, 1, 1, tzinfo=UTC)


@pytest.fixture
def store(sandbox: Sandbox) -> Store:
    """The data of the small account."""
    return sandbox.store


@pytest.mark.parametrize("stream", STREAMS)
def test_a_new_record_is_of_now(store: Store, stream: str) -> None:
    """Both times are the server's now."""
    before = store.now()
    row = store.add(stream)

    assert before <= row["created_at"] == row["updated_at"] <= store.now()
    assert store.records(stream)[-1] == row


@pytest.mark.parametrize(
    ("change", "field", "value"),
    [
        (lambda store, i: store.comment(i, "late"), "text", "late"),
        (lambda store, i: store.tag(i, "late"), "tags", ["late"]),
        (lambda store, i: store.note(i, "late"), "notes", ["late"]),
        (lambda store, i: store.score(i, 3), "score", 3),
    ],
)
def test_a_change_moves_updated_at_and_never_created_at(
    store: Store, change: Callable[[Store, int], object], field: str, value: object
) -> None:
    """A comment, tag, note or corrected score bumps updated_at only (doc)."""
    old = store.add_response(LONG_AGO, updated_at=LONG_AGO)
    change(store, old["id"])
    new = store.get(old["id"])

    assert new[field] == value
    assert new["created_at"] == old["created_at"]
    assert new["updated_at"] > store.now() - timedelta(seconds=5)


@pytest.mark.parametrize("stream", STREAMS)
def test_a_changed_record_is_found_by_its_new_time(wootric: SignedIn, stream: str) -> None:
    """updated[gte] finds what has changed since (doc26)."""
    store = wootric.sandbox.store
    since = int(store.now().timestamp()) - 1
    before = wootric.ids(stream, {"updated[gte]": since})
    changed = store.records(stream)[0]["id"]
    store.change(changed, stream)

    assert (before, wootric.ids(stream, {"updated[gte]": since})) == ([], [changed])


def test_an_end_user_that_changes_its_email_moves_in_the_list(wootric: SignedIn) -> None:
    """The default order of end users is by email (doc)."""
    person = wootric.sandbox.store.end_users()[7]["id"]
    wootric.sandbox.store.update_end_user(person, email="zzz@example.com")

    assert wootric.ids("end_users", {"sort_order": "desc"})[0] == person


@pytest.mark.parametrize("stream", STREAMS)
def test_a_deleted_record_is_gone(wootric: SignedIn, stream: str) -> None:
    """Old records are deleted while a sync runs (infer); their ids never come again."""
    store = wootric.sandbox.store
    gone = store.add(stream)["id"]
    store.delete(stream, gone)

    assert gone not in [row["id"] for row in store.records(stream)]
    assert store.add(stream)["id"] != gone
    with pytest.raises(KeyError):
        store.delete(stream, gone)


@pytest.mark.parametrize("stream", STREAMS)
def test_an_import_into_the_past_is_heard_of_now(store: Store, stream: str) -> None:
    """Responses can be created by API with a created_at in the past (doc)."""
    rows = store.import_past(3, LONG_AGO, stream)

    assert [row["created_at"] for row in rows] == [
        LONG_AGO + timedelta(seconds=i) for i in range(3)
    ]
    assert all(row["updated_at"] > store.now() - timedelta(seconds=5) for row in rows)


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize(("fractions", "moments"), [("same", 1), ("spread", 100)])
def test_a_burst_fills_one_second(store: Store, stream: str, fractions: str, moments: int) -> None:
    """Imports can put thousands of records into one second (field, infer)."""
    key = "updated_at" if stream == "end_users" else "created_at"
    rows = store.burst(100, SECOND, fractions, stream)  # type: ignore[arg-type]
    stored = {row[key] for row in rows}

    assert len(stored) == moments
    assert {moment.replace(microsecond=0) for moment in stored} == {SECOND}


def test_a_burst_may_have_thousands(store: Store) -> None:
    """3,500 records in one second, each with an id of its own."""
    store.burst(3_500, SECOND)

    assert len({row["id"] for row in store.responses()}) == 3_800


def test_what_was_handed_out_does_not_change(store: Store) -> None:
    """A test compares what it was given before with what is there after."""
    row = store.add_response()
    store.tag(row["id"], "late")

    assert row["tags"] == []


@pytest.mark.parametrize(
    "moment", [SECOND, SECOND.timestamp(), "2031-05-01T12:00:00Z", "2031-05-01 05:00:00-07:00"]
)
def test_moments_can_be_given_in_any_form(store: Store, moment: datetime | float | str) -> None:
    """A datetime, UNIX seconds or text."""
    assert store.add_response(moment)["created_at"] == SECOND


def test_an_id_is_given_once(store: Store) -> None:
    """Two records of one id would hide a loss."""
    with pytest.raises(ValueError, match="id 1001 exists already"):
        store.add_response(id=1001)


def test_changes_from_many_threads_all_arrive(store: Store) -> None:
    """Data changes while requests are answered."""
    threads = [Thread(target=store.burst, args=(100, SECOND)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert store.count() == 1_100


def test_a_hook_changes_data_between_requests(wootric: SignedIn) -> None:
    """The hook is called before each request for data, with its number from 1."""
    calls: list[tuple[int, str]] = []
    wootric.sandbox.before_request(lambda number, path: calls.append((number, path)))
    wootric.sign_in()
    wootric.get("responses")
    wootric.get("declines")

    assert calls == [(1, "/wootric/v1/responses"), (2, "/wootric/v1/declines")]


def test_a_hook_takes_effect_on_its_own_request(wootric: SignedIn) -> None:
    """What the hook adds is in the very reply."""
    added: list[int] = []
    store = wootric.sandbox.store
    wootric.sandbox.before_request(lambda *_: added.append(store.add_response()["id"]))

    assert wootric.ids("responses", {"per_page": 1}) == added
