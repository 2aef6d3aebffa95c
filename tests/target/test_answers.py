"""What each answer of Birdie, or the lack of one, means for the run."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
import responses
from connector_sandbox import Sandbox
from target_birdie.client import BirdieClient, Outcome
from target_birdie.errors import TargetError

from .messages import Run, record, stream_of

URL = "https://birdie.example.com/ingestion"
TEN = stream_of([record(n) for n in range(1, 11)])


def answer(**reply: Any) -> tuple[Outcome, str, float | None]:
    """The meaning of one answer."""
    with responses.RequestsMock() as server:
        server.put(f"{URL}/feedbacks/1", **reply)
        client = BirdieClient(URL, api_key="key", user_agent="tests", timeout=5, connections=1)
        found = client.put("/feedbacks/1", b"{}")
    return found.outcome, found.reason, found.retry_after


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_success_is_stored(status: int) -> None:
    """201 is what Birdie documents; an empty success of another kind counts too."""
    assert Outcome.STORED is answer(status=status)[0]


@pytest.mark.parametrize(
    "body", ["<html>Please sign in</html>", '{"error": "try later"}', "[]", "OK"]
)
def test_a_success_that_is_not_birdies_is_not_believed(body: str) -> None:
    """200 with a web page or an error inside stores nothing."""
    assert Outcome.AGAIN is answer(status=200, body=body, content_type="text/html")[0]


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_refusal_concerns_the_record(status: int) -> None:
    """The record is refused and the rest goes on."""
    assert (Outcome.REFUSED, str(status), None) == answer(status=status, json={"message": "no"})


def test_a_refusal_in_other_words_than_birdies_counts_too() -> None:
    """The page of a proxy in front says no more than its status, which is enough."""
    assert Outcome.REFUSED is answer(status=413, body="<html>Too large</html>")[0]


@pytest.mark.parametrize("status", [408, 500, 502, 504])
def test_a_server_fault_is_repeated(status: int) -> None:
    """The same record goes again."""
    assert (Outcome.AGAIN, str(status), None) == answer(status=status)


@pytest.mark.parametrize(
    "fault",
    [
        requests.exceptions.ConnectTimeout(),
        requests.exceptions.ReadTimeout(),
        requests.exceptions.ConnectionError(),
        requests.exceptions.ChunkedEncodingError(),
    ],
)
def test_a_broken_connection_is_repeated(fault: Exception) -> None:
    """Timeouts, resets and cut replies: the same record goes again."""
    assert Outcome.AGAIN is answer(body=fault)[0]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (requests.exceptions.SSLError("UNEXPECTED_EOF_WHILE_READING"), "TLS failure"),
        (requests.exceptions.ProxyError(), "proxy failure"),
    ],
)
def test_what_broke_on_the_way_is_named(fault: Exception, reason: str) -> None:
    """The same record goes again, and the counts of repeats say where to look."""
    assert (Outcome.AGAIN, reason, None) == answer(body=fault)


@pytest.mark.parametrize("status", [429, 503])
def test_too_many_requests_holds_everyone(status: int) -> None:
    """Retry-After is read as seconds and as a date, and may be missing or nonsense."""
    date = time.strftime("%a, %d %b %Y %H:%M:%S ", time.gmtime(time.time() + 60))

    assert (Outcome.HOLD, str(status), None) == answer(status=status)
    assert answer(status=status, headers={"Retry-After": "7"})[2] == 7.0
    for zone in ("GMT", "+0000", "-0000"):
        assert 55 < (answer(status=status, headers={"Retry-After": date + zone})[2] or 0) <= 60
    assert answer(status=status, headers={"Retry-After": "soon"})[2] is None


@pytest.mark.parametrize(
    ("status", "setting"),
    [
        (401, "api_key"),
        (403, "api_key"),
        (404, "feedback_path"),
        (405, "feedback_path"),
        (301, "api_url"),
        (307, "api_url"),
        (418, "api_url"),
    ],
)
def test_an_answer_to_every_record_ends_the_run(status: int, setting: str) -> None:
    """The line names the setting to look at; a redirect is not followed."""
    with pytest.raises(TargetError, match=setting):
        answer(status=status, headers={"Location": "https://elsewhere.example.com/"})


def test_an_untrusted_certificate_ends_the_run() -> None:
    """The line says where to name one's own authority."""
    with pytest.raises(TargetError, match="REQUESTS_CA_BUNDLE"):
        answer(body=requests.exceptions.SSLError("CERTIFICATE_VERIFY_FAILED"))


@pytest.mark.parametrize(
    "fault", ["500", "502", "504", "408", "reset", "cut", "lost_reply", "html", "object"]
)
def test_a_fault_costs_time_and_nothing_else(
    fault: str, sandbox: Sandbox, run_target: Callable[..., Run]
) -> None:
    """Three faults in a row over real HTTP: everything arrives all the same."""
    sandbox.faults.on(fault, share=1.0, times=3, path="/birdie")
    run = run_target(TEN)

    assert (run.exit_code, run.states, len(sandbox.birdie.records())) == (0, [{"read": 10}], 10)
    assert "retried 3" in run.log


