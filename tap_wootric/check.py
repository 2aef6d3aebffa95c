"""Check what an account's API does: one page of each stream, and a few probes of its parameters.

No live account was available during development. Where the documentation is ambiguous, this check
shows the interpretation that holds. It prints names, ids, scores and times, but no other values.
"""

from __future__ import annotations

import json
import re
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from importlib.resources import files
from typing import Any

from tap_wootric.api.client import JsonReply
from tap_wootric.errors import RejectedRequestError, TapError
from tap_wootric.timestamps import parse

Json = dict[str, Any]
Answer = tuple[str, str]
"""`yes`, `no` or `cannot tell`, and what was seen."""

YES, NO, UNKNOWN = "yes", "no", "cannot tell"

EFFECTS = tomllib.loads(files("tap_wootric").joinpath("check.toml").read_text("utf-8"))

FULL_PAGE = 50
"""Documented maximum of `per_page`."""

FAR_FUTURE = 4_102_444_800
"""UNIX second of the year 2100, after which nothing was updated."""

LISTS = ("responses", "declines", "end_users")


@dataclass(frozen=True)
class Finding:
    """One line of the result.

    Attributes:
        check: What was checked.
        answer: `yes`, `no` or `cannot tell`.
        detail: What was seen.
        effect: What that means for a sync.
        action: What to do; empty unless the check fails.
    """

    check: str
    answer: str
    detail: str
    effect: str
    action: str = ""


@dataclass
class AccountCheck:
    """One check of an account.

    Args:
        get: Sends a GET request with a path and query parameters; it raises `TapError`.
        schemas: Declared schema of each stream.
        default_streams: Streams that are selected by default; the check fails without them.
    """

    get: Callable[[str, Mapping[str, Any]], JsonReply]
    schemas: Mapping[str, Mapping[str, Any]]
    default_streams: frozenset[str]
    seen: dict[str, list[Json]] = field(default_factory=dict)
    headers: Mapping[str, str] | None = None
    offset: float | None = None

    def run(self) -> list[Finding]:
        """Return all findings; the first line is about the sign-in."""
        try:
            streams = [self._stream(name) for name in self.schemas]
        except TapError as error:
            return [_finding("sign-in", (NO, "failed"), action=str(error))]
        form = self._time_format()
        unreadable = "Report the time format above: tap-wootric cannot read it."
        return [
            _finding("sign-in", (YES, "token received")),
            *streams,
            _finding("rate limit announced", self._rate_limit()),
            _finding("per_page honored", self._page_size()),
            _finding("sort_key honored", self._sort_key("responses", "created_at"), "responses"),
            _finding("sort_key honored", self._sort_key("end_users", "updated_at"), "end_users"),
            _finding("updated honored", self._updated("responses"), "responses"),
            _finding("updated honored", self._updated("end_users"), "end_users"),
            _finding("time format known", form, action=unreadable if form[0] == NO else ""),
            _finding("server clock known", self._clock()),
            _finding("undeclared keys", self._undeclared_keys()),
            _finding("survey ids", self._surveys()),
        ]

    def _stream(self, name: str) -> Finding:
        try:
            reply = self.get(*_request(name))
        except TapError as error:
            if self.headers is None and not isinstance(error, RejectedRequestError):
                raise  # nothing has worked yet: the sign-in failed
            self.headers = self.headers or {}
            todo = str(error) if name in self.default_streams else ""
            return _finding("stream", (NO, "no access"), name, action=todo)
        if not self.headers and "Date" in reply.headers:
            self.offset = parsedate_to_datetime(reply.headers["Date"]).timestamp() - time.time()
        self.headers = reply.headers
        page = reply.data if isinstance(reply.data, list) else []
        self.seen[name] = [record for record in page if isinstance(record, dict)]
        amount = f"{len(page)} records on the first page" if page == reply.data else "one object"
        return _finding("stream", (YES, amount), name)

    def _list(self, name: str, **params: Any) -> list[Json] | None:
        """Return the records of a page, or None if the request fails."""
        try:
            page = self.get(f"/v1/{name}", params).data
        except TapError:
            return None
        found = [record for record in page if isinstance(record, dict)]
        self.seen.setdefault(name, []).extend(found)
        return found

    def _rate_limit(self) -> Answer:
        limit = (self.headers or {}).get("X-Rate-Limit-Limit")
        return (NO, "no X-Rate-Limit-Limit") if limit is None else (YES, f"{limit} requests")

    def _page_size(self) -> Answer:
        known = len(self.seen.get("responses", ()))
        one = self._list("responses", per_page=1) if known > 1 else None
        if one is None:
            return UNKNOWN, f"{known} responses"
        if len(one) > 1:
            return NO, f"1 requested, {len(one)} returned"
        return YES, f"{FULL_PAGE} requested, {known} returned"

    def _sort_key(self, name: str, key: str) -> Answer:
        orders = ("asc", "desc")
        pages = [self._list(name, per_page=FULL_PAGE, sort_key=key, sort_order=o) for o in orders]
        if None in pages:
            return NO, "the request fails"
        first, last = ([time for time, _ in _times(page or [], key) if time] for page in pages)
        if len({*first}) <= 1:
            return UNKNOWN, "too few records"
        is_sorted = first == sorted(first) and last == sorted(last, reverse=True)
        return (YES, f"sorted by {key}") if is_sorted else (NO, f"not sorted by {key}")

    def _updated(self, name: str) -> Answer:
        found = self._list(name, **{"updated[gte]": FAR_FUTURE})
        if found is None:
            return NO, "the request fails"
        if found:
            return NO, "the filter is ignored"
        return (YES, "the filter selects") if self.seen.get(name) else (UNKNOWN, "no records")

    def _time_format(self) -> Answer:
        records = [record for name in LISTS for record in self.seen.get(name, ())]
        found = [*_times(records, "created_at"), *_times(records, "updated_at")]
        readable = {re.sub(r"\w", "x", str(value)): value for time, value in found if time}
        unreadable = {re.sub(r"\w", "x", str(value)) for time, value in found if not time}
        if unreadable:
            return NO, " and ".join(sorted(unreadable))
        return (
            (YES, " and ".join(map(str, readable.values()))) if found else (UNKNOWN, "no records")
        )

    def _clock(self) -> Answer:
        if self.offset is None:
            return NO, "no Date header"
        return YES, f"{abs(self.offset):.0f} s {'ahead' if self.offset > 0 else 'behind'}"

    def _undeclared_keys(self) -> Answer:
        names = {
            f"{name}.{key}"
            for name, records in self.seen.items()
            for record in records
            for key in _undeclared(record, self.schemas[name])
        }
        return (YES, ", ".join(sorted(names))) if names else (NO, "none")

    def _surveys(self) -> Answer:
        scores: dict[Any, list[int]] = {}
        for record in self.seen.get("responses", ()):
            if isinstance(record.get("score"), int):
                scores.setdefault(record.get("survey_id"), []).append(record["score"])
        by_id = sorted(scores.items(), key=str)
        ranges = [f"{survey or 'no id'}: {min(s)} to {max(s)}" for survey, s in by_id]
        return (YES, ", ".join(ranges)) if ranges else (UNKNOWN, "no responses")


