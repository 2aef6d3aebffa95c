"""The Meltano blocks of docs/personal-data.md, in a project."""

from __future__ import annotations

import pytest
import yaml
from connector_sandbox import Sandbox
from tap.addresses import (
    FREE_TEXT,
    HASH,
    LISTED,
    MELTANO,
    PLACES,
    REMOVE,
    SELECT,
    SETTING,
    add_people,
    hidden,
    shown,
)

from .commands import Run, succeeded

SELECTED = [
    *("*.email", "*.phone_number", "*.ip_address", "*.external_id", "*.properties.*"),
    *("*.origin_url", "*.text", "responses.notes", "*.later.*"),
]


@pytest.mark.long
@pytest.mark.parametrize(
    ("block", "covered"),
    [
        (SELECT, SELECTED),
        (MELTANO, [*SETTING, *LISTED, "declines.*"]),
        ({"config": REMOVE}, [*FREE_TEXT, "declines.*"]),
    ],
    ids=["select", "config", "stream maps"],
)
def test_a_meltano_block_hides_exactly_what_the_page_says(
    meltano: Run, sandbox: Sandbox, block: dict[str, object], covered: list[str]
) -> None:
    """Neither the files of the loader nor Meltano's log at DEBUG contain a covered address."""
    add_people(sandbox)
    folder = meltano.folder  # type: ignore[attr-defined]
    definition = yaml.safe_load((folder / "meltano.yml").read_text())
    definition["plugins"]["extractors"][0].update(block)
    (folder / "meltano.yml").write_text(yaml.safe_dump(definition))

    done = meltano(
        *("--log-level=debug", "run", "tap-wootric", "target-jsonl"),
        TAP_WOOTRIC_HASH_SALT=HASH["hash_salt"],
    )

    succeeded(done)
    files = "".join(path.read_text() for path in (folder / "output").glob("*.jsonl"))
    assert shown(files) == set(PLACES) - hidden(covered)
    assert HASH["hash_salt"] not in files + done.stdout + done.stderr
