"""Local stand-ins for the Wootric and Birdie APIs, with faults on demand.

with Sandbox(responses=1_000) as sandbox:
    sandbox.options.rate_limit = (100, 60)
    sandbox.faults.on("500", share=0.05)
    ...  # run a tap against sandbox.wootric_url and a target against sandbox.birdie_url
    assert sandbox.birdie.records().keys() == {str(r["id"]) for r in sandbox.store.responses()}
"""

from __future__ import annotations

from connector_sandbox.options import Options
from connector_sandbox.sandbox import Sandbox, side_by_side
from connector_sandbox.web.messages import Request, most_at_once

__all__ = ["Options", "Request", "Sandbox", "most_at_once", "side_by_side"]
