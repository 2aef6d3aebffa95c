"""Transport: certificates and proxies of the environment, and replies limited in time and size."""

import gzip
import logging
import shutil
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from connector_sandbox import Sandbox

from tap_wootric.api import transport
from tap_wootric.errors import ConnectionFailedError, InvalidSettingError, RetriesExhaustedError

from .conftest import Server, connect, requests_to

Serve = Callable[..., Server]


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-signed certificate for loopback, with its key in the same file."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    key, path = tmp_path / "key.pem", tmp_path / "certificate.pem"
    options = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=x"
    name = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(path)]
    subprocess.run([openssl, *options.split(), *name], check=True, capture_output=True)
    path.write_text(path.read_text() + key.read_text())
    return path


@pytest.fixture
def https(serve: Serve, certificate: Path) -> Server:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return serve(context)


def test_the_ca_bundle_of_the_environment_is_trusted(
    https: Server, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))

    assert connect(https.url).get("/v1/responses") == []


def test_an_untrusted_certificate_is_reported_as_such_before_anything_is_sent(
    https: Server, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ConnectionFailedError) as caught:
        connect(https.url, retry_budget_seconds=1).get("/v1/responses")

    warning = next(r.message for r in caplog.records if r.levelno == logging.WARNING)
    for text in (str(caught.value), warning):
        assert "untrusted certificate" in text
        assert "REQUESTS_CA_BUNDLE" in text
    assert https.requests == []


def test_a_server_without_tls_is_reported(serve: Serve) -> None:
    url = serve().url.replace("http:", "https:")

    with pytest.raises(ConnectionFailedError, match=r"127.0.0.1:\d+ \(TLS\)"):
        connect(url, retry_budget_seconds=0).get("/v1/responses")


@pytest.fixture
def proxy(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> Server:
    """A proxy that the environment names."""
    proxy = serve()
    monkeypatch.setenv("http_proxy", proxy.url)
    return proxy


def test_a_proxy_of_the_environment_is_used_for_every_request(proxy: Server) -> None:
    url = "http://api.example"

    connect(url, account_token=None).get("/v1/responses")

    assert proxy.requests == [f"POST {url}/oauth/token", f"GET {url}/v1/responses"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "api.invalid"])
def test_loopback_addresses_and_no_proxy_bypass_proxies(
    proxy: Server, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setenv("no_proxy", "api.invalid")

    with pytest.raises(ConnectionFailedError):
        connect(f"http://{host}:9", retry_budget_seconds=0).get("/v1/responses")
    assert proxy.requests == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REQUESTS_CA_BUNDLE", "/nowhere/authorities.pem"),
        ("HTTPS_PROXY", "http://:3128"),
        ("HTTPS_PROXY", "ftp://127.0.0.1:3128"),
    ],
)
def test_an_unusable_environment_is_reported_at_once(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(InvalidSettingError, match=name):
        connect("https://api.example").get("/v1/responses")


def test_credentials_of_netrc_are_not_sent(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login ada password lovelace\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))

    connect(sandbox).get("/v1/responses")

    assert not any("authorization" in r.headers for r in requests_to(sandbox, "/oauth/token"))


def test_one_connection_serves_all_requests_also_with_compressed_replies(serve: Serve) -> None:
    server = serve()
    client = connect(server.url)
    client.get("/v1/responses")
    server.headers, server.body = {"Content-Encoding": "gzip"}, gzip.compress(b'[{"id": 1}]')

    for _ in range(5):
        assert client.get("/v1/responses") == [{"id": 1}]

    assert (len(server.requests), server.connections) == (7, 1)


@pytest.mark.parametrize("path", ["/v1/responses", "/oauth/token"])
@pytest.mark.parametrize(("fault", "seconds"), [("hang", 5), ("slow", 8), ("trickle", 0.01)])
def test_a_slow_reply_is_given_up_after_the_timeout(
    sandbox: Sandbox, path: str, fault: str, seconds: float, caplog: pytest.LogCaptureFixture
) -> None:
    """Though each byte arrives in time."""
    sandbox.faults.on(fault, times=1, path=path, seconds=seconds)
    client = connect(sandbox, request_timeout=1)

    assert len(client.get("/v1/responses")) == 25
    assert client.retries.count == 1
    assert "(no complete reply in time). Retrying" in caplog.text


def test_a_reply_beyond_the_size_limit_is_given_up(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "MAX_REPLY_BYTES", 5_000)

    with pytest.raises(RetriesExhaustedError, match="reply larger than 5,000 bytes"):
        connect(sandbox, retry_budget_seconds=0).get("/v1/responses")
