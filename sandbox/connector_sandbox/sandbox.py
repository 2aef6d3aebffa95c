"""Both APIs on one local port."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from random import Random
from threading import Lock, RLock
from types import TracebackType
from typing import Self

from connector_sandbox.account import seed as seeding
from connector_sandbox.account.store import Store
from connector_sandbox.account.table import Data
from connector_sandbox.birdie import MOUNT as BIRDIE_MOUNT
from connector_sandbox.birdie import Birdie
from connector_sandbox.credentials import Credentials
from connector_sandbox.fault_rules import Faults
from connector_sandbox.options import Options
from connector_sandbox.page.control import Control
from connector_sandbox.page.page import page
from connector_sandbox.parts import Parts
from connector_sandbox.times import Clock, Moment
from connector_sandbox.web.messages import Reply, Request
from connector_sandbox.web.server import HOST, Server
from connector_sandbox.wootric import api as wootric
from connector_sandbox.wootric.tokens import Tokens


class Sandbox:
    """A running stand-in for the Wootric API and for Birdie's Ingestion API.

    Use it as a context manager, or call `start` and `stop`. After `stop`, `start` uses the same
    port and the same data again.

    Args:
        seed: The seed of the sample data. The same seed gives the same data.
        responses: The number of responses at the start; people and declines are added to match.
            0 gives an empty account.
        port: The port; 0 for any free port.
        until: The newest time in the sample data. Defaults to one hour ago.
    """

    client_id = Credentials.client_id
    client_secret = Credentials.client_secret
    username = Credentials.username
    password = Credentials.password
    account_token = Credentials.account_token
    api_key = Credentials.api_key

    def __init__(
        self, seed: int = 1, responses: int = 300, port: int = 0, until: Moment | None = None
    ) -> None:
        self.options = Options()
        self.clock = Clock(self.options)
        self.parts = self._parts(seed)
        self._wootric = wootric.Wootric(self.store, self.tokens, self.options, self.clock)
        self._control = Control(self.parts)
        self._port = port
        self._server: Server | None = None
        self._hook = _Hook()
        self._log_lock = Lock()
        seeding.seed_account(self.store, self.parts.random, responses, until)

    def _parts(self, seed: int) -> Parts:
        credentials = Credentials()
        tokens = Tokens(self.options, credentials)
        return Parts(
            options=self.options,
            store=Store(self.options, self.clock),
            tokens=tokens,
            birdie=Birdie(self.options, credentials),
            faults=Faults(tokens.revoke_all),
            random=Random(seed),
        )

    @property
    def store(self) -> Store:
        """The data of the Wootric account."""
        return self.parts.store

    @property
    def tokens(self) -> Tokens:
        """The token endpoint of Wootric."""
        return self.parts.tokens

    @property
    def birdie(self) -> Birdie:
        """The records that Birdie stored."""
        return self.parts.birdie

    @property
    def faults(self) -> Faults:
        """The faults that are switched on."""
        return self.parts.faults

    @property
    def requests(self) -> list[Request]:
        """All requests so far, in order, except those of the page."""
        return self.parts.requests

    @property
    def url(self) -> str:
        """The address of the page; both APIs are below it."""
        return f"http://{HOST}:{self._port}"

    @property
    def wootric_url(self) -> str:
        """The `api_url` of the tap."""
        return self.url + wootric.MOUNT

    @property
    def birdie_url(self) -> str:
        """The `api_url` of the target."""
        return self.url + BIRDIE_MOUNT

    def start(self) -> None:
        """Listen for requests; each connection has its own thread.

        Raises:
            OSError: The port is in use.
        """
        self.faults.stopping.clear()
        self._server = Server(self._port, self, self.clock)
        self._port = self._server.port

    def stop(self) -> None:
        """Stop listening and close all connections; the data stays."""
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

    def add_responses(self, n: int = 1) -> list[Data]:
        """Add n responses of the present time, and return them."""
        return seeding.add_responses(self.store, self.parts.random, n)

    def before_request(self, hook: Callable[[int, str], object] | None) -> None:
        """Call `hook(number, path)` before each request for Wootric data.

        Numbers count from 1, starting now. Calls do not overlap.
        """
        self._hook.set(hook)

    def answer(self, request: Request, body: bytes) -> Reply:
        """Return the reply to one request, and record the request."""
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
            self._hook.call(request)
            return self.faults.apply(request, lambda: self._wootric.answer(request, body))
        if request.api == "birdie":
            _wait(self.options.birdie_latency)
            return self.faults.apply(request, lambda: self.birdie.answer(request, body))
        if request.api == "control":
            return self._control.answer(request, body)
        return page(self.parts, self.url, request)


class _Hook:
    """A function that a test has called before each request for Wootric data."""

    def __init__(self) -> None:
        self._hook: Callable[[int, str], object] | None = None
        self._number = 0
        self._lock = RLock()

    def set(self, hook: Callable[[int, str], object] | None) -> None:
        with self._lock:
            self._hook, self._number = hook, 0

    def call(self, request: Request) -> None:
        if self._hook is None or not wootric.is_data(request.path):
            return
        with self._lock:
            self._number += 1
            self._hook(self._number, request.path)


@contextmanager
def side_by_side(n: int, responses: int = 300) -> Iterator[list[Sandbox]]:
    """Run n sandboxes with different data at the same time, each on its own free port.

    Args:
        n: The number of sandboxes; their seeds are 1 to n.
        responses: The number of responses in each of them.
    """
    with ExitStack() as stack:
        yield [stack.enter_context(Sandbox(seed, responses)) for seed in range(1, n + 1)]


def _wait(seconds: float) -> None:
    if seconds > 0:
        time.sleep(seconds)
