"""A webhook that stores the texts it receives, as a chat service does."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer


@dataclass(frozen=True)
class Webhook:
    """A running webhook."""

    url: str
    texts: list[str]


class _Handler(BaseHTTPRequestHandler):
    texts: list[str]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.texts.append(json.loads(body)["text"])
        self.send_response(200)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Print nothing."""


@contextmanager
def listening() -> Iterator[Webhook]:
    """Start a webhook, and stop it."""
    texts: list[str] = []
    server = HTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"texts": texts}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Webhook(f"http://127.0.0.1:{server.server_port}", texts)
    server.shutdown()
    server.server_close()
