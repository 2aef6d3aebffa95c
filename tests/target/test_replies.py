"""What each reply of Birdie, or the lack of one, means for a record."""

from __future__ import annotations

import gzip
import time
from typing import Any

import pytest
import requests
import responses
from target_birdie.delivery.client import BirdieClient, Outcome, Reply
from target_birdie.errors import TargetError

from .messages import settings_for

URL = "https://birdie.example.com/ingestion"


def reply_to(**reply: Any) -> Reply:
    """The meaning of one reply."""
    with responses.RequestsMock() as server:
        server.put(f"{URL}/feedbacks/1", **reply)
        client = BirdieClient(settings_for(URL))
        return client.put("/feedbacks/1", b"{}")


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        *(({"status": status}, Outcome.ACCEPTED) for status in (200, 201, 202, 204)),
        ({"status": 200, "json": {"errors": []}}, Outcome.ACCEPTED),
        ({"status": 201, "body": "x" * (2 << 20)}, Outcome.ACCEPTED),
        *(
            ({"status": 200, "body": body}, Outcome.FAULT)
            for body in ("<html>Sign in</html>", '{"error": "later"}', "[]", "OK", "[" * 10**6)
        ),
        ({"status": 200, "body": "{" + " " * (1 << 20) + "}"}, Outcome.FAULT),
        *(({"status": status}, Outcome.REJECTED) for status in (400, 413, 414, 415, 422)),
        *(({"status": status}, Outcome.FAULT) for status in (408, 500, 502, 504)),
        *(({"status": status}, Outcome.BUSY) for status in (429, 503)),
        *(
            ({"status": status}, Outcome.DENIED)
            for status in (301, 307, 403, 404, 405, 409, 410, 418, 423, 451)
        ),
        *(
            ({"body": fault()}, Outcome.FAULT)
            for fault in (
                requests.exceptions.ConnectTimeout,
                requests.exceptions.ReadTimeout,
                requests.exceptions.ConnectionError,
                requests.exceptions.ProxyError,
            )
        ),
    ],
)
def test_every_reply_has_one_meaning(reply: dict[str, Any], outcome: Outcome) -> None:
    """201 is documented; 200, 202 and 204 count unless the body contradicts."""
    assert reply_to(**reply).outcome is outcome


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (requests.exceptions.SSLError("UNEXPECTED_EOF_WHILE_READING"), "TLS failure"),
        (requests.exceptions.ProxyError(), "proxy failure"),
        (requests.exceptions.ReadTimeout(), "timeout"),
    ],
)
def test_a_fault_is_named(fault: Exception, reason: str) -> None:
    """The summary says where to look."""
    assert reply_to(body=fault).reason == reason


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"message": "no text"}, "no text"),
        ({"error": "no text"}, "no text"),
        ({"errors": ["no text", {"message": "no id"}]}, "no text; no id"),
        ({"detail": 1}, '{"detail": 1}'),
        ({"message": "x" * 600}, "x" * 500),
    ],
)
def test_birdies_reason_is_kept_whatever_its_form(body: Any, message: str) -> None:
    """The key of the message is not documented."""
    assert reply_to(status=400, json=body).message == message


def test_a_compressed_reply_is_not_unpacked() -> None:
    """A kilobyte can become a gigabyte; the status says enough."""
    body = gzip.compress(b'{"message": "no text"}')
    found = reply_to(status=400, body=body, headers={"Content-Encoding": "gzip"})
    assert (found.outcome, found.message) == (Outcome.REJECTED, "")


DATE = "Sat, 28 Nov 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "9" * 400}, 86_400.0),
        ({"Retry-After": "Sat, 28 Nov 2026 12:01:00 GMT", "Date": DATE}, 60.0),
        ({"Retry-After": "Sat, 28 Nov 2026 12:01:00 -0000", "Date": DATE}, 60.0),
        ({"Retry-After": "Sat, 28 Nov 2026 11:00:00 GMT", "Date": DATE}, 0.0),
        ({"Retry-After": "Sat, 28 Nov 2999 11:00:00 GMT", "Date": DATE}, 86_400.0),
    ],
)
def test_retry_after_is_relative_to_the_reply(
    headers: dict[str, str], seconds: float | None
) -> None:
    """Birdie's clock may differ from ours; at most a day."""
    assert reply_to(status=503, headers=headers).retry_after == seconds


@pytest.mark.parametrize(
    ("reply", "line"),
    [
        ({"status": 401}, "api_key"),
        ({"body": requests.exceptions.SSLError("CERTIFICATE_VERIFY_FAILED")}, "REQUESTS_CA_BUNDLE"),
    ],
)
def test_a_reply_to_every_record_ends_the_run(reply: dict[str, Any], line: str) -> None:
    """The line names the setting to check."""
    with pytest.raises(TargetError, match=line):
        reply_to(**reply)


@pytest.mark.parametrize("fault", ["trickle", "slow"])
def test_a_whole_reply_has_one_deadline(fault: str, sandbox: Any) -> None:
    """A byte now and then, in headers or body, does not extend it."""
    sandbox.faults.on(fault, share=1.0, path="/birdie", seconds=0.3 if fault == "trickle" else 30)
    client = BirdieClient(settings_for(sandbox.birdie_url, request_timeout=1))
    sandbox.options.birdie_strict = False
    started = time.monotonic()
    assert client.put("/feedbacks/1", b"{}").outcome is Outcome.FAULT
    assert time.monotonic() - started < 10
