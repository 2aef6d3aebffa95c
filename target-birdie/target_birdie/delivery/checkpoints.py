"""Which STATE is safe to write: one deque of results and the states behind them."""

from collections import deque
from dataclasses import dataclass
from threading import Lock
from typing import Any

State = dict[str, Any]

MOST_OPEN = 10_000
"""Results behind one open record: bounds memory, and what a killed run sends again."""


@dataclass(slots=True)
class Result:
    """Whether a record needs no further work: accepted, unchanged or stored as rejected."""

    is_done: bool = False


class Checkpoints:
    """Results in the order of the input, each with the state that followed it.

    The thread that reads calls `add` and `add_state`; any thread may call the others.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._entries: deque[tuple[Result, State | None]] = deque()
        self._safe: State | None = None

    def add(self, result: Result) -> None:
        """Let later states wait for this result."""
        with self._lock:
            self._entries.append((result, None))

    def add_state(self, state: State) -> None:
        """Take a state that covers all results so far."""
        with self._lock:
            self._remove_done()
            if self._entries:
                self._entries[-1] = (self._entries[-1][0], state)
            else:
                self._safe = state

    def is_full(self) -> bool:
        """Return whether one open record has too many results behind it."""
        with self._lock:
            self._remove_done()
            return len(self._entries) >= MOST_OPEN

    def take_safe_state(self) -> State | None:
        """Return the newest state before which all results are done, once."""
        with self._lock:
            self._remove_done()
            state, self._safe = self._safe, None
            return state

    def _remove_done(self) -> None:
        while self._entries and self._entries[0][0].is_done:
            self._safe = self._entries.popleft()[1] or self._safe
