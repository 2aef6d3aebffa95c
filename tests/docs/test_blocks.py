"""A test runs each command and each example of the documents."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from connector_sandbox import Sandbox
from singer_sdk.plugin_base import PluginBase
from target_birdie.target import TargetBirdie

from tap_wootric.tap import TapWootric

from .documents import DOCUMENTS, ROOT, Block, blocks
from .shell import block, environment, shell

TYPED = ("sh", "console", "yaml", "json", "python", "ini", "crontab")
TESTED = {
    "README.md": (
        "$ make demo", "meltano add", ".venv/bin/meltano invoke tap-wootric --check",
        "set -o pipefail",
    ),
    "target-birdie/README.md": ("pip install ./target-birdie", "plugins:", "{", "target-birdie"),
    "docs/duckdb.md": ("uv tool install target-jsonl", "uvx --with duckdb"),
    "docs/personal-data.md": ("select:", "config:", "[", "{"),
    "docs/production.md": (
        "docs/examples/sync.sh /var/lib/wootric", "tap-wootric --discover",
        "TAP_WOOTRIC_CLIENT_ID=...", "PATH=/opt/wootric/bin", "find /var/lib/wootric/last_success",
        "meltano schedule run daily", "python orchestration check",
        "python orchestration overview", "cd /var/lib/wootric",
    ),
    "docs/rejected-records.md": ("{", "target-birdie"),
    "docs/sandbox.md": (
        "$ make demo ARGS=--records", "$ make sandbox", "from connector_sandbox import Sandbox",
        "curl -s",
    ),
}  # fmt: skip
"""By document, the beginning of each block that a test extracts and runs."""

LIVE = [block for block in blocks("sh") if block.mark == "live"]


def declared(plugin: type[PluginBase]) -> set[str]:
    """The settings of a plugin, those of the SDK included."""
    plugin.append_builtin_config(plugin.config_jsonschema)
    return set(plugin.config_jsonschema["properties"])


@pytest.mark.parametrize("block", blocks(*TYPED), ids=str)
def test_every_block_is_run_by_a_test(block: Block):
    """Or is marked as one that needs a live account, a cluster or a bucket."""
    tested = TESTED.get(block.path.relative_to(ROOT).as_posix(), ())

    assert block.mark == "live" or block.text.startswith(tested)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_fence_is_of_a_known_kind(path: Path):
    """Another kind would escape the test above; a fence without one holds no commands."""
    kinds = set(re.findall(r"^```(\w+)$", path.read_text(), re.MULTILINE))

    assert kinds <= {*TYPED, "mermaid"}


@pytest.mark.parametrize("block", LIVE, ids=str)
def test_a_live_block_is_shell_that_parses(block: Block):
    """`bash -n` checks the syntax without running it."""
    done = subprocess.run(["bash", "-n", "-c", block.text], check=False, capture_output=True)

    assert done.returncode == 0, done.stderr


def test_every_option_of_our_commands_exists():
    """In any shell block, and in the text."""
    known = {
        plugin.name: {
            option for parameter in plugin.get_singer_command().params for option in parameter.opts
        }
        for plugin in (TapWootric, TargetBirdie)
    }
    for path in DOCUMENTS:
        for line in re.sub(r"^meltano .*", "", path.read_text(), flags=re.MULTILINE).splitlines():
            for command, rest in re.findall(r"(tap-wootric|target-birdie) ((?:--?[^|`]*))", line):
                options = set(re.findall(r"(?<![\w-])--[a-z-]+", rest))
                assert options - {"--help"} <= known[command], (path.name, line)


def test_every_variable_names_a_setting():
    """In documents and examples: a setting that is renamed takes its mentions along."""
    known = {
        f"{plugin.name.replace('-', '_').upper()}_{name.upper()}"
        for plugin in (TapWootric, TargetBirdie)
        for name in declared(plugin)
    }
    examples = [path for path in (ROOT / "docs/examples").iterdir() if path.is_file()]
    texts = "".join(path.read_text() for path in [*DOCUMENTS, *examples])
    named = set(re.findall(r"\b(?:TAP_WOOTRIC|TARGET_BIRDIE)_[A-Z_]*[A-Z]\b", texts))

    assert len(named) >= 4
    assert named <= known


def test_no_setting_is_named_that_does_not_exist():
    """What the texts put in backticks with an underscore is a setting, a field or a file."""
    page = (ROOT / "docs/production.md").read_text()
    settings = declared(TapWootric) | declared(TargetBirdie)
    others = {"created_at", "updated_at", "end_users", "nps_summary", "max_active_runs"}
    others |= {"batch_config", "last_success"}

    assert set(re.findall(r"`([a-z]+_[a-z_]+)`", page)) <= settings | others


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_relative_links_lead_somewhere(path: Path):
    """To a file that exists, and to a heading where one is named."""
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", path.read_text()):
        name, _, heading = target.partition("#")
        found = path.parent / name if name else path
        assert found.exists(), target
        headings = re.findall(r"^#+ (.+)$", found.read_text(), re.MULTILINE) if heading else []
        assert heading in {"", *(anchor(text) for text in headings)}, target


def anchor(heading: str) -> str:
    """What a heading is called in a link."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


