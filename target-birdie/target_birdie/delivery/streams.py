"""Checks of the setting `streams` against the streams that arrive."""

from collections import Counter
from collections.abc import Collection
from difflib import get_close_matches

from target_birdie import errors
from target_birdie.config.settings import Settings
from target_birdie.delivery.checkpoints import State
from target_birdie.mapping.payload import Key

_SIMILAR = 0.8


class StreamNames:
    """Holds states back while skipped records may belong to a stream with a misspelled name."""

    def __init__(self, settings: Settings) -> None:
        """Start without any stream; those of the built-in table may be missing."""
        self._expected = sorted(settings.streams) if settings.streams_are_configured else []
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
            raise errors.StreamNamesError(expected=doubt[0], sent=doubt[1])

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


def check_columns(stream: str, settings: Settings, columns: Collection[str]) -> None:
    """Check that the SCHEMA of a stream contains the columns that the settings name.

    The built-in table may name columns that another tap for Wootric does not have.

    Raises:
        UnknownColumnError: A column is missing.
    """
    entry, place = settings.streams[stream], f"streams.{stream}"
    paths: list[tuple[str, str]] = []
    if settings.streams_are_configured:
        paths += [(f"{place}.fields.{name}", path) for name, path in entry["fields"].items()]
        paths += [(f"{place}.properties", path) for path in entry.get("properties", ())]
    if entry["record_type"] == "feedback":
        paths.append(("author_id_from", settings.author_id_from))
        paths.append(("account_id_from", settings.account_id_from))
    for name, path in paths:
        column = path.partition(".")[0]
        if path and columns and column not in columns:
            hint = errors.did_you_mean(column, columns)
            raise errors.UnknownColumnError(name=name, stream=stream, column=column, hint=hint)


class KeyOwners:
    """Which stream each id of a run comes from, where two streams could produce the same one."""

    def __init__(self, settings: Settings) -> None:
        spaces = {
            stream: (entry["record_type"], entry.get("id_prefix", settings.id_prefix))
            for stream, entry in settings.streams.items()
        }
        counts = Counter(spaces.values())
        self._shared = {stream for stream, space in spaces.items() if counts[space] > 1}
        self._owners: dict[int, str] = {}

    def claim(self, stream: str, key: Key) -> None:
        """Note that a record of this stream has this key.

        Raises:
            DuplicateKeyError: A record of another stream has it too.
        """
        if stream not in self._shared:
            return
        # A hash of 64 bits needs less memory than an id of any length.
        owner = self._owners.setdefault(hash(key), stream)
        if owner != stream:
            raise errors.DuplicateKeyError(first=owner, second=stream)
