"""A deadline for whole replies: the timeout of a socket is per read, and a byte renews it."""

from __future__ import annotations

import http.client
import io
import sys
import time
from functools import cache
from socket import socket
from typing import TYPE_CHECKING, Any

from urllib3 import HTTPConnectionPool, PoolManager

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class _TimedReader(io.RawIOBase):
    """Reads what a socket receives until its timeout has gone by once, counted from now."""

    def __init__(self, raw: io.RawIOBase, connection: socket, seconds: float) -> None:
        self._raw = raw
        self._socket = connection
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)
        try:
            return self._raw.readinto(buffer)
        finally:
            self._socket.settimeout(self._seconds)  # the connection is used again

    @override
    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedResponse(http.client.HTTPResponse):
    """A response of which status, headers and body have to arrive within the timeout."""

    def __init__(self, sock: socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        seconds = sock.gettimeout()
        if seconds:
            self.fp = io.BufferedReader(_TimedReader(self.fp.detach(), sock, seconds))


def timed(manager: PoolManager) -> None:
    """Let every connection that the manager makes from now on hold replies to its timeout."""
    pools = manager.pool_classes_by_scheme
    manager.pool_classes_by_scheme = {name: _timed_pool(pool) for name, pool in pools.items()}


@cache
def _timed_pool(pool: type[HTTPConnectionPool]) -> type[HTTPConnectionPool]:
    connection: Any = pool.ConnectionCls
    if connection.response_class is _TimedResponse:
        return pool
    connection = type("Timed", (connection,), {"response_class": _TimedResponse})
    return type("TimedPool", (pool,), {"ConnectionCls": connection})
