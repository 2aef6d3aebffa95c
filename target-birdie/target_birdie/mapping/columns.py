"""Checks of the configured mapping against the streams that arrive."""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from target_birdie.errors import DuplicateKeyError, UnknownColumnError, did_you_mean
from target_birdie.mapping.mapper import MappingRules
from target_birdie.mapping.payload import Key


def check_columns(
    stream: str,
    entry: Mapping[str, Any],
    rules: MappingRules,
    columns: Collection[str],
    *,
    is_configured: bool,
) -> None:
    """Check that the SCHEMA of a stream contains the columns that the settings name.

    Args:
        stream: Name of the stream.
        entry: Its entry in the setting `streams`.
        rules: The settings that apply to every stream.
        columns: Names of the columns in its SCHEMA.
        is_configured: Whether the entry is the user's; the built-in table may name columns that
            another tap for Wootric does not have.

    Raises:
        UnknownColumnError: A column is missing.
    """
    paths: list[tuple[str, str]] = []
    if is_configured:
        setting = f"streams.{stream}"
        paths += [(f"{setting}.fields.{name}", path) for name, path in entry["fields"].items()]
        paths += [(f"{setting}.properties", path) for path in entry.get("properties", ())]
    if entry["record_type"] == "feedback":
        paths.append(("author_id_from", rules.author_id_from))
        paths.append(("account_id_from", rules.account_id_from))
    for name, path in paths:
        column = path.partition(".")[0]
        if path and columns and column not in columns:
            hint = did_you_mean(column, columns)
            raise UnknownColumnError(name=name, stream=stream, column=column, hint=hint)


class KeyOwners:
    """Which stream each id of a run comes from, where two streams could produce the same one."""

    def __init__(self, streams: Mapping[str, Mapping[str, Any]], rules: MappingRules) -> None:
        spaces = {
            stream: (entry["record_type"], entry.get("id_prefix", rules.id_prefix))
            for stream, entry in streams.items()
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
            raise DuplicateKeyError(first=owner, second=stream)