@pytest.mark.long
def test_the_target_runs_and_shows_rejected_records_as_shown(sandbox: Sandbox, tmp_path: Path):
    """Pasted into a shell, except the installation."""
    env = environment(sandbox)
    tap = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
    (tmp_path / "wootric.json").write_text(json.dumps(tap | {"api_url": sandbox.wootric_url}))
    address = json.dumps(sandbox.birdie_url)
    key = f'"{sandbox.api_key}", "max_requests_per_second": 0, "api_url": {address}'
    install, *lines = block("target-birdie/README.md", "pip install").text.splitlines()
    sandbox.faults.on("400", times=1, path="/birdie/ingestion/feedbacks")

    first = shell("\n".join(lines).replace('"..."', key), tmp_path, env)
    check = shell(block("target-birdie/README.md", "--check").text, tmp_path, env)
    rejects = shell(block("target-birdie/README.md", "--rejects").text, tmp_path, env)

    assert install.startswith("pip install ./target-birdie ")
    assert check.stdout.endswith("\nOK\n"), check.stderr
    assert (first.returncode, rejects.returncode) == (1, 0), first.stderr + rejects.stderr
    assert [json.loads(line)["reason"] for line in rejects.stdout.splitlines()] == ["400"]
    assert len(sandbox.birdie.records()) == len(sandbox.store.responses()) - 1


def test_the_targets_block_for_meltano_names_its_settings():
    """Name, namespace and settings are the plugin's."""
    (plugin,) = yaml.safe_load(block("target-birdie/README.md", "loaders").text)["plugins"][
        "loaders"
    ]

    assert (plugin["name"], plugin["namespace"]) == ("target-birdie", "target_birdie")
    assert {setting["name"] for setting in plugin["settings"]} <= declared(TargetBirdie)
    assert [s["name"] for s in plugin["settings"] if s.get("sensitive")] == ["api_key"]


def test_another_survey_tool_is_mapped_as_shown(sandbox: Sandbox, tmp_path: Path):
    """A record of the example's stream arrives at Birdie as the example says."""
    config = json.loads(block("target-birdie/README.md", '"answers"').text)
    config |= {"api_key": sandbox.api_key, "api_url": sandbox.birdie_url}
    (tmp_path / "birdie.json").write_text(json.dumps(config))
    record = {
        "uuid": "a1",
        "answer": {"value": 4},
        "answered_at": 1706695200,
        "survey": {"name": "Support"},
        "customer": {"labels": {"plan": "pro"}},
    }
    messages = [
        {"type": "SCHEMA", "stream": "answers", "schema": {"properties": {}}, "key_properties": []},
        {"type": "RECORD", "stream": "answers", "record": record},
    ]
    (tmp_path / "in").write_text("\n".join(json.dumps(message) for message in messages))

    done = shell("target-birdie --config birdie.json < in", tmp_path, environment(sandbox))

    assert done.returncode == 0, done.stderr
    stored = sandbox.birdie.records()["a1"]
    assert stored["kind"] == {"name": "csat", "fields": {"rating": 4, "survey_title": "Support"}}
    assert stored["posted_at"] == "2024-01-31T10:00:00Z"
    assert stored["additional_fields"] == {"plan": "pro"}