def test_a_server_that_hangs_is_asked_again(
    sandbox: Sandbox, run_target: Callable[..., Run]
) -> None:
    """After `request_timeout` the record goes again."""
    sandbox.faults.on("hang", share=1.0, times=1, path="/birdie", seconds=3)
    run = run_target(TEN, request_timeout=1)

    assert (run.exit_code, len(sandbox.birdie.records())) == (0, 10)
    assert "timeout: 1" in run.log


def test_retry_after_is_kept_by_all(sandbox: Sandbox, run_target: Callable[..., Run]) -> None:
    """While Birdie asks to wait, no connection sends."""
    sandbox.faults.on("retry_after", share=1.0, times=1, path="/birdie", seconds=2)
    run = run_target(stream_of([record(n) for n in range(1, 40)]), max_concurrency=1)
    times = [request.started for request in sandbox.requests if request.api == "birdie"]

    assert (run.exit_code, len(sandbox.birdie.records())) == (0, 39)
    assert times[1] - times[0] >= 2
    assert "all requests wait 2.0 s" in run.log


@pytest.mark.long
def test_all_connections_hold_together(sandbox: Sandbox, run_target: Callable[..., Run]) -> None:
    """One of eight is asked to wait: but for what is under way, none sends until then."""
    sandbox.faults.on("retry_after", share=1.0, times=1, path="/birdie", seconds=3)
    sandbox.options.birdie_latency = 0.02
    run = run_target(stream_of([record(n) for n in range(1, 201)]), max_concurrency=8)
    (held,) = [found for found in sandbox.requests if found.status in {429, 503}]
    after = [found.started - held.finished for found in sandbox.requests if found.api == "birdie"]

    assert (run.exit_code, len(sandbox.birdie.records())) == (0, 200)
    assert [seconds for seconds in after if 1 < seconds < 2.9] == []
    assert sum(seconds >= 2.9 for seconds in after) > 150


def test_a_wrong_key_ends_at_once(sandbox: Sandbox, run_target: Callable[..., Run]) -> None:
    """One line that names the setting, exit 1, no state, and not one request for each record."""
    run = run_target(stream_of([record(n) for n in range(1, 500)]), api_key="wrong")

    assert (run.exit_code, run.states) == (1, [])
    assert run.error == "Error: Birdie refuses the key (401): check api_key\n"
    assert sandbox.birdie.puts <= 16


def test_a_wrong_path_ends_at_once(run_target: Callable[..., Run]) -> None:
    """One line that names the settings."""
    run = run_target(TEN, feedback_path="/nothing/{feedback_id}")

    assert (run.exit_code, run.states) == (1, [])
    assert "feedback_path" in run.error


def test_an_outage_ends_in_one_line_with_a_good_state(
    sandbox: Sandbox, run_target: Callable[..., Run]
) -> None:
    """What was confirmed before is in the state, and nothing more."""
    sandbox.faults.on("500", share=1.0, after=20, path="/birdie")
    run = run_target(
        stream_of([record(n) for n in range(1, 41)], every=1),
        retry_budget_seconds=2,
        max_concurrency=1,
    )

    assert (run.exit_code, run.states[-1]) == (1, {"read": 20})
    assert run.error.count("\n") == 1
    assert "accepted nothing" in run.error
    assert "never answered" not in run.error


def test_a_host_that_does_not_answer_ends_in_one_line(
    run_target: Callable[..., Run],
) -> None:
    """The line says what to do: the address may be wrong."""
    run = run_target(TEN, api_url="http://127.0.0.1:9", retry_budget_seconds=1)

    assert (run.exit_code, run.states) == (1, [])
    assert ("no connection" in run.error, run.error.count("\n")) == (True, 1)
    assert "never answered: check api_url" in run.error


def test_a_wait_longer_than_the_budget_ends_at_once(
    sandbox: Sandbox, run_target: Callable[..., Run]
) -> None:
    """There is no point in waiting for what will not be waited for to its end."""
    sandbox.faults.on("retry_after", share=1.0, path="/birdie", seconds=3600)
    started = time.monotonic()
    run = run_target(TEN)

    assert (run.exit_code, "asks to wait 3600 s" in run.error) == (1, True)
    assert time.monotonic() - started < 5


def test_a_record_that_alone_keeps_failing_does_not_block_the_rest(
    sandbox: Sandbox, run_target: Callable[..., Run], tmp_path: Path
) -> None:
    """A 500 for one record, while others are accepted, becomes a reject."""
    sandbox.faults.on("500", share=1.0, path="/birdie/ingestion/feedbacks/1")
    sandbox.options.birdie_latency = 0.05
    records = [record(n) for n in [1, *range(20, 100)]]
    run = run_target(
        stream_of(records), retry_budget_seconds=2, max_concurrency=2, max_requests_per_second=20
    )

    assert (run.exit_code, len(sandbox.birdie.records())) == (1, 80)
    assert '"reason":"500"' in (tmp_path / "rejects.jsonl").read_text()