def _finding(check: str, answer: Answer, stream: str = "", *, action: str = "") -> Finding:
    joint = " by " if stream and check != "stream" else " " if stream else ""
    return Finding(f"{check}{joint}{stream}", *answer, EFFECTS[check][answer[0]], action)


def _request(name: str) -> tuple[str, Json]:
    """Return path and parameters of the request for one page of a stream."""
    day = (datetime.now(UTC) - timedelta(days=2)).date().isoformat()
    if name == "nps_summary":
        return "/v1/nps_summary", {"date[start]": day, "date[end]": day}
    if name == "email_stats":
        names = ("date_range[start_date]", "date_range[end_date]")
        return "/v2/email_stats", dict.fromkeys(names, day)
    return f"/v1/{name}", {"page": 1, "per_page": FULL_PAGE} if name in LISTS else {}


def _times(records: list[Json], key: str) -> Iterator[tuple[datetime | None, Any]]:
    """Yield each value of a time field with its time, or with None if it cannot be read."""
    for value in (record[key] for record in records if record.get(key) is not None):
        try:
            yield parse(value), value
        except (TypeError, ValueError):
            yield None, value


def _undeclared(record: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield the keys that a schema does not declare, also of declared objects."""
    fields = schema.get("properties") or {}
    for name, value in record.items():
        if name not in fields:
            yield name
        elif isinstance(value, Mapping) and fields[name].get("properties"):
            yield from (f"{name}.{key}" for key in _undeclared(value, fields[name]))


def action(findings: list[Finding]) -> str:
    """Return `OK`, or what to do first."""
    return next((finding.action for finding in findings if finding.action), "OK")


def as_text(findings: list[Finding]) -> str:
    """Return the findings as a table; the last line is `OK` or what to do."""
    width = max(len(finding.check) for finding in findings)
    lines = [f"{f.check:{width}}  {f.answer:11}  {f.detail}. {f.effect}" for f in findings]
    return "\n".join([*lines, action(findings)])


def as_json(findings: list[Finding]) -> str:
    """Return the findings as JSON."""
    result = action(findings)
    found = {"ok": result == "OK", "result": result, "checks": [asdict(f) for f in findings]}
    return json.dumps(found, ensure_ascii=False, indent=1)
