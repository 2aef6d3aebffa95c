"""Kills at random moments, with rejected records and restarts (`make soak`)."""

from __future__ import annotations

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
from postgres import Postgres

from .messages import Message, record, row, schema, state
from .pipe import Pipe

ROUNDS, KILLS = 25, 8
RECORDS = 1500


def history(chance: random.Random) -> tuple[list[Message], dict[str, str], set[str]]:
    """Messages with several versions of ids; the last text of each, and the ids that stay bad."""
    messages, last, bad = [schema()], {}, set()
    for number in range(1, RECORDS + 1):
        record_id = str(chance.randrange(1, RECORDS // 2))
        is_bad = chance.random() < 0.02
        text = f"version {number}"
        changes: dict[str, Any] = {"score": 99} if is_bad else {}
        messages.append(row(record(int(record_id), text=text, **changes)))
        messages.append(state({"read": number}))
        last[record_id] = text
        (bad.add if is_bad else bad.discard)(record_id)
    return messages, last, bad


def rest_of(messages: list[Message], read: int) -> list[Message]:
    """What a tap sends after it was given this state."""
    return [messages[0], *messages[1 + 2 * read :]]


def is_covered(messages: list[Message], read: int, sandbox: Sandbox, kept: set[str]) -> bool:
    """Whether Birdie or the store has, of each id, a version at least as new as the state's."""
    newest: dict[str, int] = {}
    for number in range(1, read + 1):
        newest[str(messages[2 * number - 1]["record"]["id"])] = number
    at_birdie = {
        key: int(found["text"].split()[1]) for key, found in sandbox.birdie.records().items()
    }
    return all(
        record_id in kept or at_birdie.get(record_id, 0) >= number
        for record_id, number in newest.items()
    )


def kept(config: dict[str, Any], folder: Path) -> set[str]:
    """The ids of the rejected records in the store."""
    pipe = Pipe(config, folder, "--rejects")
    pipe.finish()
    return {found["id"] for found in pipe.states}


def killed_and_resumed(seed: int, folder: Path, store_url: str, *, fresh_disk: bool) -> int:
    """Deliver a history through random kills, each resumed from the last state; count states."""
    chance = random.Random(seed)
    messages, last, bad = history(chance)
    read = written = 0
    with Sandbox(responses=0) as sandbox:
        sandbox.options.birdie_latency = 0.005
        for name in ("503", "500", "reset", "lost_reply", "cut"):
            sandbox.faults.on(name, share=0.01, path="/birdie", seed=seed)
        sandbox.faults.on("422", share=0.01, path="/birdie", seed=seed)
        config = {
            "api_key": sandbox.api_key,
            "api_url": sandbox.birdie_url,
            "account": f"soak-{seed}",
            "store_url": store_url,
            "max_requests_per_second": 400,
            "max_rejects": "10000",
        }
        for _ in range(KILLS):
            folder.mkdir(exist_ok=True)
            pipe = Pipe(config, folder)
            feeder = Thread(target=pipe.feed, args=(rest_of(messages, read),), daemon=True)
            feeder.start()
            before = sandbox.birdie.puts
            while sandbox.birdie.puts == before and pipe.process.poll() is None:
                time.sleep(0.02)
            time.sleep(chance.uniform(0, 2.5))
            pipe.process.send_signal(chance.choice([signal.SIGKILL, signal.SIGTERM]))
            pipe.process.wait(60)
            feeder.join(5)
            if pipe.states:
                written += 1
                read = pipe.states[-1]["read"]
            assert is_covered(messages, read, sandbox, kept(config, folder)), f"seed {seed}"
            if fresh_disk:
                shutil.rmtree(folder)
        sandbox.faults.off()
        folder.mkdir(exist_ok=True)
        for rest in (rest_of(messages, read), [schema()]):
            pipe = Pipe(config, folder)
            pipe.feed(rest)
            assert pipe.finish(120) in {0, 1}, pipe.log
        texts = {key: found["text"] for key, found in sandbox.birdie.records().items()}
        assert kept(config, folder) == bad, f"seed {seed}"
        assert {key: text for key, text in last.items() if key not in bad} == {
            key: text for key, text in texts.items() if key not in bad
        }, f"seed {seed}"
    return written


@pytest.mark.soak
@pytest.mark.parametrize("part", range(4))
@pytest.mark.parametrize("store", ["same disk", "fresh disk with PostgreSQL"])
def test_random_kills_lose_nothing(
    store: str, part: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """200 kills per store: no state ahead, nothing lost, the newest version wins."""
    url = "sqlite:///{folder}/birdie.db"
    fresh_disk = store != "same disk"
    if fresh_disk:
        server: Postgres = request.getfixturevalue("postgres")
        url = server.empty_database()

    def run(seed: int) -> int:
        folder = tmp_path / str(seed)
        return killed_and_resumed(seed, folder, url.format(folder=folder), fresh_disk=fresh_disk)

    seeds = range(part * ROUNDS // 4, (part + 1) * ROUNDS // 4)
    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(run, seeds)) > 0
