"""The server's clock, as seen through the `Date` header of its replies.

The local clock may be wrong; what is compared with the server's times is taken from the server.
Pure: the caller passes in what it read.
"""

from __future__ import annotations

import threading
from email.utils import parsedate_to_datetime


class ServerClock:
    """Maps between the server's UNIX time and the local monotonic clock.

    A `Date` header has whole seconds: the server's time lay in that second at some moment between
    sending the request and receiving the reply. Every reply narrows the offset down.
    """

    def __init__(self) -> None:
        """Know nothing yet."""
        self.latest: int | None = None
        self._lowest_offset: float | None = None
        self._lock = threading.Lock()

    def observe(self, date: str | None, received: float) -> None:
        """Take a reply's `Date` header and the monotonic time at which it was received."""
        second = _unix(date)
        if second is None:
            return
        with self._lock:
            self.latest = second if self.latest is None else max(self.latest, second)
            offset = second - received
            if self._lowest_offset is None or offset > self._lowest_offset:
                self._lowest_offset = offset

    def monotonic(self, second: int) -> float | None:
        """The monotonic time from which on the server's clock surely shows this UNIX second."""
        offset = self._lowest_offset
        return None if offset is None else second - offset


def _unix(date: str | None) -> int | None:
    try:
        return int(parsedate_to_datetime(date).timestamp()) if date else None
    except ValueError:
        return None
