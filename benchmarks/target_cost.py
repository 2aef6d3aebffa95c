"""What the target itself costs for each record, besides the request.

Maps, encodes and fingerprints the sandbox's responses, and looks each up in a delivery store.
Prints microseconds per record, one figure per round, as JSON; `python benchmarks` makes a table.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from connector_sandbox import Sandbox
from target_birdie.config.schema import DEFAULT_STREAMS
from target_birdie.delivery.records import Row
from target_birdie.delivery.store import Store
from target_birdie.mapping import payload
from target_birdie.mapping.mapper import MappingRules, StreamMapper
from target_birdie.reader import MessageReader

Records = list[dict[str, Any]]


def _text(value: object) -> str:
    assert isinstance(value, datetime)
    return value.isoformat()


def lines(count: int) -> list[str]:
    """Singer lines as a tap writes them."""
    with Sandbox(seed=1, responses=count) as sandbox:
        rows = sandbox.store.responses()
    messages = [{"type": "RECORD", "stream": "responses", "record": row} for row in rows]
    return [json.dumps(message, default=_text) for message in messages]


def timed(rounds: int, count: int, work: Callable[[], object]) -> list[float]:
    """Microseconds a record, once a round."""
    found = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        found.append((time.perf_counter() - started) / count * 1e6)
    return found


def steps(texts: list[str], store: Store) -> dict[str, Callable[[], object]]:
    """The parts of the work, each over all records, and the whole."""
    reader = MessageReader()
    records: Records = [reader.deserialize_json(text)["record"] for text in texts]
    mapping = StreamMapper(DEFAULT_STREAMS["responses"], MappingRules(), records[0], "responses")
    mapped = [mapping.map(record) for record in records]
    bodies = [payload.encode(found) for found in mapped]
    keys = [("feedback", found["feedback_id"]) for found in mapped]
    prints = [payload.fingerprint(body) for body in bodies]
    for key, print_ in zip(keys, prints, strict=True):
        store.put(Row(*key, "responses", print_))
    store.commit()

    def whole() -> None:
        for record in records:
            found = mapping.map(record)
            print_ = payload.fingerprint(payload.encode(found))
            known = store.look_up(("feedback", found["feedback_id"]))
            assert known
            assert known.fingerprint == print_

    return {
        "read a line": lambda: [reader.deserialize_json(text) for text in texts],
        "map and check": lambda: [mapping.map(record) for record in records],
        "encode": lambda: [payload.encode(found) for found in mapped],
        "fingerprint": lambda: [payload.fingerprint(body) for body in bodies],
        "look up": lambda: [store.look_up(key) for key in keys],
        "map to look up, together": whole,
    }


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    texts = lines(options.records)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{folder}/birdie.db", "benchmark")
        found = {
            name: timed(options.rounds, options.records, work)
            for name, work in steps(texts, store).items()
        }
        print(json.dumps(found))
        store.close()


if __name__ == "__main__":
    main()
