"""Files instead of requests: whole or not at all."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import fsspec  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest
from connector_sandbox import Sandbox
from fsspec.implementations.local import LocalFileSystem  # type: ignore[import-untyped]

from .messages import Run, lines_of, record, row, schema, state, stream_of


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder for the files, not made yet."""
    return tmp_path / "out"


def files(out: Path) -> list[str]:
    """Every file below, without the run's own name."""
    return sorted(str(path.relative_to(out).parent) for path in out.rglob("*") if path.is_file())


def test_parquet_holds_every_record_as_text(
    sandbox: Sandbox, run_target: Callable[..., Run], out: Path
) -> None:
    """One file, columns named as Birdie's fields, read back by pyarrow; no request is made."""
    messages = stream_of(sandbox.store.responses())
    run = run_target(messages, destination="parquet", output_path=str(out), api_key="")
    (path,) = out.rglob("*.parquet")
    rows = {found["feedback_id"]: found for found in pq.read_table(path).to_pylist()}
    truth = {str(found["id"]): found for found in sandbox.store.responses()}

    assert (run.exit_code, len(run.states), sandbox.birdie.puts) == (0, 1, 0)
    assert truth.keys() == rows.keys()
    for key, found in rows.items():
        assert (str(truth[key]["score"]), "nps") == (found["rating"], found["kind"])
        assert (truth[key]["text"] or None) == found["text"]
        assert found["posted_at"].endswith("Z")
        assert isinstance(json.loads(found["additional_fields"]), dict)


def test_odd_values_stand_in_parquet(run_target: Callable[..., Run], out: Path) -> None:
    """Numbers keep their digits, and half an emoji in a text stops no run."""
    text = lines_of(stream_of([record(1, tags="HERE", text="\ud83d!"), record(2, tags="HERE")]))
    odd = text.replace('"HERE"', "[0.12345678901234567890, 1e400]")
    run = run_target(odd, destination="parquet", output_path=str(out))
    (path,) = out.rglob("*.parquet")
    first, second = pq.read_table(path).to_pylist()

    assert (run.exit_code, first["text"]) == (0, "?!")
    assert '"tags":[0.12345678901234567890,1E+400]' in second["additional_fields"]


def test_json_lines_hold_the_bodies(
    sandbox: Sandbox, run_target: Callable[..., Run], out: Path
) -> None:
    """The very bodies that requests would carry."""
    messages = stream_of(sandbox.store.responses())
    run_target(messages, destination="jsonl", output_path=str(out), batch_id="b")
    run_target(messages, batch_id="b")
    (path,) = out.rglob("*.jsonl")
    bodies = [json.loads(line) for line in path.read_text().splitlines()]

    assert sandbox.birdie.records() == {body["feedback_id"]: body for body in bodies}


def test_each_kind_has_a_prefix_of_its_own(run_target: Callable[..., Run], out: Path) -> None:
    """Birdie's connector takes one kind a prefix."""
    messages = [*stream_of([record(1)]), schema("end_users"), row({"id": 1}, "end_users")]
    run_target(messages, destination="parquet", output_path=str(out))

    assert files(out) == ["feedback-nps", "user"]


def test_the_newest_version_of_an_id_is_the_only_one(
    run_target: Callable[..., Run], out: Path
) -> None:
    """A file says nothing about order, so it holds each id once."""
    run_target(
        stream_of([record(n, text=f"{v}") for v in range(3) for n in range(1, 4)]),
        destination="parquet",
        output_path=str(out),
    )
    (path,) = out.rglob("*.parquet")

    assert pq.read_table(path)["text"].to_pylist() == ["2", "2", "2"]


def test_a_run_that_fails_leaves_no_file_and_no_state(
    run_target: Callable[..., Run], out: Path
) -> None:
    """A line that is no message, after a thousand records."""
    text = "".join(
        json.dumps(message) + "\n" for message in stream_of([record(n) for n in range(1000)])
    )
    run = run_target(text + "nonsense\n", destination="jsonl", output_path=str(out))

    assert (run.exit_code, run.states, files(out) if out.exists() else []) == (1, [], [])


