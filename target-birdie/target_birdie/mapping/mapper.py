"""From a tap's record to a Birdie record, by a table.

The table is the setting `streams`. Every value that no field of the table uses becomes an
additional field.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from target_birdie.mapping import payload, values
from target_birdie.mapping.personal_data import is_personal_name, words

SURVEY_ID = "survey_id"
"""Column that determines the kind of survey; Wootric's API does not name the kind."""

NESTING = "nesting"
"""Reason of a record that is nested too deeply to be sent or stored."""

_REQUIRED = frozenset({"feedback_id", "user_id", "rating", "posted_at"})
_MAX_DEPTH = 100

_Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MappingRules:
    """The settings that apply to the mapping of every stream.

    Attributes:
        kind: Kind of the surveys that neither `survey_kinds` nor the stream determines.
        survey_kinds: Kind by survey id.
        author_id_from: Dotted path of the author's id; "" for the stream's own.
        account_id_from: Dotted path of the account's id; "" for the stream's own.
        additional_fields_include: Names of the additional fields to send; None for all.
    """

    kind: str = "nps"
    survey_kinds: Mapping[str, str] = field(default_factory=dict)
    id_prefix: str = ""
    author_id_from: str = ""
    account_id_from: str = ""
    additional_fields_include: Collection[str] | None = None
    additional_fields_exclude: Collection[str] = ()
    include_pii: bool = False
    pii_exceptions: Collection[str] = ()
    date_properties: Collection[str] = ()


