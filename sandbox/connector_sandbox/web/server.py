"""The HTTP server: loopback only, persistent connections, one thread per connection."""

from __future__ import annotations

import socket
import struct
import sys
import time
from contextlib import suppress
from http import HTTPStatus
from http.server import ThreadingHTTPServer
from socketserver import StreamRequestHandler, TCPServer
from threading import Event, Lock, Thread
from typing import Protocol
from urllib.parse import parse_qsl, unquote

from connector_sandbox.times import Clock
from connector_sandbox.web.messages import Reply, Request

HOST = "127.0.0.1"
LONGEST_LINE = 65_536
STOP_POLL_SECONDS = 0.005
REQUEST_LINE = ("method", "target", "version")
PHRASES = {status.value: status.phrase for status in HTTPStatus}
APIS = ("wootric", "birdie", "_control")


class Application(Protocol):
    """The object that answers the requests."""

    def answer(self, request: Request, body: bytes) -> Reply:
        """Return the reply to one request."""


class Server(ThreadingHTTPServer):
    """Serves an application until `stop`, which also closes open connections."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, port: int, application: Application, clock: Clock) -> None:
        self.application = application
        self.clock = clock
        self.stopping = Event()
        self._open: set[socket.socket] = set()
        self._lock = Lock()
        super().__init__((HOST, port), Handler)
        self._thread = Thread(target=self.serve_forever, args=(STOP_POLL_SECONDS,), daemon=True)
        self._thread.start()

    def server_bind(self) -> None:
        """Bind without the base class's name look-up, which can take seconds."""
        TCPServer.server_bind(self)

    @property
    def port(self) -> int:
        """Return the port."""
        return int(self.server_address[1])

    def stop(self) -> None:
        """Stop listening and close all connections."""
        self.stopping.set()
        self.shutdown()
        self.server_close()
        self._thread.join()
        with self._lock:
            for connection in self._open:
                _close(connection)

    def remember(self, connection: socket.socket) -> None:
        """Add an open connection."""
        with self._lock:
            self._open.add(connection)

    def forget(self, connection: socket.socket) -> None:
        """Remove a closed connection."""
        with self._lock:
            self._open.discard(connection)


class Handler(StreamRequestHandler):
    """Answers the requests of one connection.

    It parses the part of HTTP/1.1 that local clients use. The handler of the standard library needs
    more time for the headers than the sandbox needs for the whole reply.
    """

    disable_nagle_algorithm = True
    server: Server

    def handle(self) -> None:
        """Answer requests until the client or the server closes the connection."""
        self.server.remember(self.connection)
        try:
            while not self.server.stopping.is_set() and self._serve_one():
                pass
        except OSError:
            # The client closed the connection, or the server stops.
            pass
        finally:
            self.server.forget(self.connection)

    def _serve_one(self) -> bool:
        words = self.rfile.readline(LONGEST_LINE).decode("latin-1").split()
        if len(words) != len(REQUEST_LINE):
            return False
        started = time.time()
        headers = self._headers()
        if headers.get("expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        length = headers.get("content-length", "")
        body = self.rfile.read(int(length)) if length.isdecimal() else b""
        request = _request(words[0], words[1], headers, started)
        reply = self.server.application.answer(request, body)
        return self._send(reply) and headers.get("connection", "").lower() != "close"

    def _headers(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        while (line := self.rfile.readline(LONGEST_LINE)) not in {b"\r\n", b"\n", b""}:
            name, _, value = line.decode("latin-1").partition(":")
            # Interning saves memory: all requests are recorded, and their headers repeat.
            headers[sys.intern(name.lower())] = sys.intern(value.strip())
        return headers

    def _send(self, reply: Reply) -> bool:
        """Send the reply as its delivery says; return whether the connection stays open."""
        if reply.delivery in {"reset", "silent"}:
            if reply.delivery == "reset":
                # Without lingering, the kernel sends RST.
                self.connection.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                )
                self.connection.close()
            return False
        head = self._head(reply)
        if reply.delivery == "cut":
            self.wfile.write(head + reply.body[: len(reply.body) // 2])
            return False
        if reply.delivery in {"slow", "trickle"}:
            return self._send_slowly(head + reply.body, reply)
        self.wfile.write(head + reply.body)
        return True

    def _send_slowly(self, message: bytes, reply: Reply, steps: int = 20) -> bool:
        size, pause = len(message) // steps + 1, reply.seconds / steps
        if reply.delivery == "trickle":
            size, pause = 1, reply.seconds
        for start in range(0, len(message), size):
            self.wfile.write(message[start : start + size])
            if self.server.stopping.wait(pause):
                return False
        return True

    def _head(self, reply: Reply) -> bytes:
        lines = [
            f"HTTP/1.1 {reply.status} {PHRASES.get(reply.status, '')}",
            *self.server.clock.header(),
            f"Content-Type: {reply.content_type}",
            f"Content-Length: {len(reply.body)}",
            *(f"{name}: {value}" for name, value in reply.headers.items()),
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _request(method: str, target: str, headers: dict[str, str], started: float) -> Request:
    path, _, query = target.partition("?")
    first, _, rest = path.lstrip("/").partition("/")
    # The page polls. Its requests are not recorded.
    of_page = first not in APIS or (first == "_control" and rest.partition("/")[0] == "page")
    api = "page" if of_page else first.lstrip("_")
    values = dict(parse_qsl(query, keep_blank_values=True)) if query else {}
    if api != "birdie":  # a Birdie id may contain an encoded slash
        path = unquote(path)
    return Request(method, path, values, api, started, headers)


def _close(connection: socket.socket) -> None:
    with suppress(OSError):  # already closed
        connection.shutdown(socket.SHUT_RDWR)
