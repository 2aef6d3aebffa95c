"""Measure many accounts: how long they take, and what one run needs.

Each account has its own sandbox while it runs, and all share a PostgreSQL database. Each runs
twice: first all records are new, then none. With --shared-limit, all accounts run once and at the
same time, and send to one sandbox that limits requests as Birdie does.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import tables
from connector_sandbox import Sandbox
from runs import accepted
from server import Request, Server

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from postgres import running  # noqa: E402

BIRDIE_LIMIT = 100
SAMPLE_SECONDS = 0.2
SECRETS = {
    "TAP_WOOTRIC_CLIENT_ID": Sandbox.client_id,
    "TAP_WOOTRIC_CLIENT_SECRET": Sandbox.client_secret,
    "TARGET_BIRDIE_API_KEY": Sandbox.api_key,
}


@dataclass(frozen=True)
class Run:
    """What one run needed: seconds, processor seconds, MB at most, requests, and records sent."""

    wall: float
    processor: float
    memory: float
    requests: int
    records: int


def main() -> None:
    """Measure and print a table."""
    options = _options()
    with running() as postgres, tempfile.TemporaryDirectory() as name:
        os.environ |= {f"SECRET_{name}": value for name, value in SECRETS.items()}
        os.environ["WOOTRIC_DATABASE_URL"] = postgres.empty_database()
        (_shared_limit if options.shared_limit else _throughput)(options, Path(name))
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} at the end")


def _throughput(options: argparse.Namespace, folder: Path) -> None:
    began = time.perf_counter()
    with ThreadPoolExecutor(options.slots) as pool:
        pairs = [*pool.map(lambda n: _account(n, options, folder), range(options.accounts))]
    rows = [
        (
            title,
            *(tables.spread(values, ".1f") for values in zip(*map(_figures, runs), strict=True)),
        )
        for title, runs in zip(
            ("all records new", "none new"), zip(*pairs, strict=True), strict=True
        )
    ]
    print(tables.plain(("", *Run.__dataclass_fields__), rows))
    wall = time.perf_counter() - began
    print(f"{options.accounts} accounts, {options.slots} at a time, both runs: {wall:.0f} s")


def _figures(run: Run) -> tuple[float, ...]:
    return tuple(asdict(run).values())


def _account(number: int, options: argparse.Namespace, folder: Path) -> tuple[Run, Run]:
    """Run one account twice."""
    with _sandbox(folder, number, options.responses) as server:
        unlimited = {"TARGET_BIRDIE_MAX_REQUESTS_PER_SECOND": "0"}
        listed = _list(server.folder, number, options.slots, server, server, unlimited)
        first, second = _run(listed, server), _run(listed, server)
    if first.records < options.responses or second.records:
        sys.exit(f"Account {number}: {first.records} records sent, then {second.records}")
    return first, second


def _shared_limit(options: argparse.Namespace, folder: Path) -> None:
    """Compare the accepted requests with the limit while all accounts send."""
    limited = ("--birdie-rate-limit", str(BIRDIE_LIMIT))

    def sync(number: int) -> None:
        with _sandbox(folder, number, options.responses) as server:
            prefix = {"TARGET_BIRDIE_ID_PREFIX": f"{number}-"}
            _run(_list(server.folder, number, options.accounts, server, birdie, prefix), server)

    with (
        _sandbox(folder, options.accounts, 0, *limited) as birdie,
        ThreadPoolExecutor(options.accounts) as pool,
    ):
        list(pool.map(sync, range(options.accounts)))
        asked = birdie.requests("birdie", 0)
    times: dict[str, list[float]] = {}
    for request in asked:
        times.setdefault(request["path"].rpartition("/")[2].partition("-")[0], []).append(
            request["finished"]
        )
    begin = max(map(min, times.values())) + 1
    end = min(map(max, times.values()))
    together: list[Request] = [one for one in asked if begin <= one["finished"] < end]
    used = sum(map(accepted, together))
    share = used / (BIRDIE_LIMIT * (end - begin))
    print(f"{len(times)} accounts sent together for {end - begin:.0f} s after the first second:")
    print(f"{share:.1%} of the limit used, {len(together) - used} requests refused")
    print(f"In all {len(asked)} requests, {sum(map(accepted, asked))} accepted")


def _sandbox(folder: Path, number: int, responses: int, *more: str) -> Server:
    place = folder / f"{number}"
    place.mkdir()
    return Server(place, "--seed", f"{number + 1}", "--responses", f"{responses}", *more)


def _list(  # noqa: PLR0913, PLR0917
    folder: Path, number: int, slots: int, wootric: Server, birdie: Server, more: dict[str, str]
) -> Path:
    settings = {
        "TAP_WOOTRIC_API_URL": wootric.access["wootric_url"],
        "TARGET_BIRDIE_API_URL": birdie.access["birdie_url"],
    }
    account = {
        "name": f"account-{number}",
        "secrets": {name: f"SECRET_{name}" for name in SECRETS},
        "settings": settings | more,
    }
    listed = folder / "accounts.yaml"
    listed.write_text(json.dumps({"slots": slots, "accounts": [account]}))
    return listed


def _run(listed: Path, server: Server) -> Run:
    """Run the account of a list, and measure all processes that it starts."""
    before, began = server.count(), time.perf_counter()
    command = [sys.executable, str(ROOT / "orchestration"), "run", str(listed), "0"]
    with (listed.parent / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    memory, ended = 0.0, 0
    while not ended:
        time.sleep(SAMPLE_SECONDS)
        memory = max(memory, _memory(process.pid))
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit((listed.parent / "log").read_text()[-3000:])
    asked = server.requests("birdie", before)
    wall, processor = time.perf_counter() - began, usage.ru_utime + usage.ru_stime
    return Run(wall, processor, memory, server.count() - before, sum(map(accepted, asked)))


def _memory(pid: int) -> float:
    """Return the MB of a process and its descendants; users of a shared page divide it."""
    total = 0.0
    with suppress(OSError):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        total = sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1000
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        total += sum(_memory(int(child)) for child in children)
    return total


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="many_accounts", description=__doc__)
    parser.add_argument("--accounts", type=int, default=100, help="%(default)s")
    parser.add_argument("--responses", type=int, default=3_000, help="of each (%(default)s)")
    parser.add_argument("--slots", type=int, default=os.cpu_count(), help="at a time (%(default)s)")
    parser.add_argument("--shared-limit", action="store_true", help="measure Birdie's limit")
    return parser.parse_args()


if __name__ == "__main__":
    main()
