"""Clients of the API, against the sandbox or a server for what the sandbox never does."""

import json
import logging
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from connector_sandbox import Sandbox

from tap_wootric.api.client import WootricClient
from tap_wootric.shutdown import Shutdown

URL = "http://127.0.0.1:9"
TOKEN = {"access_token": "t0k3n", "token_type": "Bearer", "expires_in": 7200}
SECRETS = {"client_id": "id", "client_secret": "s3cr3t", "account_token": "NPS-t0k"}


class Handler(BaseHTTPRequestHandler):
    """Issues tokens, and otherwise returns an empty list in the way its server is set to."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.reply(json.dumps(TOKEN).encode())

    def do_GET(self) -> None:
        self.reply(self.server.body)

    def reply(self, body: bytes) -> None:
        self.server.requests.append(f"{self.command} {self.path}")
        self.send_response(200)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for chunk in (body[:3], body[3:], b""):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[str] = []
        self.connections = 0
        self.headers: Mapping[str, str] = {}
        self.body = b"[]"
        self.url = f"http{'s' if context else ''}://127.0.0.1:{self.server_port}"
        if context:
            self.socket = context.wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, *_: object) -> None:
        """Clients that do not trust the certificate hang up."""


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    with ExitStack() as running:
        yield lambda context=None: running.enter_context(Server(context))


def connect(api: Sandbox | str, shutdown: Shutdown | None = None, **settings: Any) -> WootricClient:
    """Return a client of a sandbox or of a URL, with a retry budget of ten seconds."""
    config: dict[str, Any] = {"request_timeout": 10, "retry_budget_seconds": 10}
    config |= {"user_agent": "acme/1", "grant_type": "client_credentials"}
    if isinstance(api, str):
        config |= SECRETS | {"api_url": api}
    else:
        config |= {"client_id": api.client_id, "client_secret": api.client_secret}
        config["api_url"] = api.wootric_url
    logging.getLogger("tap-wootric").setLevel(logging.DEBUG)
    return WootricClient(config | settings, shutdown or Shutdown())


def requests_to(sandbox: Sandbox, path: str) -> list[Any]:
    return [request for request in list(sandbox.requests) if path in request.path]


def in_threads(work: Callable[[], object], number: int = 8) -> None:
    """Run `work` in threads at the same time; the first exception is raised."""
    with ThreadPoolExecutor(number) as pool:
        for future in [pool.submit(work) for _ in range(number)]:
            future.result()
