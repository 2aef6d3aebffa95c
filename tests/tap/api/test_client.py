"""The client: what a reply means, the clock of the server, and waits that a signal ends."""

import logging
import time
from typing import Any

import pytest
import responses
from connector_sandbox import Sandbox

from tap_wootric.errors import ForbiddenError, RejectedRequestError, RetriesExhaustedError, TapError

from .conftest import SECRETS, TOKEN, URL, connect, in_threads, requests_to


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


@pytest.mark.parametrize(
    ("body", "data"),
    [(b'[{"text":"\\ud83d"}]', [{"text": "?"}]), ('[{"text":"é"}]'.encode(), [{"text": "é"}])],
)
def test_unusual_json_is_read(body: bytes, data: object) -> None:
    assert get(body=body) == data


@pytest.mark.parametrize(
    ("status", "body", "text"),
    [
        *((200, body, "HTTP 200 with") for body in (b"", b"null", b'"x"', b"[" * 100_000, b"\xff")),
        *((status, b"", f"(last error: HTTP {status})") for status in (202, 204, 206)),
    ],
)
def test_a_success_without_a_json_document_is_retried(status: int, body: bytes, text: str) -> None:
    with pytest.raises(RetriesExhaustedError) as caught:
        get(status=status, body=body)

    assert text in str(caught.value)


@pytest.mark.parametrize("ahead", [0.0, 3600.0, -3600.0, None])
def test_the_clock_of_the_server_is_that_of_the_last_reply_or_else_the_local_one(
    sandbox: Sandbox, ahead: float | None
) -> None:
    sandbox.options.date_ahead = ahead
    client = connect(sandbox)

    client.get("/v1/responses")

    assert client.server_now == pytest.approx(time.time() + (ahead or 0), abs=30)


def test_a_token_that_is_revoked_early_is_replaced_once_for_all_threads(sandbox: Sandbox) -> None:
    sandbox.before_request(lambda number, _: number % 20 == 0 and sandbox.tokens.revoke_all())
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


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 500])
@pytest.mark.parametrize(("method", "path"), [("POST", "/oauth/token"), ("GET", "/v1/responses")])
def test_the_body_of_an_error_reply_is_not_repeated(
    caplog: pytest.LogCaptureFixture, status: int, method: str, path: str
) -> None:
    caplog.set_level(logging.DEBUG)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as server:
        server.post(f"{URL}/oauth/token", json=TOKEN)
        server.upsert(method, URL + path, body='{"email": "ada@example.com"}', status=status)
        with pytest.raises(TapError) as caught:
            connect(URL, retry_budget_seconds=0).get("/v1/responses", {"email": "ada@example.com"})

    text = caplog.text + str(caught.value)
    assert str(status) in text
    for word in (SECRETS["client_secret"], SECRETS["account_token"], "t0k3n", "ada"):
        assert word not in text
