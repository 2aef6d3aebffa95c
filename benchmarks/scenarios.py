"""The scenarios: conditions, contestants, and the columns of the result."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from contestants import Contestant, bare_loop, plain_tap, tap_wootric, target_birdie
from runs import RateLimit, Run
from server import Server
from tables import Row, spread

Measured = dict[str, list[Run]]
Column = tuple[str, Callable[[list[Run]], str]]

COST: tuple[Column, ...] = (
    ("records/s", lambda runs: spread((run.pace for run in runs), ",.0f")),
    ("wall s", lambda runs: spread((run.usage.wall for run in runs), ".2f")),
    ("processor s", lambda runs: spread((run.usage.processor for run in runs), ".2f")),
    ("peak MB", lambda runs: spread((run.usage.memory for run in runs), ".0f")),
    ("requests/1,000", lambda runs: spread((run.requests_for_1000 for run in runs), ".1f")),
    ("missing", lambda runs: spread((run.missing for run in runs), ",.0f")),
    ("twice", lambda runs: spread((run.repeated for run in runs), ",.0f")),
)

LIMIT: tuple[Column, ...] = (
    ("of the limit", lambda runs: spread((run.share for run in runs), ".0%")),
    ("refused", lambda runs: spread((run.refused for run in runs), ",.0f")),
)


@dataclass(frozen=True)
class Scenario:
    """Conditions under which several contestants run."""

    name: str
    title: str
    server: tuple[str, ...]
    """Options of the sandbox."""
    contestants: dict[str, Contestant]
    is_limited: bool = False

    def measure(self, rounds: int, folder: Path, log: Callable[[str], object]) -> Measured:
        """Run all in turns, so that a slow minute of the machine affects each of them."""
        measured: Measured = {name: [] for name in self.contestants}
        with Server(folder, *self.server) as server:
            for number in range(1, rounds + 1):
                for name, contestant in self.contestants.items():
                    log(f"{self.name}, round {number} of {rounds}: {name}")
                    place = folder / "run"
                    place.mkdir()
                    measured[name].append(contestant(server, place))
                    shutil.rmtree(place)
        return measured

    def table(self, measured: Measured) -> tuple[Row, list[Row]]:
        """Header and rows; the wall time is compared with that of the first contestant."""
        columns = COST + LIMIT if self.is_limited else COST
        walls = [median(run.usage.wall for run in runs) for runs in measured.values()]
        header = ["", *(title for title, _ in columns)]
        rows = [[name, *(shown(runs) for _, shown in columns)] for name, runs in measured.items()]
        if len(walls) > 1:
            header.insert(3, "to the loop")
            for row, wall in zip(rows, walls, strict=True):
                row.insert(3, f"{wall / walls[0]:.2f}")
        return header, list(rows)


def reading(
    name: str,
    conditions: str,
    records: int,
    *,
    latency: float = 0.0,
    limit: RateLimit | None = None,
) -> Scenario:
    """The bare loop, the plain tap, and ours; side by side too where latency is what costs."""
    contestants = {
        "bare loop": bare_loop(records, limit),
        "plain SDK tap": plain_tap(records, limit),
        "tap-wootric": tap_wootric(records, limit),
    }
    if latency:
        contestants["tap-wootric, one by one"] = tap_wootric(records, limit, max_concurrency=1)
    return Scenario(
        name,
        f"Reading {records:,} responses, {conditions}",
        (
            *("--responses", str(records), "--latency", str(latency)),
            *(("--rate-limit", f"{limit.requests}/{limit.seconds}") if limit else ()),
        ),
        contestants,
        is_limited=limit is not None,
    )


def delivering(
    name: str, conditions: str, records: int, limit: RateLimit | None, **settings: int
) -> Scenario:
    """The target alone, 50 ms away."""
    return Scenario(
        name,
        f"Delivering {records:,} responses, {conditions}",
        (
            *("--responses", str(records), "--birdie-latency", "0.05"),
            *(("--birdie-rate-limit", str(limit.requests)) if limit else ()),
        ),
        {"target-birdie": target_birdie(records, limit, **settings)},
        is_limited=limit is not None,
    )


def scenarios(*, quick: bool) -> list[Scenario]:
    """All of them, in full size or just large enough to see that everything runs."""
    window = RateLimit(10, 1) if quick else RateLimit(100, 5)
    second = RateLimit(100, 1)
    return [
        reading("loopback", "loopback", 1_000 if quick else 50_000),
        reading("latency", "50 ms away", 1_000 if quick else 20_000, latency=0.05),
        reading(
            "limited",
            f"at most {window.requests} requests in {window.seconds:.0f} s",
            1_000 if quick else 20_000,
            limit=window,
        ),
        delivering(
            "target",
            "50 ms away, no limit",
            300 if quick else 5_000,
            None,
            max_requests_per_second=0,
        ),
        delivering(
            "target-limited",
            "50 ms away, at most 100 requests a second",
            250 if quick else 5_000,
            second,
        ),
    ]
