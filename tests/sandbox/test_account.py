"""Data that changes while the sandbox runs, and the sandbox as an object."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest
import requests
from connector_sandbox import Sandbox, most_at_once, side_by_side
from connector_sandbox.account.store import Store

from tests.conftest import SignedIn

STREAMS = ("responses", "declines", "end_users")
SECOND = datetime(2031, 5, 1, 12, 0, 0, tzinfo=UTC)
LONG_AGO = datetime(2016, 1, 1, tzinfo=UTC)
MOMENTS = timedelta(seconds=60)

Change = Callable[[Store, int], object]


@pytest.mark.parametrize(
    ("change", "field", "value"),
    [
        (lambda store, i: store.comment(i, "late"), "text", "late"),
        (lambda store, i: store.tag(i, "late"), "tags", ["late"]),
        (lambda store, i: store.note(i, "late"), "notes", ["late"]),
        (lambda store, i: store.score(i, 3), "score", 3),
    ],
)
def test_a_change_sets_updated_at_only(
    sandbox: Sandbox, change: Change, field: str, value: object
) -> None:
    """Comment, tag, note or corrected score; `created_at` stays (doc, field)."""
    store = sandbox.store
    old = store.add_response(LONG_AGO, updated_at=LONG_AGO)
    change(store, old["id"])
    new = store.get(old["id"])

    assert (new[field], new["created_at"]) == (value, LONG_AGO)
    assert store.now() - new["updated_at"] < MOMENTS
    assert old["updated_at"] == LONG_AGO


@pytest.mark.parametrize("stream", STREAMS)
def test_a_changed_record_is_found_by_updated_at(wootric: SignedIn, stream: str) -> None:
    """If the filter is honored (field)."""
    store, now = wootric.sandbox.store, wootric.sandbox.store.now()
    query = {"updated[gte]": int(now.timestamp()) - 1}
    before, changed = wootric.ids(stream, query), store.records(stream)[0]["id"]
    store.change(changed, stream)

    assert (before, wootric.ids(stream, query)) == ([], [changed])


def test_an_end_user_with_a_new_email_moves_in_the_list(wootric: SignedIn) -> None:
    """The default sort key is `email` (doc)."""
    person = wootric.sandbox.store.end_users()[7]["id"]
    wootric.sandbox.store.update_end_user(person, email="zzz@example.com")

    assert wootric.ids("end_users", {"sort_order": "desc"})[0] == person


@pytest.mark.parametrize("stream", STREAMS)
def test_a_deleted_record_is_gone(sandbox: Sandbox, stream: str) -> None:
    """Its id is not used again."""
    store, record_id = sandbox.store, sandbox.store.add(stream)["id"]
    store.delete(stream, record_id)

    assert record_id not in [row["id"] for row in store.records(stream)]
    assert store.add(stream)["id"] != record_id
    with pytest.raises(KeyError):
        store.delete(stream, record_id)


@pytest.mark.parametrize("stream", STREAMS)
def test_records_can_be_back_dated(sandbox: Sandbox, stream: str) -> None:
    """An import creates old records now (doc)."""
    rows = sandbox.store.import_past(3, LONG_AGO, stream)

    assert [(row["created_at"] - LONG_AGO).seconds for row in rows] == [0, 1, 2]
    assert all(sandbox.store.now() - row["updated_at"] < MOMENTS for row in rows)


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize(("fractions", "times"), [("same", 1), ("spread", 3_500)])
def test_one_second_can_hold_thousands(
    sandbox: Sandbox, stream: str, fractions: str, times: int
) -> None:
    """Imports put many records into one second (field, infer)."""
    key = "updated_at" if stream == "end_users" else "created_at"
    rows = sandbox.store.burst(3_500, SECOND, fractions, stream)  # type: ignore[arg-type]

    assert (len({row["id"] for row in rows}), len({row[key] for row in rows})) == (3_500, times)
    assert {row[key].replace(microsecond=0) for row in rows} == {SECOND}


def test_an_id_is_unique(sandbox: Sandbox) -> None:
    """Two records with one id would hide a loss."""
    with pytest.raises(ValueError, match="id 1001 already exists"):
        sandbox.store.add_response(id=1001)


def test_changes_by_many_threads_are_complete(sandbox: Sandbox) -> None:
    """The data changes while requests are answered."""
    threads = [Thread(target=sandbox.store.burst, args=(100, SECOND)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sandbox.store.count() == 1_100


def test_a_hook_runs_before_each_request_for_data(wootric: SignedIn) -> None:
    """With number and path; its changes are part of the reply."""
    store, calls, added = wootric.sandbox.store, list[object](), list[int]()
    wootric.sandbox.before_request(
        lambda *call: (calls.append(call), added.append(store.add_response()["id"]))
    )
    wootric.sign_in()
    first = wootric.ids("responses", {"per_page": 1})
    wootric.get("../v2/email_stats")

    assert calls == [(1, "/wootric/v1/responses"), (2, "/wootric/v2/email_stats")]
    assert first == added[:1]


def test_requests_are_recorded(wootric: SignedIn) -> None:
    """In order, with times, headers and the largest number at the same time."""
    wootric.get("responses", {"created[gte]": 5, "page": 31})
    token, listed = wootric.sandbox.requests

    assert (token.method, token.path, token.status) == ("POST", "/wootric/oauth/token", 200)
    assert (listed.path, listed.api, listed.status) == ("/wootric/v1/responses", "wootric", 200)
    assert listed.query == {"created[gte]": "5", "page": "31"}
    assert token.started <= token.finished <= listed.started <= listed.finished <= time.time()
    assert listed.headers["user-agent"].startswith("python-requests")
    assert most_at_once([token, listed]) == 1


def test_many_requests_use_one_connection(wootric: SignedIn) -> None:
    """Connections are persistent (infer)."""
    for _ in range(5):
        wootric.get("segments")
    pools = wootric.session.get_adapter("http://").poolmanager.pools  # type: ignore[attr-defined]

    assert [pool.num_connections for pool in pools._container.values()] == [1]


def test_replies_can_be_delayed(wootric: SignedIn, put: Callable[..., object]) -> None:
    """The options `latency` and `birdie_latency`."""
    wootric.sandbox.options.latency = wootric.sandbox.options.birdie_latency = 0.2
    wootric.get("segments")
    put("/feedbacks/7")

    assert all(row.finished - row.started >= 0.2 for row in wootric.sandbox.requests[1:])


@pytest.mark.parametrize(
    ("name", "value"),
    [("time_format", "sundial"), ("ties", ""), ("time_zone", "Moon"), ("latencyy", 1)],
)
def test_an_invalid_option_is_an_error(sandbox: Sandbox, name: str, value: object) -> None:
    """A misspelled name or value must not pass silently."""
    with pytest.raises((AttributeError, ValueError)):
        setattr(sandbox.options, name, value)


def test_a_body_may_wait_for_100_continue(sandbox: Sandbox) -> None:
    """curl waits before it sends a large body."""
    port = int(sandbox.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        head = b"PUT /birdie/ingestion/feedbacks/1 HTTP/1.1\r\nExpect: 100-continue\r\n"
        client.sendall(head + b"Content-Length: 2\r\n\r\n")
        first = client.recv(100)
        client.sendall(b"{}")

        assert first.startswith(b"HTTP/1.1 100 ")
        assert client.recv(100).startswith(b"HTTP/1.1 401 ")


def test_a_stopped_sandbox_starts_again_with_its_data(sandbox: Sandbox) -> None:
    """On the same port."""
    url, rows = sandbox.url, sandbox.store.responses()
    sandbox.stop()
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=1)
    sandbox.start()

    assert (sandbox.url, sandbox.store.responses()) == (url, rows)
    assert requests.get(url, timeout=5).ok


def test_sandboxes_run_side_by_side() -> None:
    """Each with its own port, data and requests."""
    with side_by_side(3, responses=20) as sandboxes:
        states = [requests.get(f"{s.url}/_control/state", timeout=5).json() for s in sandboxes]

    assert len({s.url for s in sandboxes}) == 3
    assert [state["wootric"]["responses"] for state in states] == [20, 20, 20]
    assert [len(s.requests) for s in sandboxes] == [1, 1, 1]
    assert sandboxes[0].store.responses() != sandboxes[1].store.responses()
