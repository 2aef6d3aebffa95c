"""Local stand-ins for the Wootric and Birdie APIs, with faults on demand."""

from __future__ import annotations

from connector_sandbox.messages import Request
from connector_sandbox.options import Options
from connector_sandbox.sandbox import Sandbox

__all__ = ["Options", "Request", "Sandbox"]
