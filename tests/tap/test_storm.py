"""Storm: runs that break off anywhere, faults, and an account that changes all the time."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from .helpers import Account, assert_complete

QUIET_FAULTS = ("500", "cut", "html", "reset", "revoke")


def stir(account: Account, stream: str, chance: random.Random) -> Callable[[int, str], None]:
    """What happens to the account before a request: mostly nothing."""
    store = account.sandbox.store

    def change(_number: int, _path: str) -> None:
        kind = chance.choice(["add", "change", "change", "delete", *["nothing"] * 6])
        if kind == "add":
            store.add(stream)
        elif kind == "change":
            store.change(chance.choice(list(account.truth(stream))), stream)
        elif kind == "delete":
            store.delete(stream, chance.choice(list(account.truth(stream))))

    return change


def broken_off(lines: list[str], chance: random.Random) -> list[dict[str, Any]]:
    """What the other side has seen of a run that was killed at any moment."""
    return [json.loads(line) for line in lines[: chance.randint(0, len(lines))]]


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2))
def test_whatever_happens_the_newest_version_of_every_record_arrives(
    make_account: Callable[..., Account], stream: str, seed: int
) -> None:
    """Twelve runs, most of them killed, resumed with the last STATE that was seen."""
    chance = random.Random(seed)
    account = make_account(responses=800, seed=seed)
    account.sandbox.options.filter_reading = chance.choice(["stored", "seconds"])
    account.sandbox.store.burst(
        chance.choice([60, 900]), account.sandbox.store.now(), stream=stream
    )
    state: Any = None
    delivered: list[dict[str, Any]] = []
    for run in range(12):
        is_last = run == 11
        account.sandbox.faults.off()
        if not is_last:
            account.sandbox.before_request(stir(account, stream, chance))
            account.sandbox.faults.on(chance.choice(QUIET_FAULTS), times=1, after=run)
        else:
            account.sandbox.before_request(None)
        output = account.sync(
            stream,
            state=state,
            max_concurrency=chance.choice([1, 4]),
            page_size=chance.choice([37, 50]),
        )
        seen = output.messages if is_last else broken_off(output.lines, chance)
        delivered += [message["record"] for message in seen if message["type"] == "RECORD"]
        states = [message["value"] for message in seen if message["type"] == "STATE"]
        state = states[-1] if states else state

    assert_complete(account, delivered, stream)
    idle = account.sync(stream, state=state)
    assert idle.ids(stream) == []
