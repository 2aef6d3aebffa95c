"""The parts of a sandbox that the control API and the page read and change."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from connector_sandbox.account.store import Store
from connector_sandbox.birdie import Birdie
from connector_sandbox.fault_rules import Faults
from connector_sandbox.options import Options
from connector_sandbox.web.messages import Request
from connector_sandbox.wootric.tokens import Tokens


@dataclass(frozen=True)
class Parts:
    """Everything that belongs to one sandbox, except the HTTP server."""

    options: Options
    store: Store
    tokens: Tokens
    birdie: Birdie
    faults: Faults
    random: Random
    requests: list[Request] = field(default_factory=list)
    """All requests to either API and to the control API, in order."""
