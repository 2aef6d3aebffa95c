"""A webhook that stores the texts it receives, as a chat service does."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer


class Webhook(HTTPServer):
    """A running webhook."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.texts: list[str] = []


class _Handler(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.texts.append(json.loads(body)["text"])
        self.send_response(200)
        self.end_headers()


@contextmanager
def listening() -> Iterator[Webhook]:
    """Start a webhook, and stop it."""
    with Webhook() as webhook:
        threading.Thread(target=webhook.serve_forever, daemon=True).start()
        yield webhook
        webhook.shutdown()
