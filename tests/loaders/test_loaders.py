"""The tap's output loads with targets that know nothing of Wootric, flattened or not."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from connector_sandbox import Sandbox
from tap.helpers import Account, Output

from .account import ODD_ID, ODD_PROPERTIES, live_on, odd_things
from .loading import FLATTENED, Loader, PostgresLoader
from .truth import KEYS, Json, Rows, blanked, consecutive, differences, held, loaded, summaries

STREAMS = tuple(KEYS)
RECORDS = tuple(stream for stream in STREAMS if stream != "nps_summary")

long = pytest.mark.long
WAYS = [
    pytest.param(("postgres", "off"), id="postgres", marks=long),
    pytest.param(("duckdb", "off"), id="duckdb", marks=long),
    pytest.param(("jsonl", "off"), id="jsonl"),
    pytest.param(("postgres", "tap"), id="postgres-flattened-by-tap", marks=long),
    pytest.param(("duckdb", "tap"), id="duckdb-flattened-by-tap", marks=long),
    pytest.param(("jsonl", "tap"), id="jsonl-flattened-by-tap", marks=long),
    # target-duckdb can't flatten: it takes free objects apart, and drops what has no column.
    pytest.param(("postgres", "loader"), id="postgres-flattened-by-loader", marks=long),
]


@dataclass(frozen=True)
class Moment:
    """The source and the destination at one time, by stream."""

    source: dict[str, Rows]
    destination: dict[str, Rows]


@dataclass(frozen=True)
class Story:
    """A first load, changes, and a second load with the state of the first."""

    name: str
    flattened_by: str
    loader: Loader
    first: Moment
    second: Moment
    moved: Output
    alive: dict[str, set[int]]


@pytest.fixture(scope="module", params=WAYS)
def story(
    request: pytest.FixtureRequest,
    make_loader: Callable[[str, Path], Loader],
    tmp_path_factory: pytest.TempPathFactory,
) -> Any:
    """Two loads, all streams selected; flattened by nobody, by the tap or by the loader."""
    name, flattened_by = request.param
    folder = tmp_path_factory.mktemp(name)
    loader = make_loader(name, folder)
    with Sandbox(seed=1, responses=300) as sandbox:
        odd_things(sandbox)
        settings = FLATTENED if flattened_by == "tap" else {}
        account = Account(sandbox, folder, settings)
        options = FLATTENED if flattened_by == "loader" else {}

        state = loader.load(synced(account, None).lines, **options)
        first = now(sandbox, loader)
        alive = live_on(sandbox)
        moved = synced(account, state)
        loader.load(moved.lines, **options)
        return Story(name, flattened_by, loader, first, now(sandbox, loader), moved, alive)


def synced(account: Account, state: object) -> Output:
    """What the tap emits."""
    output = account.sync(STREAMS, state=state)
    assert output.code == 0, output.log
    return output


def now(sandbox: Sandbox, loader: Loader) -> Moment:
    """Both sides as they are."""
    tables = zip(STREAMS, loader.tables(*STREAMS), strict=True)
    destination = {stream: loaded(rows, stream) for stream, rows in tables}
    source = {stream: held(sandbox, stream) for stream in RECORDS}
    source["nps_summary"] = summaries(sandbox, destination["nps_summary"])
    if not loader.keeps_empty_text:
        source, destination = blanked(source), blanked(destination)
    return Moment(source, destination)


@pytest.mark.parametrize("stream", STREAMS)
def test_first_load_holds_what_the_source_holds(story: Story, stream: str):
    """Every record is a row, and every value the source's: times, texts, tags, properties."""
    destination, source = story.first.destination[stream], story.first.source[stream]

    assert source
    assert differences(destination, source) == {}


@pytest.mark.parametrize("stream", STREAMS)
def test_second_load_updates_the_rows_that_are_there(story: Story, stream: str):
    """With state, new records are added and changed ones replaced, so that an id is one row."""
    destination, source = story.second.destination[stream], story.second.source[stream]

    assert differences(destination, source) == {}


def test_second_run_moves_only_what_is_new_or_changed(story: Story):
    """The state that a loader hands back leads to the records that changed, and no other."""
    moved = {stream: set(story.moved.ids(stream)) for stream in story.alive}

    assert moved == story.alive
    assert story.first.source != story.second.source


def test_summaries_are_a_row_for_each_complete_day(story: Story):
    """No day is left out, and late answers change the figures of theirs."""
    before, after = (m.destination["nps_summary"] for m in (story.first, story.second))

    assert consecutive(after)
    assert len(after) > 300
    assert len([day for day in before if before[day] != after[day]]) == 1


TYPES = {
    "postgres": {
        "id": "int8",
        "score": "int8",
        "created_at": "timestamp",
        "updated_at": "timestamp",
        "completed": "bool",
        "text": "text",
        "tags": "_text",
        "notes": "_text",
        "end_user": "jsonb",
    },
    "duckdb": {
        "id": "HUGEINT",
        "score": "HUGEINT",
        "created_at": "TIMESTAMP",
        "updated_at": "TIMESTAMP",
        "completed": "BOOLEAN",
        "text": "VARCHAR",
        "tags": "JSON",
        "notes": "JSON",
        "end_user": "JSON",
    },
    "jsonl": {
        "id": "int",
        "score": "int",
        "created_at": "str",
        "updated_at": "str",
        "completed": "bool",
        "text": "str",
        "tags": "list",
        "notes": "list",
        "end_user": "dict",
    },
}


def test_columns_have_types_to_calculate_with(story: Story):
    """Numbers are numbers, times times, tags arrays, free objects JSON; text where flattened."""
    expected = dict(TYPES[story.name])
    if story.flattened_by != "off":
        del expected["end_user"]
        expected |= dict.fromkeys(("tags", "notes", "end_user__properties"), expected["text"])

    found = story.loader.types("responses")
    assert {column: found.get(column) for column in expected} == expected


@pytest.mark.long
@pytest.mark.parametrize(
    ("settings", "column"),
    [({}, "end_user -> 'properties'"), (FLATTENED, "end_user__properties::jsonb")],
    ids=["nested", "flattened"],
)
def test_sql_reaches_properties_by_any_name(
    settings: Json,
    column: str,
    make_account: Callable[..., Account],
    make_loader: Callable[[str, Path], Loader],
    tmp_path: Path,
):
    """What a customer called a property is a key for PostgreSQL's JSON operators."""
    account = make_account(responses=0)
    odd_things(account.sandbox)
    loader = make_loader("postgres", tmp_path)
    assert isinstance(loader, PostgresLoader)

    loader.load(account.sync(**settings).lines)

    quoted = [name.replace("'", "''") for name in ODD_PROPERTIES]
    wanted = ", ".join(f"{column} -> '{name}'" for name in quoted)
    table = f"{loader.schema}.responses"
    (line,) = loader.server.lines(
        f"select json_build_array({wanted}) from {table} where id = {ODD_ID}"
    )
    assert json.loads(line) == list(ODD_PROPERTIES.values())
