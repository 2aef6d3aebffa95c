"""Which STATE is safe: records are numbered as they come, and a state waits for those before it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from threading import Lock
from typing import Any

State = dict[str, Any]

_MOST_STATES = 1_000


class Ledger:
    """Keeps the low-water mark: every record up to it is settled.

    Settled means stored by Birdie, unchanged, or safe in the rejects file. May be used by several
    threads.
    """

    def __init__(self) -> None:
        """Start with nothing read."""
        self._lock = Lock()
        self._issued = 0
        self._mark = 0
        self._ahead: set[int] = set()
        self._states: deque[tuple[int, State]] = deque()

    @property
    def issued(self) -> int:
        """Records read so far."""
        return self._issued

    @property
    def mark(self) -> int:
        """Number of the last record before which none is open."""
        return self._mark

    @property
    def open_span(self) -> int:
        """Records between the mark and the last one read."""
        return self._issued - self._mark

    def issue(self) -> int:
        """Number the next record."""
        self._issued += 1
        return self._issued

    def settle(self, numbers: Iterable[int]) -> None:
        """Note that these records need nothing more."""
        with self._lock:
            self._ahead.update(numbers)
            while self._mark + 1 in self._ahead:
                self._mark += 1
                self._ahead.remove(self._mark)

    def is_settled(self, number: int) -> bool:
        """Tell whether a record that was read needs nothing more."""
        with self._lock:
            return 0 < number <= self._mark or number in self._ahead

    def checkpoint(self, state: State) -> None:
        """Queue the state that covers every record read so far."""
        with self._lock:
            if self._states and self._states[-1][0] == self._issued:
                self._states.pop()
            self._states.append((self._issued, state))
            if len(self._states) > _MOST_STATES:  # any state may be left out but the newest
                self._states = deque(list(self._states)[::-2][::-1])

    def take_safe_state(self) -> State | None:
        """Return the newest state whose records are all settled, once; None when there is none."""
        safe = None
        with self._lock:
            while self._states and self._states[0][0] <= self._mark:
                safe = self._states.popleft()[1]
        return safe
