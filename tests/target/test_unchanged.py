"""Unchanged records are not sent, whatever happened in between."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from connector_sandbox import Sandbox
from postgres import Postgres

from .messages import Run, record, stream_of

Target = Callable[..., Run]
HUNDRED = [record(n) for n in range(1, 101)]


@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_a_second_run_sends_what_has_changed(
    store: str, sandbox: Sandbox, run_target: Target, request: pytest.FixtureRequest
) -> None:
    """From the first run on, without any setting; the batch and the order of keys do not count."""
    options: dict[str, Any] = {}
    if store == "postgres":
        server: Postgres = request.getfixturevalue("postgres")
        options["store_url"] = server.empty_database()
    run_target(stream_of(HUNDRED), batch_id="one", **options)
    turned = [dict(reversed(content.items())) for content in HUNDRED]
    messages = stream_of([*turned[:-1], record(100, text="late")])
    run = run_target(messages, batch_id="two", **options)

    assert (sandbox.birdie.puts, run.exit_code, run.states[-1]) == (101, 0, {"read": 100})
    assert sandbox.birdie.records()["100"]["text"] == "late"
    assert "Done: 100 records: 1 sent" in run.log
    assert ", 99 unchanged" in run.log


def test_a_new_store_is_named_by_its_full_path(run_target: Target, tmp_path: Path) -> None:
    """Once: a store in an unexpected folder sends everything again."""
    first, second = (run_target(stream_of([record(1)])) for _ in range(2))
    line = f"Created the delivery store {tmp_path}/birdie.db"
    assert (line in first.log, line in second.log) == (True, False)


def test_going_back_to_an_earlier_version_is_a_change(sandbox: Sandbox, run_target: Target) -> None:
    """Also while another version is on its way."""
    run_target(stream_of([record(1, text="a")]))
    sandbox.options.birdie_latency = 0.2
    run_target(stream_of([record(1, text="b"), record(1, text="a")]))
    assert sandbox.birdie.records()["1"]["text"] == "a"


def test_a_lost_reply_leaves_no_old_fingerprint(sandbox: Sandbox, run_target: Target) -> None:
    """Birdie may have the newer version: going back to the older one is a change."""
    run_target(stream_of([record(1, text="old")]))
    sandbox.faults.on("lost_reply", share=1.0, api="birdie")
    run_target(stream_of([record(1, text="new")]), retry_budget_seconds=1)
    sandbox.faults.off()
    run_target(stream_of([record(1, text="old")]))
    assert sandbox.birdie.records()["1"]["text"] == "old"


@pytest.mark.parametrize(
    "change", [{"kind": "csat"}, {"include_pii": True}, {"id_prefix": "eu-"}, {"account": "other"}]
)
def test_another_mapping_or_account_is_a_change(
    change: dict[str, object], sandbox: Sandbox, run_target: Target
) -> None:
    """What is compared is the payload, and what is known of an account belongs to it."""
    run_target(stream_of([record(1)]))
    run_target(stream_of([record(1)]), **change)
    assert sandbox.birdie.puts == 2


def test_a_named_account_keeps_its_store_when_the_address_changes(
    sandbox: Sandbox, make_sandbox: Callable[..., Sandbox], run_target: Target
) -> None:
    """Without a name, address and key are the account."""
    other = make_sandbox(responses=0)
    for options in ({"account": "acme"}, {}):
        run_target(stream_of([record(1)]), **options)
        run_target(stream_of([record(1)]), api_url=other.birdie_url, **options)
    assert (sandbox.birdie.puts, other.birdie.puts) == (2, 1)


def test_a_lost_store_costs_requests_and_no_record(
    sandbox: Sandbox, run_target: Target, tmp_path: Path
) -> None:
    """Everything is sent once more."""
    run_target(stream_of([record(1)]))
    (tmp_path / "birdie.db").unlink()
    assert run_target(stream_of([record(1)])).states == [{"read": 1}]
    assert sandbox.birdie.puts == 2


def test_without_a_store_everything_is_sent(
    sandbox: Sandbox, run_target: Target, tmp_path: Path
) -> None:
    """And no file is created."""
    for _ in range(2):
        run = run_target(stream_of([record(1)]), store_url="none", on_reject="stop")
    assert (run.exit_code, sandbox.birdie.puts, list(tmp_path.glob("birdie*"))) == (0, 2, [])


def test_a_store_that_fails_ends_the_run_without_a_state(
    sandbox: Sandbox, run_target: Target, tmp_path: Path
) -> None:
    """No state covers what is not stored; the next run sends it again."""
    (tmp_path / "birdie.db").mkdir()
    run = run_target(stream_of([record(1)]))
    assert (run.exit_code, run.states, sandbox.birdie.puts) == (1, [], 0)
    assert f"Error: The delivery store {tmp_path}/birdie.db failed: " in run.error
    assert run.error.count("\n") == 1