def test_a_kind_that_fails_takes_the_others_back(
    run_target: Callable[..., Run], out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second move fails: the first file goes too, since the next run writes both again."""
    move = LocalFileSystem.mv

    def fail_on_users(self: LocalFileSystem, source: str, target: str) -> None:
        if "/user/" in target:
            raise RuntimeError
        move(self, source, target)

    monkeypatch.setattr(LocalFileSystem, "mv", fail_on_users)
    messages = [schema("end_users"), row({"id": 1}, "end_users"), *stream_of([record(1)])]
    run = run_target(messages, destination="jsonl", output_path=str(out))

    assert (run.exit_code, run.states, files(out)) == (1, [], [])
    assert run.error.startswith("Error: Writing to output_path failed (RuntimeError)")


def test_a_batch_id_of_ones_own_replaces_no_file(run_target: Callable[..., Run], out: Path) -> None:
    """Birdie reads once a day: the file of an earlier run may still be unread."""
    for number in (1, 2):
        run_target(
            stream_of([record(number)]), destination="jsonl", output_path=str(out), batch_id="b"
        )

    assert len(files(out)) == 2


def test_a_disk_that_is_full_is_one_line(
    run_target: Callable[..., Run], out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The records wait for the end of the run in the folder for temporary files."""
    connect = sqlite3.connect

    def small(place: str) -> sqlite3.Connection:
        spool = connect(place)
        spool.execute("PRAGMA max_page_count = 10")
        return spool

    monkeypatch.setattr(sqlite3, "connect", small)
    run = run_target(
        stream_of([record(n, text="words " * 1000) for n in range(20)]),
        store_url="none",
        on_reject="stop",
        destination="jsonl",
        output_path=str(out),
    )

    assert (run.exit_code, run.states, run.error.count("\n")) == (1, [], 1)
    assert "Make room, or set SQLITE_TMPDIR" in run.error


def test_a_place_that_cannot_be_written_is_told(
    run_target: Callable[..., Run], tmp_path: Path
) -> None:
    """One line, no state."""
    (tmp_path / "taken").write_text("")
    run = run_target(
        stream_of([record(1)]), destination="jsonl", output_path=str(tmp_path / "taken" / "out")
    )

    assert (run.exit_code, run.states) == (1, [])
    assert run.error.startswith("Error: Writing to output_path failed")


def test_a_bucket_prefix_works_through_fsspec(run_target: Callable[..., Run]) -> None:
    """Any place that fsspec knows, here its own memory."""
    run = run_target(stream_of([record(1)]), destination="jsonl", output_path="memory://bucket/in")
    found = fsspec.filesystem("memory").find("/bucket/in")

    assert (run.exit_code, len(found)) == (0, 1)
    assert found[0].startswith("/bucket/in/feedback-nps/")


@pytest.mark.parametrize(
    ("path", "module", "hint"),
    [("s3://bucket/in", "s3fs", "s3fs"), ("nowhere://bucket", "", "nowhere")],
)
def test_a_library_that_is_missing_is_named(
    path: str,
    module: str,
    hint: str,
    run_target: Callable[..., Run],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One line that says what to install."""
    monkeypatch.setitem(sys.modules, module or "none", None)
    run = run_target(stream_of([record(1)]), destination="jsonl", output_path=path)

    assert (run.exit_code, hint in run.error, run.error.count("\n")) == (1, True, 1)


def test_parquet_without_pyarrow_names_the_extra(
    run_target: Callable[..., Run], out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line that says what to install."""
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    run = run_target(stream_of([record(1)]), destination="parquet", output_path=str(out))

    assert (run.exit_code, "target-birdie[parquet]" in run.error) == (1, True)


def test_unchanged_records_stay_out_of_the_next_file(
    run_target: Callable[..., Run], out: Path
) -> None:
    """A run without changes writes no file at all, but its state."""
    options = {"destination": "jsonl", "output_path": str(out)}
    run_target(stream_of([record(1), record(2)]), **options)
    run = run_target(stream_of([record(1), record(2)]), **options)
    run_target([*stream_of([record(1), record(2, text="new")]), state({"a": 1})], **options)
    lengths = sorted(len(path.read_text().splitlines()) for path in out.rglob("*.jsonl"))

    assert (run.states, lengths) == ([{"read": 2}], [1, 2])


def test_a_rejected_record_is_retried_into_the_next_file(
    run_target: Callable[..., Run], out: Path
) -> None:
    """Unless the run has a newer version of it."""
    options = {"destination": "jsonl", "output_path": str(out), "date_properties": ["created_at"]}
    bad = [record(n, created_at=1481907900) for n in (1, 2)]
    run_target(stream_of(bad), max_rejects="10", **options | {"date_properties": []})
    run = run_target(stream_of([record(1, text="new")]), **options)
    (path,) = out.rglob("*.jsonl")
    texts = [json.loads(line)["text"] for line in path.read_text().splitlines()]

    assert (run.exit_code, sorted(texts)) == (0, ["Comment 2", "new"])
