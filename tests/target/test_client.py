"""One request to Birdie: its way there, and what each reply means for the record."""

import gzip
import re
import time
from pathlib import Path
from typing import Any

import pytest
import requests
import responses
from target_birdie.delivery.client import BirdieClient, Outcome, Reply
from target_birdie.errors import TargetError
from urllib3.connection import HTTPConnection

from .messages import settings_for, sync
from .running import Target

PROXY = "http://proxy.example.com:3128"


def client(url: str = "https://birdie.example/in") -> BirdieClient:
    """A client of a Birdie that the test plays."""
    return BirdieClient(settings_for(url))


def reply_to(**reply: Any) -> Reply:
    """The meaning of one reply."""
    with responses.RequestsMock() as server:
        server.put(re.compile(".*"), **reply)
        return client().put("/feedbacks/1", b"{}")


FOREIGN = ["<html>Sign in</html>", "[]", "OK", '{"error": 1}', "[" * 10**6, " " * (2 << 20)]
MEANINGS = {
    Outcome.ACCEPTED: [200, 201, 202, 204, (200, '{"errors": []}'), (201, "x" * (2 << 20))],
    Outcome.REJECTED: [400, 413, 414, 415, 422],
    Outcome.BUSY: [429, 503],
    Outcome.DENIED: [301, 307, 403, 404, 405, 409, 410, 418, 423, 451],
    Outcome.FAULT: [408, 500, 502, 504, *((200, body) for body in FOREIGN)],
}


@pytest.mark.parametrize("outcome", MEANINGS)
def test_every_reply_has_one_meaning(outcome: Outcome) -> None:
    """201 is documented; 200, 202 and 204 count unless the body contradicts."""
    for reply in MEANINGS[outcome]:
        status, body = reply if isinstance(reply, tuple) else (reply, "")
        assert reply_to(status=status, body=body).outcome is outcome, str(reply)[:80]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (requests.exceptions.SSLError("UNEXPECTED_EOF_WHILE_READING"), "TLS failure"),
        (requests.exceptions.ProxyError(), "proxy failure"),
        (requests.exceptions.ConnectTimeout(), "timeout"),
        (requests.exceptions.ReadTimeout(), "timeout"),
        (requests.exceptions.ConnectionError(), "no connection"),
    ],
)
def test_a_fault_is_named(fault: Exception, reason: str) -> None:
    """The summary says where to look."""
    assert reply_to(body=fault) == Reply(Outcome.FAULT, reason)


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
    assert found == Reply(Outcome.REJECTED, "400")


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        ("soon", None),
        ("9" * 400, 86_400.0),
        ("Sat, 28 Nov 2026 12:01:00 GMT", 60.0),
        ("Sat, 28 Nov 2026 12:01:00 -0000", 60.0),
        ("Sat, 28 Nov 2026 11:00:00 GMT", 0.0),
        ("Sat, 28 Nov 2999 11:00:00 GMT", 86_400.0),
    ],
)
def test_retry_after_is_relative_to_the_reply(
    retry_after: str | None, seconds: float | None
) -> None:
    """Birdie's clock may differ from ours; at most a day."""
    headers = {"Date": "Sat, 28 Nov 2026 12:00:00 GMT"}
    headers |= {"Retry-After": retry_after} if retry_after else {}
    assert reply_to(status=503, headers=headers).retry_after == seconds


def test_a_certificate_that_cannot_be_verified_ends_the_run() -> None:
    with pytest.raises(TargetError, match="REQUESTS_CA_BUNDLE"):
        reply_to(body=requests.exceptions.SSLError("CERTIFICATE_VERIFY_FAILED"))


@pytest.mark.parametrize(("fault", "seconds"), [("trickle", 0.3), ("slow", 30)])
def test_a_whole_reply_has_one_deadline(fault: str, seconds: float, target: Target) -> None:
    """A byte now and then, in headers or body, does not extend it."""
    target.fail(fault, seconds=seconds)
    target.sandbox.options.birdie_strict = False
    slow = BirdieClient(settings_for(target.sandbox.birdie_url, request_timeout=1))
    started = time.monotonic()
    assert slow.put("/feedbacks/1", b"{}").outcome is Outcome.FAULT
    assert time.monotonic() - started < 10


def test_a_file_of_authorities_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere.pem")
    with pytest.raises(TargetError, match="'REQUESTS_CA_BUNDLE' must be a file"):
        client().put("/feedbacks/1", b"{}")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "birdie.example"])
def test_proxies_and_authorities_of_the_environment_count(
    host: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Except for this machine, where a proxy would receive the key in clear text."""
    bundle = str(tmp_path / "bundle.pem")
    for name, value in {"REQUESTS_CA_BUNDLE": bundle, "HTTPS_PROXY": PROXY}.items():
        monkeypatch.setenv(name, value)
    options: Any = client(f"https://{host}/birdie")._options

    proxy = PROXY if host == "birdie.example" else None
    assert (options["verify"], options["proxies"].get("https")) == (bundle, proxy)


def test_a_request_has_the_key_and_an_escaped_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A .netrc entry, which requests would prefer, does not replace the key."""
    (tmp_path / "netrc").write_text("machine birdie.example login me password mine\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with responses.RequestsMock() as server:
        server.put(re.compile(".*"), status=201)
        client().put("/my in/f\u00e9/a%2Fb", b"{}")
        request = server.calls[0].request

    assert request.headers["Authorization"] == "ApiKey secret"
    assert request.url == "https://birdie.example/in/my%20in/f%C3%A9/a%2Fb"


def test_connections_are_kept(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten records over one connection: one TLS handshake with a real Birdie."""
    made: list[HTTPConnection] = []
    connect = HTTPConnection.connect
    monkeypatch.setattr(HTTPConnection, "connect", lambda self: made.append(self) or connect(self))
    target(sync(*range(1, 11)), max_concurrency=1)

    assert (len(made), len(target.sent)) == (1, 10)
