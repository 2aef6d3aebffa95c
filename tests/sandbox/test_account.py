"""Data that changes while the sandbox runs, and the sandbox as an object."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from connector_sandbox import Sandbox, most_at_once, side_by_side

from tests.conftest import SignedIn

from .helpers import Put

STREAMS = ("responses", "declines", "end_users")
SECOND = datetime(2031, 5, 1, 12, 0, 0, tzinfo=UTC)
LONG_AGO = datetime(2016, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CHANGES = {"comment": "text", "score": "score", "tag": "tags", "note": "notes"}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_sets_updated_at_only(sandbox: Sandbox, change: str):
    """Comment, tag, note or corrected score; `created_at` stays (doc, field)."""
    old = sandbox.store.add_response(LONG_AGO, updated_at=LONG_AGO)
    new = getattr(sandbox.store, change)(old["id"], "x")

    assert new[CHANGES[change]] in ("x", ["x"])
    assert new["created_at"] == LONG_AGO == old["updated_at"]
    assert sandbox.store.now() - new["updated_at"] < MINUTE


@pytest.mark.parametrize("stream", STREAMS)
def test_a_changed_record_is_found_by_updated_at(wootric: SignedIn, stream: str):
    """If the filter is honored (field)."""
    store = wootric.sandbox.store
    query, changed = {"updated[gte]": int(time.time()) - 1}, store.records(stream)[0]["id"]
    before = wootric.ids(stream, query)
    store.change(changed, stream)

    assert (before, wootric.ids(stream, query)) == ([], [changed])


@pytest.mark.parametrize("stream", STREAMS)
def test_an_id_is_used_once(sandbox: Sandbox, stream: str):
    """Also after a deletion: two records with one id would hide a loss."""
    store, record_id = sandbox.store, sandbox.store.add(stream)["id"]
    with pytest.raises(ValueError, match=f"id {record_id} already exists"):
        store.add(stream, id=record_id)
    store.delete(stream, record_id)

    assert record_id not in [row["id"] for row in store.records(stream)]
    assert store.add(stream)["id"] != record_id
    with pytest.raises(KeyError):
        store.delete(stream, record_id)


@pytest.mark.parametrize("stream", STREAMS)
def test_records_can_be_back_dated(sandbox: Sandbox, stream: str):
    """An import creates old records now (doc)."""
    rows = sandbox.store.import_past(3, LONG_AGO, stream)

    assert [(row["created_at"] - LONG_AGO).seconds for row in rows] == [0, 1, 2]
    assert all(sandbox.store.now() - row["updated_at"] < MINUTE for row in rows)


@pytest.mark.parametrize("stream", STREAMS)
def test_one_second_can_hold_thousands(sandbox: Sandbox, stream: str):
    """Imports put many records into one second, at one time or spread (field, infer)."""
    for fractions, times in (("same", 1), ("spread", 3_500)):
        rows = sandbox.store.burst(3_500, SECOND, fractions, stream)
        moments = [row["updated_at" if stream == "end_users" else "created_at"] for row in rows]

        assert (len({row["id"] for row in rows}), len(set(moments))) == (3_500, times)
        assert {moment.replace(microsecond=0) for moment in moments} == {SECOND}


def test_a_hook_runs_before_each_request_for_data(wootric: SignedIn):
    """With number and path; its changes are part of the reply."""
    calls: list[Any] = []
    add = wootric.sandbox.store.add_response
    wootric.sandbox.before_request(lambda *call: calls.append((*call, add()["id"])))
    first = wootric.ids("responses", {"per_page": 1})

    assert calls == [(1, "/wootric/v1/responses", *first)]


def test_requests_are_recorded(wootric: SignedIn, put: Put):
    """In order, with headers and times, which include the delays; over one connection (infer)."""
    manager: Any = wootric.session.get_adapter("http://")
    wootric.sandbox.options.latency = wootric.sandbox.options.birdie_latency = 0.1
    wootric.get("responses", {"created[gte]": 5, "page": 31})
    put("/feedbacks/7")
    token, listed, sent = wootric.sandbox.requests

    assert (token.method, token.path, token.status) == ("POST", "/wootric/oauth/token", 200)
    assert (listed.path, listed.api, listed.status) == ("/wootric/v1/responses", "wootric", 200)
    assert listed.query == {"created[gte]": "5", "page": "31"}
    assert all(row.finished - row.started >= 0.1 for row in (listed, sent))
    assert most_at_once([token, listed, sent]) == 1
    assert [p.num_connections for p in manager.poolmanager.pools._container.values()] == [1]


def test_sandboxes_run_side_by_side():
    """Each with its own port, data and requests."""
    with side_by_side(3, responses=20) as sandboxes:
        states = [requests.get(f"{s.url}/_control/state", timeout=5).json() for s in sandboxes]

    assert [state["wootric"]["responses"] for state in states] == [20, 20, 20]
    assert [len(s.requests) for s in sandboxes] == [1, 1, 1]
    assert len({str([row["text"] for row in s.store.responses()]) for s in sandboxes}) == 3
