"""The run gives account of itself, and tells nobody's secrets."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from connector_sandbox import Sandbox
from target_birdie import report as reporting

from .messages import Run, record, row, schema, state, stream_of


def test_the_last_line_counts(
    sandbox: Sandbox, run_target: Callable[..., Run], tmp_path: Path
) -> None:
    """Read, sent, unchanged, rejected by reason, retried by reason, and up to where it is safe."""
    options: dict[str, Any] = {"digest_path": str(tmp_path / "d.db"), "max_rejects": "10"}
    run_target(stream_of([record(1), record(2)]), **options)
    sandbox.faults.on("502", share=1.0, times=1, path="/birdie")
    run = run_target(stream_of([record(1), record(2), record(3), record(4, score=None)]), **options)

    expected = "Done: read 4, sent 1, unchanged 2, merged 0, rejected 1 (rating: 1), retried 1"
    assert f"{expected} (502: 1)" in run.log
    assert "safe up to record 4" in run.log


def test_progress_is_told_while_the_run_goes_on(
    sandbox: Sandbox, run_target: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line every ten seconds; here the seconds are shorter."""
    monkeypatch.setattr(reporting, "PROGRESS_SECONDS", 0.5)
    run = run_target(stream_of([record(n) for n in range(40)]), max_requests_per_second=20)

    assert 1 <= run.log.count("Progress: read 40, sent") <= 3


SECRETS = ["ann@example.com", "+15550100", "192.0.2.1", "my own words"]


@pytest.mark.parametrize("fault", [None, "400", "500", "reset", "html"])
def test_no_log_line_holds_a_secret(
    fault: str | None,
    sandbox: Sandbox,
    run_target: Callable[..., Run],
    config: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Not the key, not a text, not an e-mail, at any level, whatever goes wrong."""
    if fault:
        sandbox.faults.on(fault, share=1.0, times=2, path="/birdie")
    caplog.set_level(logging.DEBUG)
    person = {"email": "ann@example.com", "properties": {"phone": "+15550100"}}
    bad = record(2, text={"say": "my own words"}, end_user=person)
    run = run_target([*stream_of([record(1, text="my own words", end_user=person), bad])])
    told = run.log + run.error + json.dumps(run.states)

    assert "record 2 is rejected (text)" in run.log
    assert [secret for secret in [*SECRETS, config["api_key"]] if secret in told] == []


def test_no_address_holds_personal_data(sandbox: Sandbox, run_target: Callable[..., Run]) -> None:
    """A path carries the id and nothing else."""
    run_target(stream_of([record(1)]))

    paths = {request.path for request in sandbox.requests if request.api == "birdie"}
    assert {"/birdie/ingestion/feedbacks/1"} == paths


def test_a_dry_run_sends_nothing_and_moves_no_state(
    sandbox: Sandbox, run_target: Callable[..., Run], tmp_path: Path
) -> None:
    """It counts what is new, unchanged and refused, and leaves every file as it is."""
    store = tmp_path / "digests.db"
    run_target(stream_of([record(1), record(2)]), digest_path=str(store))
    before = store.read_bytes()
    messages = stream_of([record(1), record(2, text="new"), record(3), record(4, score=None)])
    run = run_target(messages, digest_path=str(store), dry_run=True)
    counts = "read 4, sent 0 (would be 2), unchanged 1, merged 0, rejected 1 (rating: 1)"

    assert (run.exit_code, run.states, sandbox.birdie.puts, counts in run.log) == (1, [], 2, True)
    assert (before, False) == (store.read_bytes(), (tmp_path / "rejects.jsonl").exists())


def test_a_dry_run_shows_three_samples_without_content(run_target: Callable[..., Run]) -> None:
    """The shape is shown, what people wrote is not."""
    secret = {"properties": {"company": "my own words", "boss": {"name": "my own words"}}}
    rows = [record(n, text="my own words", end_user=secret) for n in range(1, 6)]
    run = run_target(stream_of(rows), dry_run=True, api_key=None)

    assert run.log.count("Would send /feedbacks/") == 3
    assert ("my own words" in run.log, '"rating": 1' in run.log) == (False, True)


def test_states_come_out_while_the_run_goes_on(
    sandbox: Sandbox, run_target: Callable[..., Run]
) -> None:
    """About one a second, each further than the one before."""
    messages = stream_of([record(n) for n in range(1, 61)], every=1)
    run = run_target(messages, max_requests_per_second=20)
    reads = [found["read"] for found in run.states]

    assert sorted(set(reads)) == reads
    assert (3 <= len(reads) <= 6, reads[-1]) == (True, 60)


def test_birdies_schema_can_be_checked_first(
    sandbox: Sandbox, run_target: Callable[..., Run], tmp_path: Path
) -> None:
    """A record that fails it is rejected with the field, not sent."""
    path = tmp_path / "feedback.json"
    path.write_text(
        '{"properties": {"kind": {"properties": {"fields": {"properties": '
        '{"rating": {"maximum": 5}}}}}}}'
    )
    run = run_target(stream_of([record(4), record(8)]), schema_path=str(path))
    (line,) = (tmp_path / "rejects.jsonl").read_text().splitlines()

    assert (run.exit_code, list(sandbox.birdie.records())) == (1, ["4"])
    assert json.loads(line)["detail"] == "kind.fields.rating fails Birdie's schema (maximum)"


def test_birdies_schema_can_be_fetched(sandbox: Sandbox, run_target: Callable[..., Run]) -> None:
    """From the address where Birdie publishes one for each record type; the key is not sent."""
    address = f"{sandbox.birdie_url}/schemas/{{record_type}}"
    messages = [
        *stream_of(sandbox.store.responses()),
        schema("end_users"),
        row({"id": 1}, "end_users"),
    ]
    run = run_target([*messages, state({"n": 1})], schema_path=address)

    assert (run.exit_code, run.states[-1]) == (0, {"n": 1})
    asked = [found.path for found in sandbox.requests if "/schemas/" in found.path]
    assert len(asked) == 2
