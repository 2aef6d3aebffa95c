"""Transport: certificates, proxies and user agent of the environment hold for every request."""

from __future__ import annotations

import gzip
import json
import shutil
import ssl
import subprocess
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from .helpers import Account

CODINGS = {"gzip": gzip.compress, "deflate": zlib.compress}

TOKEN = {"access_token": "t0k3n", "token_type": "bearer", "expires_in": 7200}


class Stub(BaseHTTPRequestHandler):
    """Signs everybody in, and holds nothing; what was asked for is kept by the server."""

    protocol_version = "HTTP/1.1"
    server: Server

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def answer(self, body: object) -> None:
        self.server.asked.append(f"{self.command} {self.path}")
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        text = json.dumps(body).encode()
        if self.server.coding:
            text = CODINGS[self.server.coding](text)
        self.send_response(200)
        self.send_header("Content-Encoding", self.server.coding or "identity")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for chunk in (text[:7], text[7:], b""):
            time.sleep(self.server.pause)
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))

    def do_POST(self) -> None:
        self.answer(TOKEN)

    def do_GET(self) -> None:
        self.answer([])

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """Runs the stub in a thread."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Stub)
        self.asked: list[str] = []
        self.connections = 0
        self.coding: str | None = None
        self.pause = 0.0
        if context:
            self.socket = context.wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, *_: object) -> None:
        """A client that does not trust the certificate hangs up."""


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Start servers that end with the test."""
    with ExitStack() as running:
        yield lambda context=None: running.enter_context(Server(context))


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for loopback that no authority has signed, with its key in one file."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl on this machine to make a certificate with")
    key, path = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=x", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(path)),
        ],
        check=True,
        capture_output=True,
    )
    path.write_text(path.read_text() + key.read_text())
    return path


@pytest.fixture
def https(serve: Callable[..., Server], certificate: Path) -> Server:
    """A server that shows this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return serve(context)


def test_the_certificate_authorities_of_the_environment_are_trusted(
    account: Account, https: Server, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`REQUESTS_CA_BUNDLE` counts for the token and for the data."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))

    output = account.sync(api_url=f"https://127.0.0.1:{https.server_port}")

    assert output.code == 0
    assert [line.split("?")[0] for line in https.asked] == [
        "POST /oauth/token",
        "GET /v1/responses",
    ]


def test_a_certificate_that_nobody_vouches_for_ends_the_sync_before_anything_is_sent(
    account: Account, https: Server
) -> None:
    """In one line that says so."""
    url = f"https://127.0.0.1:{https.server_port}"

    output = account.sync(api_url=url, retry_budget_seconds=0)

    assert output.code == 1
    assert "a TLS error" in output.error
    assert https.asked == []


def test_the_proxy_of_the_environment_is_used_for_every_request(
    account: Account, serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The host itself need not be reachable."""
    proxy = serve()
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.server_port}")

    output = account.sync(api_url="http://localhost:9")

    assert output.code == 0
    assert [line.split("?")[0] for line in proxy.asked] == [
        "POST http://localhost:9/oauth/token",
        "GET http://localhost:9/v1/responses",
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REQUESTS_CA_BUNDLE", "/nowhere/authorities.pem"),
        ("HTTPS_PROXY", "http://:3128"),
        ("HTTPS_PROXY", "ftp://127.0.0.1:3128"),
    ],
)
def test_an_environment_that_names_what_is_not_there_ends_the_sync_at_once(
    account: Account, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """In one line that names the variable: no later try would find it."""
    monkeypatch.setenv(name, value)

    output = account.sync(api_url="https://127.0.0.1:9")

    assert output.code == 1
    assert output.error.startswith(f"Error: {name} names no ")
    assert "Traceback" not in output.log


def test_a_proxy_that_takes_too_long_is_given_up_in_time(
    account: Account, serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reply as a whole has `request_timeout`, there too."""
    proxy = serve()
    proxy.pause = 0.5
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.server_port}")

    output = account.sync(api_url="http://localhost:9", request_timeout=1, retry_budget_seconds=0)

    assert output.code == 1
    assert "at last with no answer in time" in output.error


def test_no_proxy_is_honoured(
    account: Account, serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hosts that the environment names are asked directly."""
    proxy = serve()
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.server_port}")
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    output = account.sync()

    assert output.code == 0
    assert (len(output.ids()), proxy.asked) == (300, [])


def test_a_netrc_file_does_not_take_the_place_of_the_token(
    account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`requests` would send what it finds there instead."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login ada password lovelace\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))

    output = account.sync()

    assert output.code == 0
    assert all(r.headers["authorization"].startswith("Bearer ") for r in account.lists())
    assert not any("authorization" in r.headers for r in account.tokens)


@pytest.mark.parametrize(("setting", "sent"), [(None, "tap-wootric/"), ("acme/1", "acme/1")])
def test_every_request_says_who_asks(account: Account, setting: str | None, sent: str) -> None:
    """The tap by name and version, or as the setting says."""
    account.sync(user_agent=setting)

    assert len(account.sandbox.requests) > 5
    assert all(r.headers["user-agent"].startswith(sent) for r in account.sandbox.requests)


def test_one_connection_serves_one_request_after_another(
    account: Account, serve: Callable[..., Server]
) -> None:
    """Token and data; a new connection a request would cost a round trip each, or two."""
    server = serve()

    output = account.sync(
        ("responses", "declines"), api_url=f"http://127.0.0.1:{server.server_port}"
    )

    assert output.code == 0
    assert (len(server.asked), server.connections) == (3, 1)


@pytest.mark.parametrize("coding", CODINGS)
def test_a_compressed_reply_is_read(
    account: Account, serve: Callable[..., Server], coding: str
) -> None:
    """In chunks, as servers send it, and of an unknown length."""
    server = serve()
    server.coding = coding

    output = account.sync(api_url=f"http://127.0.0.1:{server.server_port}")

    assert output.code == 0
    assert len(server.asked) == 2


def test_a_host_that_does_not_answer_is_named_by_its_setting(account: Account) -> None:
    """One line, soon, and no credentials in it."""
    output = account.sync(api_url="http://127.0.0.1:9", retry_budget_seconds=0)

    assert output.code == 1
    assert "a connection that could not be made" in output.error
    assert "'api_url'" in output.error
