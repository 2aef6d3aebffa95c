"""The Meltano project: its definition, its settings, its state."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from connector_sandbox import Sandbox
from connector_sandbox.cli import DEFAULT_PORT
from plugins import PLUGINS, Plugin

from .commands import ROOT, Run, succeeded


def definition() -> dict[str, Any]:
    """What meltano.yml says."""
    found: dict[str, Any] = yaml.safe_load((ROOT / "meltano.yml").read_text())
    return found


def test_environment_of_the_sandbox_is_where_the_sandbox_listens():
    """By default `meltano run` reaches `make sandbox`, with the credentials that it prints."""
    project = definition()
    sandbox = Sandbox(port=DEFAULT_PORT, responses=0)
    plugins = next(e for e in project["environments"] if e["name"] == "sandbox")["config"][
        "plugins"
    ]
    tap, target = plugins["extractors"][0]["config"], plugins["loaders"][0]["config"]

    assert project["default_environment"] == "sandbox"
    assert sandbox.wootric_url == tap["api_url"]
    assert (sandbox.client_id, sandbox.client_secret) == (tap["client_id"], tap["client_secret"])
    assert (sandbox.birdie_url, sandbox.api_key) == (target["api_url"], target["api_key"])


def test_production_holds_no_secret_in_the_project():
    """The file can be committed: secrets come from the environment."""
    production = next(e for e in definition()["environments"] if e["name"] == "prod")

    assert "config" not in production


def test_the_daily_schedule_runs_the_pipeline():
    """The schedule names a job, and the job the two plugins."""
    project = definition()
    jobs = {job["name"]: job["tasks"] for job in project["jobs"]}
    found = [(daily["interval"], jobs[daily["job"]]) for daily in project["schedules"]]

    assert found == [("@daily", ["tap-wootric target-birdie"])]


@pytest.mark.long
@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.name)
def test_meltano_lists_every_setting_and_shows_no_secret(meltano: Run, plugin: Plugin):
    secret = next(setting.name for setting in plugin.settings if setting.is_secret)
    variable = f"{plugin.name}_{secret}".replace("-", "_").upper()
    done = meltano("config", "list", plugin.name, "--all", **{variable: "do-not-show-me"})

    shown = succeeded(done)
    assert [s.name for s in plugin.settings if f"\n{s.name} " not in shown] == []
    assert "do-not-show-me" not in shown + done.stderr


@pytest.mark.long
def test_setting_one_thing_with_meltano_changes_one_line(meltano: Run):
    """Meltano writes meltano.yml in a form of its own, which is the form it already has."""
    succeeded(meltano("config", "set", "target-birdie", "kind", "csat"))

    before = (ROOT / "meltano.yml").read_text().splitlines()
    after = (meltano.folder / "meltano.yml").read_text().splitlines()  # type: ignore[attr-defined]
    assert len(after) == len(before) + 1
    assert [line.strip() for line in after if line not in before] == ["kind: csat"]


@pytest.mark.long
def test_meltano_keeps_the_state_between_runs(meltano: Run, sandbox: Sandbox):
    """The state is stored under the environment's name, and a second run moves nothing."""
    succeeded(meltano("run", "wootric-to-birdie"))
    stored = len(sandbox.birdie.history)
    succeeded(meltano("run", "wootric-to-birdie"))
    state = json.loads(succeeded(meltano("state", "get", "sandbox:tap-wootric-to-target-birdie")))

    assert stored == 300 + len(sandbox.store.end_users())
    assert len(sandbox.birdie.history) == stored
    assert {"responses", "end_users"} <= set(state["singer_state"]["bookmarks"])


@pytest.mark.long
def test_meltano_reports_wrong_credentials_as_a_failed_run(meltano: Run):
    """One line says what is wrong; the exit code is not 0; the secret is not repeated."""
    done = meltano("run", "wootric-to-birdie", TAP_WOOTRIC_CLIENT_SECRET="not-the-secret")

    assert done.returncode != 0
    assert "client_secret" in done.stderr
    assert "not-the-secret" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_the_delivery_store_of_an_environment_is_its_own():
    """The sandbox's records never count as sent to production."""
    loaders = {loader["name"]: loader for loader in definition()["plugins"]["loaders"]}
    config = loaders["target-birdie"]["config"]

    assert Path(config["store_url"].removeprefix("sqlite:///")).parent == Path(
        "$MELTANO_PROJECT_ROOT/output"
    )
    assert "$MELTANO_ENVIRONMENT" in config["store_url"]
