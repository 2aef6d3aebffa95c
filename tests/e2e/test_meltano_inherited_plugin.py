"""An inherited plugin with stream maps: Meltano's variables are no misspelled settings."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from connector_sandbox import Sandbox

from .commands import Run, succeeded


def add_inherited_plugin(meltano: Run, stream_maps: Any, **config: Any) -> None:
    """Add `tap-wootric-eu`, which inherits the stream maps of `tap-wootric`, to the project."""
    path = meltano.folder / "meltano.yml"  # type: ignore[attr-defined]
    definition = yaml.safe_load(path.read_text())
    extractors = definition["plugins"]["extractors"]
    extractors[0]["config"] = {"stream_maps": stream_maps}
    extractors.append({"name": "tap-wootric-eu", "inherit_from": "tap-wootric", "config": config})
    path.write_text(yaml.safe_dump(definition))


@pytest.mark.long
def test_an_inherited_plugin_with_stream_maps_runs(meltano: Run, sandbox: Sandbox) -> None:
    """Also with settings of the parent plugin, and with settings in variables of its own."""
    maps = {"responses": {"text": "__NULL__", "email": "end_user.email if end_user else None"}}
    config = {"personal_properties": ["plan"], "personal_data": "hash"}
    add_inherited_plugin(meltano, maps, client_id=sandbox.client_id, **config)

    done = meltano(
        *("run", "tap-wootric-eu", "target-jsonl"),
        TAP_WOOTRIC_EU_CLIENT_SECRET=sandbox.client_secret,
        TAP_WOOTRIC_EU_API_URL=sandbox.wootric_url,
        TAP_WOOTRIC_EU_HASH_SALT="salt",
    )

    succeeded(done)
    lines = (meltano.folder / "output/responses.jsonl").read_text().splitlines()  # type: ignore[attr-defined]
    records = [json.loads(line) for line in lines]
    assert len(records) == 300
    assert not any("text" in record for record in records)
    assert all(len(record["email"] or "0" * 64) == 64 for record in records)


@pytest.mark.long
def test_a_misspelled_field_of_an_inherited_plugin_fails_the_run(
    meltano: Run, sandbox: Sandbox
) -> None:
    """Nothing is loaded."""
    add_inherited_plugin(meltano, {"responses": {"ip_adress": "__NULL__"}})

    done = meltano(
        *("run", "tap-wootric-eu", "target-jsonl"),
        TAP_WOOTRIC_EU_CLIENT_ID=sandbox.client_id,
        TAP_WOOTRIC_EU_CLIENT_SECRET=sandbox.client_secret,
    )

    assert done.returncode != 0
    assert "has no field 'ip_adress'. Did you mean 'ip_address'?" in done.stderr
    assert not (meltano.folder / "output/responses.jsonl").exists()  # type: ignore[attr-defined]
