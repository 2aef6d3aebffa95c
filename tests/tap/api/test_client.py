"""The client: what a reply means, the clock of the server, and waits that a signal ends."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import responses
from connector_sandbox import Sandbox

from tap_wootric.errors import (
    ForbiddenError,
    RejectedRequestError,
    RetriesExhaustedError,
    TapError,
)
from tap_wootric.shutdown import Interrupted, Shutdown

from .conftest import SECRETS, TOKEN, URL, Server, connect, in_threads, requests_to


def get(path: str = "/v1/responses", **reply: Any) -> Any:
    """Return what a client without retries makes of this reply."""
    with responses.RequestsMock() as server:
        server.post(f"{URL}/oauth/token", json=TOKEN)
        server.get(URL + path, **reply)
        return connect(URL, retry_budget_seconds=0).get(path)


def test_parameters_reach_the_api_and_none_is_omitted(sandbox: Sandbox) -> None:
    params = {"created[gte]": 5, "per_page": 30, "sort_order": None}

    assert len(connect(sandbox).get("/v1/responses", params)) == 30
    assert requests_to(sandbox, "/v1/responses")[0].query == {"created[gte]": "5", "per_page": "30"}


@pytest.mark.parametrize(
    ("status", "kind", "text"),
    [
        (301, RejectedRequestError, "(HTTP 301). Check 'api_url' and 'region'"),
        (400, RejectedRequestError, "rejected the request for 'responses' (HTTP 400)"),
        (403, ForbiddenError, "The API client may not read 'responses' (HTTP 403)"),
        (404, RejectedRequestError, "(HTTP 404)"),
        (409, RejectedRequestError, "(HTTP 409)"),
        (423, ForbiddenError, "(HTTP 423)"),
    ],
)
def test_a_rejection_is_final_and_carries_its_status(
    status: int, kind: type[RejectedRequestError], text: str
) -> None:
    with pytest.raises(kind) as caught:
        get(status=status, body="s3cr3t", headers={"Location": "http://other.example"})

    assert type(caught.value) is kind
    assert text in str(caught.value)


@pytest.mark.parametrize("status", [202, 204, 206])
def test_an_unexpected_success_is_retried_and_not_called_a_rejection(status: int) -> None:
    with pytest.raises(RetriesExhaustedError, match=rf"\(last error: HTTP {status}\)"):
        get(status=status)


@pytest.mark.parametrize(
    ("body", "data"),
    [
        (b'[{"text":"\\ud83d"}]', [{"text": "?"}]),
        ('[{"text":"é"}]'.encode(), [{"text": "é"}]),
    ],
)
def test_unusual_json_is_read(body: bytes, data: object) -> None:
    assert get(body=body) == data


@pytest.mark.parametrize("body", [b"", b"null", b'"x"', b"[" * 100_000, b"<html>", b"\xff"])
def test_other_content_than_a_json_document_is_retried(body: bytes) -> None:
    with pytest.raises(RetriesExhaustedError, match="HTTP 200 with"):
        get(body=body)


@pytest.mark.parametrize("ahead", [0.0, 3600.0, -3600.0])
def test_the_clock_of_the_server_is_that_of_the_last_reply(sandbox: Sandbox, ahead: float) -> None:
    sandbox.options.date_ahead = ahead
    client = connect(sandbox)

    client.get("/v1/responses")

    assert client.server_now == pytest.approx(time.time() + ahead, abs=30)


def test_without_a_date_the_local_clock_counts(sandbox: Sandbox) -> None:
    sandbox.options.date_ahead = None
    client = connect(sandbox)
    client.get("/v1/responses")

    assert client.server_now == pytest.approx(time.time(), abs=30)


def test_a_token_that_is_revoked_early_is_replaced_once_for_all_threads(sandbox: Sandbox) -> None:
    sandbox.before_request(lambda number, _: number % 9 == 0 and sandbox.tokens.revoke_all())
    client = connect(sandbox, retry_budget_seconds=0)

    in_threads(lambda: [client.get("/v1/responses") for _ in range(15)], 3)

    rejected = [r for r in requests_to(sandbox, "/v1/responses") if r.status == 401]
    assert rejected
    assert len(requests_to(sandbox, "/oauth/token")) <= 1 + len(rejected)


def test_a_fresh_token_that_is_rejected_ends_in_an_error(sandbox: Sandbox) -> None:
    sandbox.faults.on("revoke", share=1, path="/v1/responses")

    with pytest.raises(ForbiddenError, match=r"'responses' \(HTTP 401\)"):
        connect(sandbox).get("/v1/responses")

    assert len(requests_to(sandbox, "/v1/responses")) == 3


def test_a_signal_ends_a_wait_in_the_main_thread(sandbox: Sandbox) -> None:
    sandbox.faults.on("hang", share=1, path="/v1/responses", seconds=60)
    shutdown = Shutdown()
    before = signal.signal(signal.SIGTERM, lambda number, _: shutdown.request(number))
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM)).start()
    try:
        with pytest.raises(Interrupted):
            connect(sandbox, shutdown, request_timeout=60).get("/v1/responses")
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("status", [200, 301, 400, 401, 403, 404, 500])
def test_logs_and_errors_contain_no_secrets(
    serve: Callable[..., Server], caplog: pytest.LogCaptureFixture, status: int
) -> None:
    caplog.set_level(logging.DEBUG)
    error = ""
    try:
        get(status=status, body='{"email": "ada@example.com", "token": "t0k3n"}')
    except TapError as caught:
        error = str(caught)
    client = connect(serve().url, retry_budget_seconds=0)
    client.get("/v1/responses", {"email": "ada@example.com"})

    for text in (*SECRETS.values(), "t0k3n", "ada@example.com"):
        if text != SECRETS["client_id"]:
            assert text not in caplog.text + error
