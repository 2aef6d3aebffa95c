"""What the commands print without an account."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .commands import BIN, run, succeeded

pytestmark = pytest.mark.usefixtures("clean_environment")


def test_discover_lists_the_streams_without_credentials(tmp_path: Path):
    """`tap-wootric --discover` needs no settings and asks no server."""
    catalog = json.loads(succeeded(run(BIN / "tap-wootric", "--discover", cwd=tmp_path)))

    streams = {stream["tap_stream_id"] for stream in catalog["streams"]}
    reports = {"nps_summary", "survey_templates", "email_stats"}
    assert {"responses", "end_users", "declines", "segments", *reports} == streams


@pytest.mark.parametrize("command", ["tap-wootric", "target-birdie"])
def test_about_describes_every_setting_without_credentials(command: str, tmp_path: Path):
    """`--about` names the command, its capabilities, and describes each setting."""
    done = run(BIN / command, "--about", "--format=json", cwd=tmp_path)

    about = json.loads(succeeded(done))
    assert command == about["name"]
    assert "stream-maps" in about["capabilities"]
    assert all(setting["description"] for setting in about["settings"]["properties"].values())
