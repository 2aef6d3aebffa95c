"""How fast the target finds that records are unchanged, with a large delivery store.

Fills a store on SQLite and one on PostgreSQL (if there is one), then runs the target on unchanged
records from a file. Prints records per second without start-up, and the peak memory in MB, one
figure per round, as JSON; `python benchmarks` makes a table of it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from hashlib import blake2b
from pathlib import Path
from typing import Any

from target_birdie.config.schema import DEFAULT_STREAMS
from target_birdie.delivery.records import Row
from target_birdie.delivery.store import Store
from target_birdie.mapping import payload
from target_birdie.mapping.mapper import MappingRules, StreamMapper
from target_cost import lines

TESTS = Path(__file__).parents[1] / "tests"
TARGET = Path(sys.executable).with_name("target-birdie")

MEASURE = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss // 1024, file=sys.stderr)
sys.exit(code)
"""
"""A small parent: a child's peak memory is at least that of its parent."""


def postgres(stack: ExitStack) -> str | None:
    """Start a PostgreSQL as the tests do; return the address of an empty database."""
    sys.path.insert(0, str(TESTS))
    from postgres import NoPostgresError, running  # noqa: PLC0415

    try:
        return stack.enter_context(running()).empty_database()
    except NoPostgresError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return None


def fill(url: str, records: list[dict[str, Any]], rows: int) -> None:
    """Store the fingerprints of all records, and rows of others."""
    store = Store(url, "benchmark")
    mapper = StreamMapper(DEFAULT_STREAMS["responses"], MappingRules(), records[0], "responses")
    for record in records:
        mapped = mapper.map(record)
        key = ("feedback", mapped["feedback_id"])
        store.put(Row(*key, "responses", payload.fingerprint(payload.encode(mapped))))
    for number in range(rows - len(records)):
        name = f"other-{number}"
        fingerprint = blake2b(name.encode(), digest_size=16).digest()
        store.put(Row("feedback", name, "responses", fingerprint))
    store.commit()
    store.close()


def timed(config: Path, source: Path) -> tuple[float, float, int]:
    """Return the wall and processor seconds and the peak megabytes of one run."""
    started = time.perf_counter()
    with source.open() as opened:
        done = subprocess.run(
            [sys.executable, "-S", "-c", MEASURE, TARGET, "--config", config],
            stdin=opened,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    wall = time.perf_counter() - started
    processor, memory = done.stderr.splitlines()[-1].split()
    return wall, float(processor), int(memory)


def measure(url: str, folder: Path, texts: list[str], options: Any) -> Iterator[dict[str, float]]:
    """Run the target on one record and on all of them, once per round."""
    records = [json.loads(text)["record"] for text in texts]
    fill(url, records, options.rows)
    columns = {"type": "SCHEMA", "stream": "responses", "key_properties": ["id"]}
    columns["schema"] = {"properties": {name: {} for name in records[0]}}  # type: ignore[assignment]
    config = {"api_key": "none", "store_url": url, "account": "benchmark"}
    (folder / "config.json").write_text(json.dumps(config))
    for name, found in (("one", texts[:1]), ("all", texts)):
        (folder / name).write_text("\n".join([json.dumps(columns), *found]) + "\n")
    for _ in range(options.rounds):
        start, idle, _ = timed(folder / "config.json", folder / "one")
        wall, busy, memory = timed(folder / "config.json", folder / "all")
        count = len(texts) - 1
        yield {
            "records per second": count / (wall - start),
            "records per processor second": count / (busy - idle),
            "start-up seconds": start,
            "processor seconds of the start": idle,
            "memory": memory,
        }


def main() -> None:
    """Measure and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--records", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    texts = lines(options.records)
    found = {}
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        urls = {"SQLite": f"sqlite:///{name}/birdie.db", "PostgreSQL": postgres(stack)}
        for store, url in urls.items():
            if url:
                found[store] = list(measure(url, Path(name), texts, options))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
