"""Files instead of requests: whole or not at all."""

import json
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest
from fsspec.implementations.local import LocalFileSystem  # type: ignore[import-untyped]

from .messages import lines_of, record, row, schema, state, sync
from .running import Run, Target

Write = Callable[..., Run]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder for the files, not made yet."""
    return tmp_path / "out"


@pytest.fixture
def write(target: Target, out: Path) -> Write:
    """Run the target with files as destination."""
    return lambda messages, file_type="jsonl", **changes: target(
        messages, **{"destination": file_type, "output_path": str(out)} | changes
    )


def rows(out: Path) -> list[dict[str, Any]]:
    """The content of all files of JSON lines."""
    texts = [path.read_text() for path in out.rglob("*.jsonl")]
    return [json.loads(line) for text in texts for line in text.splitlines()]


def parquet(out: Path) -> dict[str, dict[str, Any]]:
    """The rows of the only Parquet file, by id."""
    (path,) = out.rglob("*.parquet")
    return {found["feedback_id"]: found for found in pq.read_table(path).to_pylist()}


def test_parquet_holds_every_record_as_text(target: Target, write: Write, out: Path) -> None:
    """Columns are named as Birdie's fields; no request is sent, and no key is needed."""
    truth = {str(found["id"]): found for found in target.sandbox.store.responses()}
    run = write(sync(*truth.values()), "parquet", api_key="")
    found = parquet(out)

    assert (run.result, target.puts, found.keys()) == ((0, 300), 0, truth.keys())
    for key, columns in found.items():
        assert (columns["rating"], columns["kind"]) == (str(truth[key]["score"]), "nps")
        assert columns["text"] == (truth[key]["text"] or None)
        assert columns["posted_at"].endswith("Z")
        assert isinstance(json.loads(columns["additional_fields"]), dict)


def test_parquet_holds_odd_values(write: Write, out: Path) -> None:
    """Numbers keep their digits, and half an emoji in a text does not end the run."""
    text = lines_of(sync(record(1, tags="HERE", text="\ud83d!"), record(2, tags="HERE")))
    run = write(text.replace('"HERE"', "[0.12345678901234567890, 1e400]"), "parquet")
    found = parquet(out)

    assert (run.exit_code, found["1"]["text"]) == (0, "?!")
    assert '"tags":[0.12345678901234567890,1E+400]' in found["2"]["additional_fields"]


def test_json_lines_hold_the_bodies_of_the_requests(
    target: Target, write: Write, out: Path
) -> None:
    messages = sync(*target.sandbox.store.responses())
    write(messages, batch_id="b")
    target(messages, batch_id="b")

    assert {body["feedback_id"]: body for body in rows(out)} == target.sent


def test_each_kind_has_its_own_prefix_and_each_id_one_row(write: Write, out: Path) -> None:
    """A file says nothing about order, so only the newest version is written."""
    newer = [record(n, text=f"{v}") for v in range(3) for n in range(1, 4)]
    write([*sync(*newer), schema("end_users"), row({"id": 1}, "end_users")])

    assert sorted(path.parent.name for path in out.rglob("*.jsonl")) == ["feedback-nps", "user"]
    assert [found["text"] for found in rows(out) if "text" in found] == ["2", "2", "2"]


def test_an_invalid_message_leaves_no_file_and_no_state(write: Write, out: Path) -> None:
    run = write(lines_of(sync(*range(1000))) + "nonsense\n")

    assert (run.result, list(out.rglob("*.jsonl"))) == ((1, None), [])


def test_a_file_that_fails_removes_the_others(
    write: Write, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next run writes all of them again."""
    move = LocalFileSystem.mv

    def fail_on_users(self: LocalFileSystem, source: str, destination: str) -> None:
        if "/user/" in destination:
            raise RuntimeError
        move(self, source, destination)

    monkeypatch.setattr(LocalFileSystem, "mv", fail_on_users)
    run = write([schema("end_users"), row({"id": 1}, "end_users"), *sync(1)])

    assert (run.result, [path for path in out.rglob("*") if path.is_file()]) == ((1, None), [])
    assert run.error.startswith("Error: Writing to output_path failed (RuntimeError)")


def test_a_fixed_batch_id_replaces_no_file(write: Write, out: Path) -> None:
    """Birdie reads once a day: the file of an earlier run may still be unread."""
    for number in (1, 2):
        write(sync(number), batch_id="b")

    assert len(list(out.rglob("*.jsonl"))) == 2


def test_a_full_disk_is_one_line(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records are collected in the folder for temporary files."""
    connect = sqlite3.connect

    def small(place: str, **options: Any) -> sqlite3.Connection:
        spool = connect(place, **options)
        spool.execute("PRAGMA max_page_count = 10")
        return spool

    monkeypatch.setattr(sqlite3, "connect", small)
    large = [record(number, text="words " * 1000) for number in range(20)]
    run = write(sync(*large), store_url="none", on_reject="stop")

    assert (run.result, run.error.count("\n")) == ((1, None), 1)
    assert "Make room, or set SQLITE_TMPDIR" in run.error


@pytest.mark.parametrize(
    ("file_type", "path", "missing", "hint"),
    [
        ("jsonl", "taken/out", "", "Writing to output_path failed"),
        ("jsonl", "s3://bucket/in", "s3fs", "s3fs"),
        ("jsonl", "nowhere://bucket", "", "nowhere"),
        ("parquet", "out", "pyarrow", "target-birdie[parquet]"),
    ],
)
def test_an_unusable_path_or_a_missing_library_is_one_line(
    file_type: str,
    path: str,
    missing: str,
    hint: str,
    write: Write,
    out: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (out.parent / "taken").touch()
    if missing:
        monkeypatch.setitem(sys.modules, missing, None)
    run = write(sync(1), file_type, output_path=path if ":" in path else str(out.parent / path))

    assert (run.result, hint in run.error, run.error.count("\n")) == ((1, None), True, 1)


@pytest.mark.parametrize(("path", "below"), [("memory://in/", "/in"), ("memory://a/b", "/a/b")])
def test_a_path_can_be_any_that_fsspec_knows(path: str, below: str, write: Write) -> None:
    """Here its own memory."""
    run = write(sync(1), output_path=path)
    (found,) = fsspec.filesystem("memory").find(below)

    assert (run.exit_code, found.startswith(f"{below}/feedback-nps/")) == (0, True)


def test_unchanged_records_are_not_written_again(write: Write, out: Path) -> None:
    """A run without changes writes its state, and no file."""
    write(sync(1, 2))
    run = write(sync(1, 2))
    write([*sync(1, record(2, text="new")), state({"a": 1})])

    assert (run.result, len(list(out.rglob("*.jsonl")))) == ((0, 2), 2)
    assert [found["text"] for found in rows(out)].count("Comment 1") == 1


def test_a_rejected_record_is_retried_into_the_next_file(write: Write, out: Path) -> None:
    """Unless the run has a newer version of it."""
    write(sync(*(record(number, created_at=1481907900) for number in (1, 2))), max_rejects="10")
    run = write(sync(record(1, text="new")), date_properties=["created_at"])

    assert (run.exit_code, "1 accepted on retry" in run.log) == (0, True)
    assert sorted(found["text"] for found in rows(out)) == ["Comment 2", "new"]
