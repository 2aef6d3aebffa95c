"""Regions: which host a sync sends its requests to."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests
import responses

from tap_wootric.tap import TapWootric

from .helpers import Account, assert_complete

APP = {"client_id": "an-id", "client_secret": "a-secret"}
REGIONS = [
    ({}, "https://api.wootric.com"),
    ({"region": "us"}, "https://api.wootric.com"),
    ({"region": "EU"}, "https://api.wootric.eu"),
    ({"region": "au"}, "https://api.wootric.au"),
    ({"account_token": "NPS-EU1"}, "https://api.wootric.eu"),
    ({"account_token": "NPS-AU1"}, "https://api.wootric.au"),
    ({"account_token": "NPS-1"}, "https://api.wootric.com"),
    ({"region": "au", "account_token": "NPS-EU1"}, "https://api.wootric.au"),
    ({"region": "eu", "api_url": "https://proxy.example.com/w/"}, "https://proxy.example.com/w"),
]


@pytest.mark.parametrize(("settings", "base"), REGIONS)
def test_region_or_else_the_account_token_selects_the_host(
    settings: dict[str, str], base: str
) -> None:
    """The token request and the list requests go to the same host; `api_url` wins."""
    tap = TapWootric(config={**APP, **settings})
    with responses.RequestsMock() as wootric:
        token = wootric.post(f"{base}/oauth/token", json={"access_token": "t"})
        listed = wootric.get(f"{base}/v1/segments", json=[{"name": "plan"}])

        records = list(tap.streams["segments"].get_records(None))

    assert [record["name"] for record in records] == ["plan"]
    assert (token.call_count, listed.call_count) == (1, 2)


class Proxy(ThreadingHTTPServer):
    """An HTTP proxy that records the requested hosts and lets the sandbox reply for them."""

    def __init__(self, certificate: Path, target: str) -> None:
        super().__init__(("127.0.0.1", 0), Tunnel)
        self.hosts: list[str] = []
        self.target = target
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate)


class Tunnel(BaseHTTPRequestHandler):
    """One connection through the proxy."""

    protocol_version = "HTTP/1.1"
    server: Proxy

    def do_CONNECT(self) -> None:
        self.server.hosts.append(self.path)
        self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        self.request = self.server.context.wrap_socket(self.connection, server_side=True)
        self.setup()
        self.close_connection = False

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        names = ("Authorization", "Content-Type")
        sent = {name: self.headers[name] for name in names if self.headers[name]}
        url = self.server.target + self.path
        reply = requests.request(self.command, url, data=body, headers=sent, timeout=10)
        self.send_response(reply.status_code)
        self.send_header("Content-Length", str(len(reply.content)))
        self.end_headers()
        self.wfile.write(reply.content)

    do_POST = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of `api.wootric.eu`, with its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    path = tmp_path / "eu.pem"
    command = f"{openssl} req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=api.wootric.eu"
    names = ["-addext", "subjectAltName=DNS:api.wootric.eu"]
    files = ["-keyout", str(path), "-out", str(tmp_path / "crt.pem")]
    subprocess.run([*command.split(), *names, *files], check=True, capture_output=True)
    path.write_text(path.read_text() + (tmp_path / "crt.pem").read_text())
    return path


@pytest.fixture
def proxy(account: Account, certificate: Path) -> Iterator[Proxy]:
    """A proxy that answers for Wootric's host with the sandbox."""
    with Proxy(certificate, account.sandbox.wootric_url) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


def test_a_sync_with_region_eu_connects_to_the_host_in_the_eu(
    account: Account, proxy: Proxy, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every connection of a complete sync, as a proxy sees it."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.server_port}")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))

    output = account.sync(api_url=None, region="eu", retry_budget_seconds=0)

    assert output.code == 0, output.log
    assert_complete(account, output.records())
    assert set(proxy.hosts) == {"api.wootric.eu:443"}


@pytest.mark.parametrize(
    ("settings", "warned"),
    [
        ({"region": "us", "account_token": "NPS-EU1"}, True),
        ({"region": "EU", "account_token": "NPS-EU1"}, False),
        ({"region": "us", "account_token": "NPS-EU1", "api_url": "https://a.example"}, False),
    ],
)
def test_a_region_that_differs_from_the_account_token_is_a_warning(
    caplog: pytest.LogCaptureFixture, settings: dict[str, str], warned: bool
) -> None:
    TapWootric(config={**APP, **settings})

    assert ("belongs to 'eu'" in caplog.text) == warned
    assert "NPS-EU1" not in caplog.text
