"""The way to Birdie: its address, the environment's proxies and authorities, kept connections."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import responses
from connector_sandbox import Sandbox
from target_birdie.delivery.client import BirdieClient
from target_birdie.errors import TargetError
from urllib3.connection import HTTPConnection

from .messages import Run, record, settings_for, stream_of

URL = "https://birdie.example.com/ingestion"


def client(url: str = URL) -> BirdieClient:
    """A client of a server that the test plays."""
    return BirdieClient(settings_for(url))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REQUESTS_CA_BUNDLE", "/nowhere.pem"),
        ("HTTPS_PROXY", "http://:3128"),
        ("HTTPS_PROXY", "ftp://proxy.example.com"),
    ],
)
def test_an_environment_that_names_nothing_usable_ends_the_run(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line names the variable, not a setting of this target; no time is lost on repeats."""
    monkeypatch.setenv(name, value)
    with pytest.raises(TargetError, match=name):
        client().put("/feedbacks/1", b"{}")


def test_proxies_and_authorities_of_the_environment_count(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As with any program that uses requests."""
    bundle = tmp_path / "bundle.pem"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.com:3128")
    options: Any = client()._options

    assert (str(bundle), "http://proxy.example.com:3128") == (
        options["verify"],
        options["proxies"]["https"],
    )


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_this_machine_is_reached_without_a_proxy(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy would receive the key in clear text."""
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example.com:3128")
    assert client(f"http://{host}:8765/birdie")._options["proxies"] == {}


def test_a_netrc_entry_does_not_replace_the_key(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """requests would prefer the password of the machine's owner."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine birdie.example.com login me password mine\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with responses.RequestsMock() as server:
        server.put(f"{URL}/feedbacks/1", status=201)
        client().put("/feedbacks/1", b"{}")

        assert server.calls[0].request.headers["Authorization"] == "ApiKey secret"


def test_connections_are_kept(
    sandbox: Sandbox, run_target: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten records over one connection, one TLS handshake with a real Birdie."""
    made: list[HTTPConnection] = []
    connect = HTTPConnection.connect
    monkeypatch.setattr(HTTPConnection, "connect", lambda self: made.append(self) or connect(self))
    run_target(stream_of([record(n) for n in range(1, 11)]), max_concurrency=1)

    assert (len(made), len(sandbox.birdie.records())) == (1, 10)


def test_a_path_is_written_as_addresses_are() -> None:
    """Blanks and letters of a path setting are escaped, what is escaped stays."""
    with responses.RequestsMock() as server:
        server.put(re.compile(".*"), status=201)
        client("https://birdie.example.com").put("/my in/f\u00e9/a%2Fb", b"{}")

        assert server.calls[0].request.url == "https://birdie.example.com/my%20in/f%C3%A9/a%2Fb"


@pytest.mark.parametrize(
    "url",
    ["https://*.example.com", "https://.example.com"],
)
def test_an_address_that_is_none_ends_the_run(url: str) -> None:
    """Before anything is sent."""
    with pytest.raises(TargetError, match="must be a URL"):
        client(url)
