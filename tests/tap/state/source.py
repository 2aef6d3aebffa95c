"""A list of the API in memory, and runs of the tap over it.

The tap reads the list in memory instead of HTTP, and time passes only if the model advances it.
Everything else is the product: pagination, state, streams, STATE messages.
"""

import json
import random
import re
import threading
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from singer_sdk.singerlib import RecordMessage, StateMessage

from tap_wootric.api.rate_limit import RateLimiter
from tap_wootric.errors import RejectedRequestError
from tap_wootric.streams.base import WootricStream
from tap_wootric.tap import TapWootric

from ..helpers import Json, process_kept, selecting

START = 1_700_000_000
DAY = 86_400
DELAY = 95
"""Seconds after which a slow change becomes visible, under its earlier time."""

RECORDS_BETWEEN_STATES = 7
EVENTS = (
    *("new", "new", "slow new", "change", "change", "slow change"),
    *("delete", "import", "future", "tag all"),
)


@dataclass
class Stored:
    """A record of the source. Times have fractions, and the version counts its changes."""

    id: int
    created: float
    updated: float
    version: int = 1
    is_late: bool = False
    """Changed or imported after its time, so that a look-back of days may not reach it."""

    def change(self, updated: float) -> None:
        self.updated, self.version, self.is_late = updated, self.version + 1, True

    def shown(self) -> Json:
        times = {"created_at": int(self.created), "updated_at": int(self.updated)}
        return {"id": self.id, **times, "version": self.version}