class StreamMapper:
    """Maps the records of one stream."""

    def __init__(
        self,
        entry: Mapping[str, Any],
        rules: MappingRules,
        columns: Collection[str] = (),
        name: str = "",
    ) -> None:
        """Prepare the mapping.

        Args:
            entry: The stream's entry in the setting `streams`.
            rules: The settings that apply to every stream.
            columns: Names of the columns in the stream's SCHEMA.
            name: Name of the stream.
        """
        self.name = name
        self.columns = columns
        self.record_type: str = entry["record_type"]
        self.id_prefix: str = entry.get("id_prefix", rules.id_prefix)
        self._kind: str = entry.get("kind") or rules.kind
        self._rules = rules
        self._is_personal = _name_check(rules)
        has_ces = "ces" in {self._kind, *rules.survey_kinds.values()}
        self._columns = frozenset(columns) | ({payload.SURVEY_KIND} if has_ces else set())
        self._id_field = payload.RECORD_TYPES[self.record_type]
        self._sources = _sources(entry, rules)
        self._groups = [_path(group) for group in entry.get("properties", ())]
        paths = [*(sources[0] for sources in self._sources.values()), *self._groups]
        self._used = frozenset(path[0] for path in paths if len(path) == 1)
        self._nested = [path for path in paths if len(path) > 1]

    def map(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return the payload of the Birdie record, without the batch.

        Raises:
            InvalidRecordError: A required field is missing, or a field has an invalid value.
        """
        kind = self._rules.survey_kinds.get(str(record.get(SURVEY_ID)), self._kind)
        fields: dict[str, Any] = {}
        for name, sources in self._sources.items():
            found = (self._convert(name, path, record, kind) for path in sources)
            value = next((value for value in found if value is not None), None)
            if value is not None:
                fields[name] = value
            elif name in _REQUIRED:
                column = ".".join(sources[0])
                raise values.InvalidRecordError(name, f"column {column!r} is empty or missing")
        additional = self._additional(record, kind)
        return payload.build_payload(self.record_type, kind, fields, additional)

    def identify(self, record: Mapping[str, Any]) -> str:
        """Return the id of a record that may be invalid; "" if it has none."""
        for path in self._sources[self._id_field]:
            value = _at(record, path)
            try:
                found = values.to_id(value, self.id_prefix)
            except values.InvalidRecordError:
                found = str(value) if isinstance(value, (int, str)) else None
            if found:
                return found
        return ""

    def redacted(self, record: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return what may be stored of a rejected record; None if it is nested too deeply.

        It contains the values that the mapping uses, and no personal data besides them unless
        the settings send it.
        """
        try:
            kept: dict[str, Any] = self._clean("", dict(record)) or {}
        except values.InvalidRecordError:
            return None
        for path in (path for sources in self._sources.values() for path in sources):
            value = _at(record, path)
            if value is not None and not isinstance(value, (dict, list)):
                inner = kept
                for key in path[:-1]:
                    inner = inner.setdefault(key, {})
                inner[path[-1]] = value
        return kept

    def _convert(self, name: str, path: _Path, record: Mapping[str, Any], kind: str) -> Any:
        value = _at(record, path)
        if value is None:
            return None
        if ".".join(path) in self._rules.date_properties:
            value = values.from_unix(value)
        if name == self._id_field:
            return values.to_id(value, self.id_prefix)
        match name:
            case "author_id" | "account_id":
                return values.to_id(value, self._rules.id_prefix)
            case "rating":
                return values.to_rating(value, kind)
            case "posted_at":
                return values.to_time(value)
        return values.to_text(value, unescape=name == "text")

    def _additional(self, record: Mapping[str, Any], kind: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, own, value in self._properties(record):
            found[_free(name, found)] = self._sent(own, value)
        for name, value in record.items():
            if name not in self._used:
                found[_free(name, found)] = self._sent(name, self._rest(name, value))
        if self.record_type == "feedback" and kind != payload.BIRDIE_KINDS[kind]:
            found[payload.SURVEY_KIND] = kind
        sent, omitted = self._rules.additional_fields_include, self._rules.additional_fields_exclude
        return {
            name: value
            for name, value in found.items()
            if value is not None and (sent is None or name in sent) and name not in omitted
        }

    def _properties(self, record: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
        """Yield each property: its name in Birdie, its own name, and its value.

        Names depend on the SCHEMA only: the same property has the same name in each record.
        """
        for group in self._groups:
            found = _at(record, group)
            found = found if isinstance(found, dict) else {group[-1]: found}
            for own, value in found.items():
                name = own
                if group is not self._groups[0] or own in self._columns:
                    name = ".".join((*group, own))
                yield _free(name, self._columns), own, value

    def _rest(self, column: str, value: Any) -> Any:
        """Return a column without the parts that are mapped elsewhere."""
        for path in self._nested:
            if path[0] == column and isinstance(value, dict):
                value = _without(value, path[1:])
        return value

    def _sent(self, name: str, value: Any) -> Any:
        cleaned = self._clean(name, value)
        return values.from_unix(cleaned) if name in self._rules.date_properties else cleaned

    def _clean(self, name: str, value: Any, depth: int = 0) -> Any:
        """Return a value without empty parts and personal data; None if nothing remains."""
        if value is None or value == "":
            return None
        if self._is_personal(name) and not isinstance(value, bool):
            return None
        if not isinstance(value, (dict, list)):
            return value
        if depth == _MAX_DEPTH:
            line = f"values are nested in more than {_MAX_DEPTH} levels"
            raise values.InvalidRecordError(NESTING, line)
        if isinstance(value, dict):
            parts = ((key, self._clean(key, part, depth + 1)) for key, part in value.items())
            return {key: part for key, part in parts if part is not None} or None
        items = (self._clean("", item, depth + 1) for item in value)
        return [item for item in items if item is not None] or None


def _name_check(rules: MappingRules) -> Callable[[str], bool]:
    """Return a function that returns whether values of a name are omitted as personal data."""
    exceptions = {"".join(words(name)) for name in rules.pii_exceptions}

    @lru_cache(maxsize=8192)
    def is_omitted(name: str) -> bool:
        return is_personal_name(name) and "".join(words(name)) not in exceptions

    return (lambda _: False) if rules.include_pii else is_omitted


def _sources(entry: Mapping[str, Any], rules: MappingRules) -> dict[str, list[_Path]]:
    """Return the paths of each field; the first one with a value counts."""
    found = {name: [_path(path)] for name, path in entry["fields"].items()}
    is_user = entry["record_type"] == "user"
    author = "user_id" if is_user else "author_id"
    own = found.get(author, [])
    for name, path in ((author, rules.author_id_from), ("account_id", rules.account_id_from)):
        if path:
            # A user record is the end user that a feedback contains.
            within = path.removeprefix("end_user.") if is_user else path
            found[name] = [_path(within), *found.get(name, own)]
    return found


def _path(dotted: str) -> _Path:
    return tuple(dotted.split("."))


def _at(record: Mapping[str, Any], path: _Path) -> Any:
    value: Any = record
    for key in path:
        if not isinstance(value, dict) or key not in value:
            return None
        value = value[key]
    return value


def _without(value: dict[str, Any], path: _Path) -> dict[str, Any]:
    head, rest = path[0], path[1:]
    if rest and isinstance(value.get(head), dict):
        return value | {head: _without(value[head], rest)}
    if rest:
        return value
    return {key: part for key, part in value.items() if key != head}


def _free(name: str, taken: Collection[str]) -> str:
    while name in taken:
        name += "_"
    return name
