"""Both APIs on one port of this machine."""

from __future__ import annotations

import time
from random import Random
from threading import Lock, RLock
from typing import TYPE_CHECKING

from connector_sandbox import seed as seeding
from connector_sandbox import wootric
from connector_sandbox.birdie import MOUNT as BIRDIE_MOUNT
from connector_sandbox.birdie import Birdie
from connector_sandbox.control import Control
from connector_sandbox.credentials import Credentials
from connector_sandbox.fault_rules import Faults
from connector_sandbox.options import Options
from connector_sandbox.page import page
from connector_sandbox.server import HOST, Server
from connector_sandbox.store import Store
from connector_sandbox.times import Clock
from connector_sandbox.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from connector_sandbox.messages import Reply, Request
    from connector_sandbox.table import Data
    from connector_sandbox.times import Moment


class Sandbox:
    """A running stand-in of the Wootric API and of Birdie's Ingestion API.

    Use it as a context manager, or with `start` and `stop`; after a stop it can be started again on
    the same port with the same data.

    Args:
        seed: what the data is made from; the same seed gives the same data.
        responses: how many responses the account holds at first, with the people and declines
            that belong to them. 0: an empty account.
        port: 0 for any free port.
        until: the newest moment in the seeded data; an hour ago unless given.
    """

    def __init__(
        self, seed: int = 1, responses: int = 300, port: int = 0, until: Moment | None = None
    ) -> None:
        self.options = Options()
        self.requests: list[Request] = []
        self.credentials = Credentials()
        self.client_id = self.credentials.client_id
        self.client_secret = self.credentials.client_secret
        self.username = self.credentials.username
        self.password = self.credentials.password
        self.account_token = self.credentials.account_token
        self.api_key = self.credentials.api_key
        self.clock = Clock(self.options)
        self.store = Store(self.options, self.clock)
        self.tokens = Tokens(self.options, self.credentials)
        self.birdie = Birdie(self.options, self.credentials)
        self.faults = Faults(self.tokens.revoke_all)
        self._wootric = wootric.Wootric(self.store, self.tokens, self.options, self.clock)
        self._control = Control(self)
        self._port = port
        self._server: Server | None = None
        self._hook: Callable[[int, str], object] | None = None
        self._hook_lock = RLock()
        self._lists = 0
        self._log_lock = Lock()
        self._random = Random(seed)
        seeding.fill(self.store, self._random, responses, until)

    @property
    def url(self) -> str:
        """Address of the page for people; the APIs are below it."""
        return f"http://{HOST}:{self._port}"

    @property
    def wootric_url(self) -> str:
        """The tap's `api_url`."""
        return self.url + wootric.MOUNT

    @property
    def birdie_url(self) -> str:
        """The target's `api_url`."""
        return self.url + BIRDIE_MOUNT

    def start(self) -> None:
        """Listen; requests are answered in threads of their own.

        Raises:
            OSError: the port is taken.
        """
        self.faults.stopping.clear()
        self._server = Server(self._port, self, self.clock)
        self._port = self._server.port

    def stop(self) -> None:
        """Stop listening, close every connection, keep the data."""
        self.faults.stopping.set()
        if self._server is not None:
            self._server.stop()
            self._server = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def receive(self, n: int = 1) -> list[Data]:
        """Let n new responses arrive, as realistic as the seeded ones; gives them back."""
        return seeding.arrive(self.store, self._random, n)

    def before_request(self, hook: Callable[[int, str], object] | None) -> None:
        """Call `hook(number, path)` before each request for Wootric data is looked at.

        Numbers count from 1 and from this call on; one call at a time.
        """
        with self._hook_lock:
            self._hook, self._lists = hook, 0

    def answer(self, request: Request, body: bytes) -> Reply:
        """The reply to one request, which is remembered before it is sent."""
        reply = self._reply(request, body)
        request.status = 0 if reply.delivery in {"reset", "silent"} else reply.status
        request.finished = time.time()
        if request.api != "page":
            with self._log_lock:
                self.requests.append(request)
        return reply

    def _reply(self, request: Request, body: bytes) -> Reply:
        if request.api == "wootric":
            _wait(self.options.latency)
            self._call_hook(request)
            return self.faults.apply(request, lambda: self._wootric.answer(request, body))
        if request.api == "birdie":
            _wait(self.options.birdie_latency)
            return self.faults.apply(request, lambda: self.birdie.answer(request, body))
        if request.api == "control":
            return self._control.answer(request, body)
        return page(self, request)

    def _call_hook(self, request: Request) -> None:
        if self._hook is None or not wootric.is_data(request.path):
            return
        with self._hook_lock:
            self._lists += 1
            self._hook(self._lists, request.path)


def _wait(seconds: float) -> None:
    if seconds > 0:
        time.sleep(seconds)
