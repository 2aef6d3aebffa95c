"""One HTTP session for the whole tap: paced, timed by the server's clock, never redirected."""

from __future__ import annotations

import logging
import sys
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter

from tap_wootric.clock import ServerClock
from tap_wootric.deadline import timed
from tap_wootric.errors import ServerError, SettingsError, TapError
from tap_wootric.pace import Announcement, Pace
from tap_wootric.retries import reason

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from backoff.types import Details

TOO_MANY_REQUESTS = 429

# At DEBUG it logs every URL, and that of a token request may hold the account token.
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)

MAX_REFUSALS = 60
"""How many 429 in a row end the wait: somebody else uses up the whole limit."""


class PacedAdapter(HTTPAdapter):
    """Sends requests as fast as the announced rate limit allows, for all threads together.

    A 429 is waited out here, so that it does not use up the retries meant for faults.
    """

    def __init__(self, logger: logging.Logger, connections: int) -> None:
        """Keep up to `connections` connections to a host alive."""
        super().__init__(pool_maxsize=connections)
        self.clock = ServerClock()
        self.pace = Pace()
        self.requests = 0
        self.retries = 0
        self.waited = 0.0
        self.waits_until: datetime | None = None
        self._logger = logger
        self._turn = threading.Condition()

    @override
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        timed(self.poolmanager)

    @override
    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        timed(manager)
        return manager

    @override
    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        for _ in range(MAX_REFUSALS):
            self._wait_for_turn()
            try:
                response = super().send(request, *args, **kwargs)
            except BaseException as error:
                with self._turn:
                    self.pace.fail()
                    self._turn.notify_all()
                if wrong := _wrong_environment(error):
                    raise wrong from None
                raise
            self._observe(response)
            if response.status_code != TOO_MANY_REQUESTS:
                return response
            response.close()
        message = (
            f"Wootric has refused {MAX_REFUSALS} requests in a row for the rate limit (HTTP 429), "
            "each after the wait that it asks for: somebody else uses up all of it. What was read "
            "is safe: the next sync goes on from there."
        )
        raise ServerError(message)

    @property
    def requests_left(self) -> int | None:
        """Requests that may go out before the limit; None where none is announced."""
        pace = self.pace
        return None if pace.limit is None else max(pace.remaining - pace.reserve, 0)

    def tell_retry(self, who: str, details: Details) -> None:
        """Log and count that a request is to be sent again; `details` are those of `backoff`."""
        self.retries += 1
        self._logger.info(
            "%s: %s; trying again in %.1f s (try %d)",
            who,
            reason(details.get("exception") or Exception()),
            details.get("wait", 0),
            details["tries"],
        )

    def _wait_for_turn(self) -> None:
        with self._turn:
            while (delay := self.pace.delay(time.monotonic())) != 0:
                if delay is not None:
                    self._announce(delay)
                began = time.monotonic()
                self._turn.wait(delay)
                self.waited += time.monotonic() - began
            self.waits_until = None
            self.pace.start()
            self.requests += 1

    def _announce(self, delay: float) -> None:
        until = datetime.fromtimestamp(time.time() + delay, UTC)
        if self.waits_until is None or abs((until - self.waits_until).total_seconds()) > 1:
            self._logger.info(
                "Rate limit of %s requests is used up: waiting %.1f s, until %s",
                self.pace.limit,
                delay,
                f"{until:%H:%M:%S} UTC",
            )
        self.waits_until = until

    def _observe(self, response: requests.Response) -> None:
        now = time.monotonic()
        self.clock.observe(response.headers.get("Date"), now)
        told = Announcement.from_headers(response.headers)
        renewal = self.clock.monotonic(told.reset) if told else None
        with self._turn:
            take = (
                self.pace.refuse if response.status_code == TOO_MANY_REQUESTS else self.pace.finish
            )
            if told and renewal is None:  # no server clock: the local one has to do
                renewal = now + max(told.reset - time.time(), 1.0)
            take(told, renewal or now, now)
            self._turn.notify_all()


def _wrong_environment(error: BaseException) -> TapError | None:
    """What `requests` finds wrong before it connects; no later try would find it right."""
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema):
        return SettingsError(
            "HTTPS_PROXY names no proxy that can be used: write it as http://host:port"
        )
    if type(error) is OSError:
        return SettingsError(
            "REQUESTS_CA_BUNDLE names no file or folder that is there: correct the path"
        )
    return None


def new_session(adapter: HTTPAdapter, url: str) -> requests.Session:
    """A session that honours proxies and CA bundles of the environment for requests to `url`.

    `requests` looks at `REQUESTS_CA_BUNDLE` only on a path that the SDK does not take.
    """
    session = requests.Session()
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    settings = session.merge_environment_settings(url, {}, None, None, None)
    session.verify, session.cert = settings["verify"], settings["cert"]
    session.proxies.update(settings["proxies"])
    session.trust_env = False  # it would look the same up each time, and credentials in .netrc
    return session
