"""The newest version of an id wins."""

from typing import Any

import pytest
from target_birdie.delivery import checkpoints

from .messages import Message, record, row, schema, sync
from .running import Target


def versions(ids: int, rounds: int) -> list[dict[str, Any]]:
    """Every id in every round, each time with another comment."""
    return [record(n, text=f"version {v:03}") for v in range(rounds) for n in range(1, ids + 1)]


@pytest.mark.parametrize("faults", [(), ("500", "reset", "lost_reply")])
def test_birdie_ends_with_the_last_version_and_never_goes_back(
    faults: tuple[str, ...], target: Target
) -> None:
    """A thousand updates over 16 connections, also with faults."""
    for fault in faults:
        target.fail(fault, share=0.03)
    target.sandbox.options.birdie_latency = 0.01
    run = target(sync(*versions(100, 10)))

    assert run.result == (0, 1000)
    for number in range(1, 101):
        texts = target.history(number)
        assert (texts, texts[-1]) == (sorted(texts), "version 009")


@pytest.mark.parametrize(
    ("others", "followers", "sent", "line"),
    [
        (range(2, 35), versions(1, 50)[1:], ["version 000", "version 049"], "48 merged"),
        (range(2, 9), versions(1, 1) * 20, ["version 000"], "20 unchanged"),
    ],
)
def test_of_versions_behind_one_on_its_way_only_a_new_last_one_is_sent(
    others: range, followers: list[dict[str, Any]], sent: list[str], line: str, target: Target
) -> None:
    target.sandbox.options.birdie_latency = 0.3
    run = target(sync(*versions(1, 1), *others, *followers))

    assert (target.history(1), line in run.log) == (sent, True)
    assert run.result == (0, 1 + len(others) + len(followers))


def test_a_new_schema_does_not_change_the_order(target: Target) -> None:
    """Records before a change of schema do not overtake those behind it."""
    target.sandbox.options.birdie_latency = 0.02
    messages: list[Message] = []
    for content in versions(5, 20):
        messages += [schema("responses", content["text"]), row(content)]
    target(messages)

    assert {body["text"] for body in target.sent.values()} == {"version 019"}


def test_what_is_sent_ahead_of_an_open_record_is_bounded(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And so is what a killed run sends again."""
    monkeypatch.setattr(checkpoints, "MOST_OPEN", 50)
    target.fail("hang", 1000, times=1, seconds=3)
    target(sync(*range(1000, 1300)), request_timeout=1)
    paths = [stored.path for stored in target.sandbox.birdie.history]

    assert len(paths) == 300
    assert paths.index("/feedbacks/1000") <= 90
