"""Kills at random moments, with rejected records and restarts (`make soak`)."""

import random
import shutil
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from connector_sandbox import Sandbox

from .messages import Message, record, row, schema, state
from .running import Target, wait_for

pytestmark = pytest.mark.soak
KILLS, RECORDS = 8, 8000


def history(chance: random.Random) -> list[Message]:
    """A state after each record; several versions of most ids, and some that are invalid."""
    messages = [schema()]
    for number in range(1, RECORDS + 1):
        changes: dict[str, Any] = {"score": 99} if chance.random() < 0.02 else {}
        content = record(chance.randrange(1, RECORDS // 2), text=f"version {number}", **changes)
        messages += [row(content), state({"read": number})]
    return messages


def newest(messages: list[Message]) -> dict[str, dict[str, Any]]:
    """The last version of each id."""
    records = [message["record"] for message in messages if message["type"] == "RECORD"]
    return {str(content["id"]): content for content in records}


def version(content: dict[str, Any]) -> int:
    return int(content["text"].split()[1])


def rejected(target: Target) -> set[str]:
    """The ids of the rejected records in the store."""
    pipe = target.start("--rejects")
    pipe.finish()
    return {found["id"] for found in pipe.states}


def interrupt(target: Target, messages: list[Message], chance: random.Random) -> list[Any]:
    """Kill or stop a run some time after its first request, and return its states."""
    before, pipe = target.puts, target.start()
    feeder = Thread(target=pipe.feed, args=(messages,), daemon=True)
    feeder.start()
    wait_for(lambda: target.puts > before or pipe.process.poll() is not None)
    time.sleep(chance.uniform(0, 2.5))
    pipe.stop(chance.choice([signal.SIGKILL, signal.SIGTERM]))
    feeder.join(5)
    return pipe.states


def lose_nothing(seed: int, target: Target, *, is_fresh_disk: bool) -> None:
    """Deliver a history through random kills, each resumed from the last state."""
    chance, read = random.Random(seed), 0
    messages = history(chance)
    target.sandbox.options.birdie_latency = 0.005
    for fault in ("503", "500", "reset", "lost_reply", "cut", "422"):
        target.fail(fault, share=0.01, seed=seed)
    for _ in range(KILLS):
        states = interrupt(target, [messages[0], *messages[1 + 2 * read :]], chance)
        read = states[-1]["read"] if states else read
        kept, sent = rejected(target), target.sent
        for key, content in newest(messages[: 1 + 2 * read]).items():
            assert key in kept or version(sent[key]) >= version(content), (seed, key)
        if is_fresh_disk:
            shutil.rmtree(target.folder)
            target.folder.mkdir()
    target.sandbox.faults.off()
    for rest in (messages[1 + 2 * read :], []):
        pipe = target.start()
        pipe.feed([messages[0], *rest])
        assert pipe.finish(120) in {0, 1}, pipe.log
    last = newest(messages)
    bad = {key for key, content in last.items() if content["score"] == 99}
    texts = {key: content["text"] for key, content in target.sent.items() if key not in bad}
    assert read > 0
    assert rejected(target) == bad, seed
    assert texts == {key: last[key]["text"] for key in last if key not in bad}, seed


@pytest.mark.parametrize("seeds", [range(n, n + 5) for n in range(0, 25, 5)], ids=str)
def test_random_kills_lose_nothing(
    seeds: range, store_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """200 kills per store: no state ahead, nothing lost, the newest version wins.

    With SQLite on the same disk, with PostgreSQL each run on a fresh one.
    """

    def run(seed: int) -> None:
        folder = tmp_path / str(seed)
        folder.mkdir()
        is_fresh_disk = store_url.startswith("postgresql")
        url = store_url if is_fresh_disk else f"sqlite:///{folder}/birdie.db"
        settings = {"account": f"soak-{seed}", "store_url": url, "max_requests_per_second": 400}
        with Sandbox(responses=0) as sandbox:
            target = Target(sandbox, folder, caplog, settings | {"max_rejects": "10000"})
            lose_nothing(seed, target, is_fresh_disk=is_fresh_disk)

    with ThreadPoolExecutor(2) as pool:
        assert len(list(pool.map(run, seeds))) == len(seeds)
