"""Checks of the setting `streams` against the streams that arrive."""

from collections import Counter
from collections.abc import Collection
from difflib import get_close_matches

from target_birdie import errors
from target_birdie.config.settings import Settings
from target_birdie.mapping.payload import Key

_SIMILAR = 0.8


class StreamChecks:
    """Notices misspelled names of streams, and ids that two streams share.

    Attributes:
        arrived: Mapped streams that have arrived.
        skipped: Streams that have arrived and are not mapped.
    """

    def __init__(self, settings: Settings) -> None:
        """Start without any stream; those of the built-in table may be missing."""
        self._expected = set(settings.streams) if settings.streams_are_configured else set()
        self.arrived: set[str] = set()
        self.skipped: set[str] = set()
        self._types = Counter(entry["record_type"] for entry in settings.streams.values())
        self._owners: dict[int, str] = {}

    def claim(self, stream: str, key: Key) -> None:
        """Note that a record of this stream has this key.

        Raises:
            DuplicateKeyError: A record of another stream has it too.
        """
        if self._types[key[0]] > 1:
            # A hash of 64 bits needs less memory than an id of any length.
            owner = self._owners.setdefault(hash(key), stream)
            if owner != stream:
                raise errors.DuplicateKeyError(first=owner, second=stream)

    def doubt(self) -> errors.StreamNamesError | None:
        """Return an error that names the missing and the skipped streams; None without doubt."""
        missing = self._expected - self.arrived
        if self.skipped and missing == self._expected != set():
            return _error(missing, self.skipped)
        for name in sorted(self.skipped):
            if close := get_close_matches(name, sorted(missing), n=1, cutoff=_SIMILAR):
                return _error(close, [name])
        return None


def _error(*names: Collection[str]) -> errors.StreamNamesError:
    expected, sent = (", ".join(f"'{name}'" for name in sorted(some)) for some in names)
    return errors.StreamNamesError(expected=expected, sent=sent)


def check_columns(stream: str, settings: Settings, columns: Collection[str]) -> None:
    """Check that the SCHEMA of a stream contains the columns that the settings name.

    The built-in table may name columns that another tap for Wootric does not have.

    Raises:
        UnknownColumnError: A column is missing.
    """
    entry, place, paths = settings.streams[stream], f"streams.{stream}", []
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
