"""From a tap's record to a Birdie record, by a table.

The table is the setting `streams`. Every value that no field of the table uses becomes an
additional field.
"""

import html
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from target_birdie.mapping import payload, values
from target_birdie.mapping.personal_data import is_personal_name, words

SURVEY_ID = "survey_id"
"""Column that determines the kind of survey; Wootric's API does not name the kind."""

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
        self, entry: Mapping[str, Any], rules: MappingRules, columns: Collection[str], name: str
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
        self._is_omitted = lru_cache(maxsize=8192)(self._omits)
        self._columns = {*columns, payload.SURVEY_KIND}
        self._id_field = payload.RECORD_TYPES[self.record_type]
        self._sources = _sources(entry, rules)
        self._groups = [_path(group) for group in entry.get("properties", ())]
        self._used = {*(sources[0] for sources in self._sources.values()), *self._groups}

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
            with suppress(values.InvalidRecordError):
                if found := self._convert(self._id_field, path, record, self._kind):
                    return str(found)
        return ""

    def redacted(self, record: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return what may be stored of a rejected record; None if it is nested too deeply.

        It contains the values that the mapping uses, and no personal data besides them unless
        the settings send it.
        """
        try:
            kept: dict[str, Any] = self._clean(record) or {}
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
        """Return the value of a field from one path; None if it is blank."""
        value = _at(record, path)
        if name == "text" and isinstance(value, str):
            value = html.unescape(value)  # Wootric escapes comments
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        if ".".join(path) in self._rules.date_properties:
            value = values.from_unix(value)
        if name.endswith("_id"):
            prefix = self.id_prefix if name == self._id_field else self._rules.id_prefix
            return values.to_id(value, prefix)
        if name == "rating":
            return values.to_rating(value, kind)
        return values.to_time(value) if name == "posted_at" else values.to_text(value)

    def _additional(self, record: Mapping[str, Any], kind: str) -> dict[str, Any]:
        """Return the properties, then the columns that no field uses.

        Names of properties depend on the SCHEMA, so that they are the same in each record.
        """
        found: dict[str, Any] = {}
        for group in (*self._groups, ()):
            inner = _at(record, group)
            inner = inner if isinstance(inner, dict) else {group[-1]: inner}
            used, taken = ((), self._columns) if group else (self._used, ())
            for own, value in (self._clean(inner, used) or {}).items():
                name = own
                if group and (group is not self._groups[0] or own in taken):
                    name = ".".join((*group, own))
                while name in found or name in taken:
                    name += "_"
                is_date = own in self._rules.date_properties
                found[name] = values.from_unix(value) if is_date else value
        if self.record_type == "feedback" and kind != payload.BIRDIE_KINDS[kind]:
            found[payload.SURVEY_KIND] = kind
        sent, omitted = self._rules.additional_fields_include, self._rules.additional_fields_exclude
        return {k: v for k, v in found.items() if (sent is None or k in sent) and k not in omitted}

    def _clean(self, value: Any, used: Collection[_Path] = (), path: _Path = ()) -> Any:
        """Return a value without empty parts, personal data and used paths; None for nothing."""
        if not isinstance(value, (dict, list)):
            return None if value == "" else value
        if len(path) > _MAX_DEPTH:
            line = f"values are nested in more than {_MAX_DEPTH} levels"
            raise values.InvalidRecordError("nesting", line)
        if isinstance(value, list):
            items = (self._clean(item, used, (*path, "")) for item in value)
            return [item for item in items if item is not None] or None
        found = {}
        for key, part in value.items():
            place = (*path, key)
            if place not in used and (isinstance(part, bool) or not self._is_omitted(key)):
                cleaned = self._clean(part, used, place)
                if cleaned is not None:
                    found[key] = cleaned
        return found or None

    def _omits(self, name: str) -> bool:
        """Return whether values of a name are omitted as personal data."""
        exceptions = {"".join(words(one)) for one in self._rules.pii_exceptions}
        is_sent = self._rules.include_pii or "".join(words(name)) in exceptions
        return not is_sent and is_personal_name(name)


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
        value = value.get(key) if isinstance(value, dict) else None
    return value
