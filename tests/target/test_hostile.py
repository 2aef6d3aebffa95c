"""The SDK's hostile tap, as it is published, in front of the target."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from connector_sandbox import Sandbox

from .messages import Run

TAP = Path(__file__).parents[2] / ".cache/target/bin/tap-hostile"


@pytest.mark.long
def test_what_the_hostile_tap_sends_arrives(
    sandbox: Sandbox, run_target: Callable[..., Run]
) -> None:
    """Every property of every record, under the very name that the tap gave it."""
    if not TAP.exists():
        pytest.skip("the tap is not installed: use make test")
    text = subprocess.check_output([TAP], text=True)
    messages = [json.loads(line) for line in text.splitlines()]
    records = [found["record"] for found in messages if found["type"] == "RECORD"]
    entry = {"record_type": "user", "fields": {"user_id": "5name_starts_with_number"}}
    run = run_target(text, streams={"hostile_property_names_stream": entry})
    arrived = [
        user["additional_fields"] | {"5name_starts_with_number": number}
        for number, user in sandbox.birdie.records("users").items()
    ]

    assert (run.exit_code, len(records)) == (0, 10)
    assert sorted(records, key=str) == sorted(
        ({name: found[name] for name in records[0]} for found in arrived), key=str
    )
