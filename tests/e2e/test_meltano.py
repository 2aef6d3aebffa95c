"""The Meltano project: its definition, settings, state and errors."""

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml
from commands import ROOT, block, everything, succeeded
from connector_sandbox import Sandbox
from connector_sandbox.cli import DEFAULT_PORT
from plugins import PLUGINS, Plugin
from tap.addresses import HASH, LISTED, MELTANO, PLACES, SELECT, SETTING, add_people, hidden, shown

from .conftest import Meltano

SELECTED = [
    *("*.email", "*.phone_number", "*.ip_address", "*.external_id", "*.properties.*"),
    *("*.origin_url", "*.text", "responses.notes", "*.later.*"),
]
FAILURES = [
    ("TAP_WOOTRIC_CLIENT_SECRET", "Wootric rejected the credentials"),
    ("TARGET_BIRDIE_API_KEY", "Birdie rejected the key (401). Check api_key."),
    ("TARGET_BIRDIE_FEEDBACK_PATH", "Setting 'feedback_path' must"),
]


def test_by_default_the_project_syncs_between_the_apis_of_the_sandbox():
    """Production contains no secret, and each environment has its own delivery store."""
    project = yaml.safe_load((ROOT / "meltano.yml").read_text())
    default, production = project["environments"]
    (tap,), (target,) = (default["config"]["plugins"][kind] for kind in ("extractors", "loaders"))
    sandbox = Sandbox(port=DEFAULT_PORT, responses=0)

    assert project["default_environment"] == default["name"] == "sandbox"
    assert tap["config"] == {
        "api_url": sandbox.wootric_url,
        "client_id": sandbox.client_id,
        "client_secret": sandbox.client_secret,
    }
    assert target["config"] == {"api_url": sandbox.birdie_url, "api_key": sandbox.api_key}
    assert production == {"name": "prod"}
    store = project["plugins"]["loaders"][0]["config"]["store_url"]
    assert "$MELTANO_PROJECT_ROOT/output" in store
    assert "$MELTANO_ENVIRONMENT" in store


@pytest.mark.long
@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.name)
def test_meltano_lists_every_setting_and_shows_no_secret(meltano: Meltano, plugin: Plugin):
    secret = next(setting.name for setting in plugin.settings if setting.is_secret)
    variable = f"{plugin.name}_{secret}".replace("-", "_").upper()
    done = meltano("config", "list", plugin.name, "--all", **{variable: "do-not-show-me"})

    listed = succeeded(done)
    assert [s.name for s in plugin.settings if f"\n{s.name} " not in listed] == []
    assert "do-not-show-me" not in listed + done.stderr


@pytest.mark.long
def test_the_schedule_runs_and_keeps_the_state_where_the_state_backend_says(
    meltano: Meltano, sandbox: Sandbox, tmp_path: Path
):
    """A second run sends nothing. The page shows a bucket; the test uses a folder."""
    page = "docs/production.md"
    script = block(page, "STATE_BACKEND_URI").replace("prod:", "sandbox:")
    (variable,) = re.findall(r"^export (\w+)=s3://", script, re.MULTILINE)
    place = {variable: f"file://{tmp_path}/states"}
    words = [shlex.split(line)[1:] for line in script.splitlines() if line.startswith("meltano")]

    succeeded(meltano(*shlex.split(block(page, "schedule run"))[1:], **place))
    sent = len(sandbox.birdie.history)
    _, listed, state = (succeeded(meltano(*command, **place)) for command in words)

    assert len(sandbox.birdie.history) == sent == everything(sandbox)
    assert words[-1][-1] in listed
    assert {"responses", "end_users"} <= json.loads(state)["singer_state"]["bookmarks"].keys()
    assert list((tmp_path / "states").rglob("state.json"))


@pytest.mark.long
@pytest.mark.parametrize(("variable", "message"), FAILURES)
def test_meltano_shows_our_line_and_its_own_summary(meltano: Meltano, variable: str, message: str):
    """Without a stack trace or the value; only Meltano's own lines follow."""
    done = meltano("run", "tap-wootric", "target-birdie", **{variable: "wrong-value"})
    _, found, after = done.stderr.rpartition(message)

    assert (done.returncode, found) == (1, message)
    assert "cmd_type=elb" not in after
    assert "Traceback" not in done.stderr
    assert "wrong-value" not in done.stdout + done.stderr


@pytest.mark.long
def test_an_inherited_plugin_with_stream_maps_runs(meltano: Meltano, sandbox: Sandbox):
    """Meltano's variables for stream maps are no misspelled settings."""
    maps = {"responses": {"text": "__NULL__", "email": "end_user.email if end_user else None"}}
    with meltano.plugins() as plugins:
        plugins["extractors"][0]["config"] = {"stream_maps": maps}
        config = {"client_id": sandbox.client_id, "personal_data": "hash"}
        inherited = {"name": "tap-wootric-eu", "inherit_from": "tap-wootric", "config": config}
        plugins["extractors"].append(inherited)

    done = meltano(
        *("run", "tap-wootric-eu", "target-jsonl"),
        TAP_WOOTRIC_EU_CLIENT_SECRET=sandbox.client_secret,
        TAP_WOOTRIC_EU_API_URL=sandbox.wootric_url,
        TAP_WOOTRIC_EU_HASH_SALT="salt",
    )

    succeeded(done)
    lines = (meltano.folder / "output/responses.jsonl").read_text().splitlines()
    records = [*map(json.loads, lines)]
    assert len(records) == sandbox.store.count()
    assert not any("text" in record for record in records)
    assert all(len(record["email"] or "0" * 64) == 64 for record in records)


@pytest.mark.long
@pytest.mark.parametrize(
    ("definition", "covered"),
    [(SELECT, SELECTED), (MELTANO, [*SETTING, *LISTED, "declines.*"])],
    ids=["select", "config"],
)
def test_the_blocks_on_personal_data_hide_exactly_what_the_page_says(
    meltano: Meltano, sandbox: Sandbox, definition: dict[str, object], covered: list[str]
):
    """Neither the files of the loader nor Meltano's log at DEBUG contain a covered address."""
    add_people(sandbox)
    with meltano.plugins() as plugins:
        plugins["extractors"][0].update(definition)

    salt = {"TAP_WOOTRIC_HASH_SALT": HASH["hash_salt"]}
    done = meltano("--log-level=debug", "run", "tap-wootric", "target-jsonl", **salt)

    succeeded(done)
    files = "".join(path.read_text() for path in (meltano.folder / "output").glob("*.jsonl"))
    assert shown(files) == set(PLACES) - hidden(covered)
    assert HASH["hash_salt"] not in files + done.stdout + done.stderr
