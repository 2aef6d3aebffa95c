"""Whether the streams that arrive are those that the setting `streams` names."""

from collections.abc import Collection
from difflib import get_close_matches

from target_birdie.delivery.checkpoints import State
from target_birdie.errors import StreamNamesError

_SIMILAR = 0.8


class StreamNames:
    """Holds states back while skipped records may belong to a stream with a misspelled name."""

    def __init__(self, expected: Collection[str], is_configured: bool) -> None:
        """Start without any stream.

        Args:
            expected: Names in the setting `streams`.
            is_configured: Whether they are the user's; the built-in ones may be missing.
        """
        self._expected = sorted(expected) if is_configured else []
        self._missing = set(self._expected)
        self._skipped: set[str] = set()
        self._held: State | None = None

    def skip(self, name: str) -> bool:
        """Note a stream that is not mapped; return whether it is a new one."""
        is_new = name not in self._skipped
        self._skipped.add(name)
        return is_new

    def arrived(self, name: str) -> State | None:
        """Note a mapped stream; return the state that was held back, if it may be written now."""
        self._missing.discard(name)
        if self._doubt():
            return None
        state, self._held = self._held, None
        return state

    def hold(self, state: State) -> bool:
        """Hold a state back if skipped records before it may be lost by mistake."""
        self._held = state if self._doubt() else None
        return self._held is not None

    def check(self) -> None:
        """Check the names at the end of the input.

        Raises:
            StreamNamesError: A name is probably misspelled.
        """
        if doubt := self._doubt():
            raise StreamNamesError(expected=doubt[0], sent=doubt[1])

    def _doubt(self) -> tuple[str, str] | None:
        """Return the names that are missing and those that are skipped by mistake."""
        if self._skipped and self._expected and len(self._missing) == len(self._expected):
            return _listed(self._expected), _listed(self._skipped)
        for name in sorted(self._skipped):
            if close := get_close_matches(name, sorted(self._missing), n=1, cutoff=_SIMILAR):
                return _listed(close), _listed([name])
        return None


def _listed(names: Collection[str]) -> str:
    return ", ".join(f"'{name}'" for name in sorted(names))