@dataclass
class Source:
    """The documented list, with a clock, and changes between any two requests."""

    stream: str = "responses"
    chance: random.Random = field(default_factory=lambda: random.Random(0))
    updated_filter: str = "honored"
    """`honored`, `ignored` or `rejected`, as the API may treat `updated[gte]`."""

    clock_error: float = 0.0
    """Seconds by which `Date` is ahead of the clock that stamps the records."""

    churn: float = 0.0
    """Probability of a change before each request."""

    now: float = START
    rows: dict[int, Stored] = field(default_factory=dict)
    slow: list[tuple[float, int | None]] = field(default_factory=list)
    """Time and id of slow changes (None: of new records) that are not yet visible."""

    requests: int = 0
    last_id: int = 0
    seems_honored: bool = False
    """Whether an ignored filter made no difference to a page."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    rate_limiter: RateLimiter = field(default_factory=RateLimiter)
    retries: Any = field(default_factory=lambda: SimpleNamespace(count=0))

    def add(self, created: float, updated: float, *, is_late: bool = False) -> int:
        self.last_id += 1
        self.rows[self.last_id] = Stored(self.last_id, created, updated, is_late=is_late)
        return self.last_id

    def add_group(self, n: int, second: int) -> None:
        """Add records of one second, with equal or with different fractions."""
        spread = self.chance.random() < 0.5
        for i in range(n):
            moment = second + (i / n if spread else 0.5)
            self.add(moment, moment)

    def change(self) -> None:
        """Let one event happen to the account."""
        kind, now = self.chance.choice(EVENTS), self.now
        known = self.chance.choice(list(self.rows.values())) if self.rows else None
        if kind == "new":
            self.add(now, now)
        elif kind == "import":
            self.add(now - self.chance.uniform(0, 9 * DAY), now, is_late=True)
        elif kind == "future" and self.stream != "end_users" and self.chance.random() < 0.3:
            self.add(now + self.chance.choice([90, 2 * DAY, 1e9]), now)
        elif kind.startswith("slow"):
            self.slow.append((now, known.id if known and kind == "slow change" else None))
        elif kind == "change" and known:
            known.change(now)
        elif kind == "tag all" and self.chance.random() < 0.2:
            for row in sorted(self.rows.values(), key=self.place)[: self.chance.choice([9, 25])]:
                row.change(now)
        elif kind == "delete" and known:
            del self.rows[known.id]

    @property
    def server_now(self) -> int:
        return int(self.now + self.clock_error)

    def get(self, _path: str, params: Json, *, expected: type) -> list[Json]:
        """Return a page as the API would, with the interface of the client."""
        with self.lock:
            return self._fetch(params)

    def _fetch(self, params: Json) -> list[Json]:
        self.requests += 1
        assert self.requests < 5000
        self.now += self.chance.choice([0, 0.01, 0.4])
        while self.chance.random() < self.churn:
            self.change()
        while self.slow and self.slow[0][0] <= self.now - DELAY:
            stamp, changed = self.slow.pop(0)
            if changed is None:
                self.add(stamp, stamp)
            elif changed in self.rows:
                self.rows[changed].change(max(stamp, self.rows[changed].updated))
        return [row.shown() for row in self._page(params)]

    def _page(self, params: Json) -> list[Stored]:
        cursor = "updated" if self.stream == "end_users" else "created"
        since, until = params[f"{cursor}[gte]"], params[f"{cursor}[lt]"]
        updated_since = params.get("updated[gte]") if cursor == "created" else None
        if updated_since is not None and self.updated_filter == "rejected":
            raise RejectedRequestError(resource=self.stream, status=400)
        is_ignored = updated_since is not None and self.updated_filter == "ignored"
        rows = [
            row
            for row in sorted(self.rows.values(), key=self.place)
            if (since is None or self.place(row) >= since)
            and (until is None or self.place(row) < until)
            and (updated_since is None or is_ignored or row.updated >= updated_since)
        ]
        if params["sort_order"] == "desc":
            rows.reverse()
        rows = rows[(params["page"] - 1) * params["per_page"] :][: params["per_page"]]
        if is_ignored:
            self.seems_honored |= all(int(row.updated) >= updated_since for row in rows)
        return rows

    def place(self, row: Stored) -> float:
        """Return the time that the list is sorted by."""
        return row.updated if self.stream == "end_users" else row.created


class KilledError(BaseException):
    """The process ends here, without a final STATE."""


@dataclass
class Run:
    """What a run delivered and how it ended. It receives the tap's messages."""

    interruption: tuple[str, int] | None = None
    delivered: list[tuple[Any, int]] = field(default_factory=list)
    """Ids, or days and kinds of e-mail, and versions."""

    states: list[Json] = field(default_factory=list)
    unsaved: int = 0
    """Number of records after the last STATE."""

    end: str = "complete"
    incomplete: set[str] = field(default_factory=set)
    """The seconds that were reported as incomplete."""

    tap: TapWootric | None = None

    @property
    def ids(self) -> list[int]:
        return [id_ for id_, _ in self.delivered]

    def write_message(self, message: object) -> None:
        if isinstance(message, RecordMessage):
            record = message.record
            key = record["id"] if "id" in record else (record["date"], record.get("send"))
            self.delivered.append((key, record["additional_fields"]["version"]))
            self.unsaved += 1
        if isinstance(message, StateMessage):
            self.states.append(json.loads(json.dumps(message.value)))
            self.unsaved = 0
        if self.interruption is not None:
            kind, after = self.interruption
            self.interruption = (kind, after - 1) if after else None
            if not after and kind == "kill":
                raise KilledError
            if not after and self.tap:
                self.tap.shutdown.request(15)

    def flush(self) -> None:
        """Nothing is buffered."""


def sync(
    source: Any,
    state: Json | None = None,
    interruption: tuple[str, int] | None = None,
    **config: Any,
) -> Run:
    """Run the tap over the source once.

    Args:
        source: A `Source`, or another client with the name of a stream.
        state: A STATE of an earlier run.
        interruption: `kill` or `stop`, and after how many messages.
        config: Settings.
    """
    defaults = {"client_id": "id", "client_secret": "-", "page_size": 25, "max_concurrency": 1}
    run = Run(interruption)
    with process_kept():
        tap = run.tap = TapWootric(
            config=defaults | config,
            state=json.loads(json.dumps(state)),
            catalog=selecting(source.stream),
            message_writer=run,  # type: ignore[arg-type]
        )
        tap.client = source
        stream = tap.streams[source.stream]
        assert isinstance(stream, WootricStream)
        stream.STATE_MSG_FREQUENCY = RECORDS_BETWEEN_STATES
        try:
            stream.sync()
        except KilledError:
            run.end = "killed"
        except SystemExit as stop:
            run.end = str(stop.code)
    run.incomplete.update(re.findall(r"in the second (\S+)", " ".join(stream.failures)))
    return run
