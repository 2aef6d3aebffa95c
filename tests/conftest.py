"""Fixtures for all tests: both APIs over real HTTP."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import requests
from connector_sandbox import Sandbox
from hypothesis import settings
from postgres import NoPostgresError, Postgres, running

settings.register_profile("quick", max_examples=25, deadline=None)
settings.register_profile("all", deadline=None)
settings.register_profile("soak", max_examples=3000, deadline=None)
settings.load_profile("all")


class SignedIn:
    """A plain client of a sandbox's Wootric API."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.session = requests.Session()
        self.sign_in()

    def token(self, form: dict[str, str], query: dict[str, str] | None = None) -> requests.Response:
        """Ask for a token."""
        url = f"{self.sandbox.wootric_url}/oauth/token"
        return self.session.post(url, params=query, data=form, timeout=10)

    def sign_in(self) -> None:
        """Use a new token from now on."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.sandbox.client_id,
            "client_secret": self.sandbox.client_secret,
        }
        token = self.token(form).json()["access_token"]
        self.session.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str, query: dict[str, Any] | None = None) -> requests.Response:
        """GET below `/v1`."""
        url = f"{self.sandbox.wootric_url}/v1/{path}"
        return self.session.get(url, params=query, timeout=10)

    def rows(self, stream: str, query: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """The records of one page."""
        reply = self.get(stream, query)
        assert reply.status_code == 200, reply.text
        found: list[dict[str, Any]] = reply.json()
        return found

    def ids(self, stream: str, query: dict[str, Any] | None = None) -> list[int]:
        """The ids of one page."""
        return [row["id"] for row in self.rows(stream, query)]


@pytest.fixture
def make_sandbox() -> Iterator[Callable[..., Sandbox]]:
    """Start sandboxes with the arguments of `Sandbox`; all of them stop after the test."""
    with ExitStack() as stack:
        yield lambda **arguments: stack.enter_context(Sandbox(**arguments))


@pytest.fixture
def sandbox(make_sandbox: Callable[..., Sandbox]) -> Sandbox:
    """A small account: 300 responses, 150 people, 100 declines."""
    return make_sandbox(seed=1, responses=300)


@pytest.fixture
def wootric(sandbox: Sandbox) -> Iterator[SignedIn]:
    """A client that is signed in to the small account."""
    client = SignedIn(sandbox)
    with client.session:
        yield client


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server for all tests; each uses its own schema or database."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(running())
        except NoPostgresError as reason:
            pytest.skip(str(reason))
        yield server
