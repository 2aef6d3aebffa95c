"""Check what an account's API does: one page of each stream, and a few probes of its parameters.

No live account was available during development. Where the documentation is ambiguous, this check
shows the interpretation that holds. It prints names, ids, scores and times, but no other values.
"""

import json
import re
import time
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any, NamedTuple

from tap_wootric.api.client import WootricClient
from tap_wootric.errors import StreamError, TapError
from tap_wootric.streams.base import WootricStream
from tap_wootric.timestamps import unix_second

Json = dict[str, Any]

YES, NO, UNKNOWN = "yes", "no", "cannot tell"

EFFECTS = tomllib.loads(files("tap_wootric").joinpath("check.toml").read_text("utf-8"))

FULL_PAGE = 50
"""Documented maximum of `per_page`."""

FAR_FUTURE = 4_102_444_800
"""UNIX second of the year 2100, after which nothing was updated."""

LISTS = ("responses", "declines", "end_users")


class Finding(NamedTuple):
    """One line of the result."""

    check: str
    """What was checked."""
    answer: str
    """`yes`, `no` or `cannot tell`."""
    detail: str
    """What was seen."""
    effect: str
    """What that means for a sync."""
    action: str
    """What to do; empty unless the check fails."""


@dataclass
class AccountCheck:
    """One check of an account.

    Args:
        client: Access to the account.
        streams: What to read. The check fails without those that are selected by default.
    """

    client: WootricClient
    streams: Sequence[WootricStream]
    seen: dict[str, list[Json]] = field(default_factory=dict)

    def run(self) -> list[Finding]:
        """Return all findings; the first line is about the sign-in."""
        try:
            streams = [self._stream(stream) for stream in self.streams]
        except TapError as error:
            return [_finding("sign-in", NO, "failed", action=str(error))]
        return [
            _finding("sign-in", YES, "token received"),
            *streams,
            self._rate_limit(),
            self._page_size(),
            self._sort_key("responses", "created_at"),
            self._sort_key("end_users", "updated_at"),
            self._updated("responses"),
            self._updated("end_users"),
            self._time_format(),
            self._clock(),
            self._undeclared_keys(),
            self._surveys(),
        ]

    def _stream(self, stream: WootricStream) -> Finding:
        name = stream.name
        try:
            page = self.client.get(*_request(name))
        except StreamError as error:
            action = str(error) if stream.selected_by_default else ""
            return _finding("stream", NO, "no access", name, action)
        if not isinstance(page, list):
            return _finding("stream", YES, "one object", name)
        self.seen[name] = [record for record in page if isinstance(record, dict)]
        return _finding("stream", YES, f"{len(page)} records on the first page", name)

    def _list(self, name: str, **params: Any) -> list[Json] | None:
        """Return the records of a page, or None if the request fails."""
        try:
            page = self.client.get(f"/v1/{name}", params, expected=list)
        except TapError:
            return None
        found = [record for record in page if isinstance(record, dict)]
        self.seen.setdefault(name, []).extend(found)
        return found

    def _rate_limit(self) -> Finding:
        limit = self.client.rate_limiter.limit
        detail = f"{limit} requests" if limit else "no X-Rate-Limit-Limit"
        return _finding("rate limit announced", YES if limit else NO, detail)

    def _page_size(self) -> Finding:
        # A page with a single record cannot show whether a smaller page would be honored.
        known = len(self.seen.get("responses", ()))
        one = self._list("responses", per_page=1) if known > 1 else None
        if one is None:
            return _finding("per_page honored", UNKNOWN, f"{known} responses")
        if len(one) > 1:
            return _finding("per_page honored", NO, f"1 requested, {len(one)} returned")
        return _finding("per_page honored", YES, f"{FULL_PAGE} requested, {known} returned")

    def _sort_key(self, name: str, key: str) -> Finding:
        orders = ("asc", "desc")
        pages = [self._list(name, per_page=FULL_PAGE, sort_key=key, sort_order=o) for o in orders]
        if None in pages:
            return _finding("sort_key honored by", NO, "the request fails", name)
        first, last = ([t for r in page or () if (t := unix_second(r.get(key)))] for page in pages)
        if len({*first}) <= 1:
            return _finding("sort_key honored by", UNKNOWN, "too few records", name)
        if first == sorted(first) and last == sorted(last, reverse=True):
            return _finding("sort_key honored by", YES, f"sorted by {key}", name)
        return _finding("sort_key honored by", NO, f"not sorted by {key}", name)

    def _updated(self, name: str) -> Finding:
        # An API that ignores an unknown filter returns records, and no error.
        found = self._list(name, **{"updated[gte]": FAR_FUTURE})
        if found or found is None:
            problem = "the filter is ignored" if found else "the request fails"
            return _finding("updated honored by", NO, problem, name)
        if not self.seen.get(name):
            return _finding("updated honored by", UNKNOWN, "no records", name)
        return _finding("updated honored by", YES, "the filter selects", name)

    def _time_format(self) -> Finding:
        records = [record for name in LISTS for record in self.seen.get(name, ())]
        values = [record.get(key) for record in records for key in ("created_at", "updated_at")]
        # Unreadable values are shown as `xxx`: they could be personal data.
        forms = {re.sub(r"\w", "x", str(v)): v for v in values if v is not None}
        unreadable = sorted(form for form, value in forms.items() if unix_second(value) is None)
        if unreadable:
            action = "Report the time format above: tap-wootric cannot read it."
            return _finding("time format known", NO, " and ".join(unreadable), action=action)
        examples = " and ".join(map(str, forms.values()))
        return _finding("time format known", YES if forms else UNKNOWN, examples or "no records")

    def _clock(self) -> Finding:
        if self.client.transport.server_time is None:
            return _finding("server clock known", NO, "no Date header")
        ahead = self.client.transport.server_time - int(time.time())
        return _finding("server clock known", YES, f"{ahead:+d} s from the local clock")

    def _undeclared_keys(self) -> Finding:
        names = {
            f"{stream.name}.{key}"
            for stream in self.streams
            for record in self.seen.get(stream.name, ())
            for key in _undeclared(record, stream.declared_schema)
        }
        return _finding("undeclared keys", YES if names else NO, ", ".join(sorted(names)) or "none")

    def _surveys(self) -> Finding:
        scores: dict[str, list[int]] = {}
        for record in self.seen.get("responses", ()):
            survey, score = str(record.get("survey_id") or "no id"), record.get("score")
            if isinstance(score, int):
                scores.setdefault(survey, []).append(score)
        ranges = ", ".join(f"{key}: {min(s)} to {max(s)}" for key, s in sorted(scores.items()))
        return _finding("survey ids", YES if ranges else UNKNOWN, ranges or "no responses")


def _undeclared(record: Json, schema: Json) -> Iterator[str]:
    """Yield the keys that a schema does not declare, also of declared objects."""
    fields = schema.get("properties", {})
    for name, value in record.items():
        if name not in fields:
            yield name
        elif isinstance(value, dict) and "properties" in fields[name]:
            yield from (f"{name}.{key}" for key in _undeclared(value, fields[name]))


def _finding(check: str, answer: str, detail: str, stream: str = "", action: str = "") -> Finding:
    title = f"{check} {stream}" if stream else check
    return Finding(title, answer, detail, EFFECTS[check][answer], action)


def _request(name: str) -> tuple[str, Json]:
    """Return path and parameters of the request for one page of a stream."""
    # Two days ago is over in every time zone.
    day = (datetime.now(UTC) - timedelta(days=2)).date().isoformat()
    if name == "nps_summary":
        return "/v1/nps_summary", {"date[start]": day, "date[end]": day}
    if name == "email_stats":
        return "/v2/email_stats", {"date_range[start_date]": day, "date_range[end_date]": day}
    return f"/v1/{name}", {"page": 1, "per_page": FULL_PAGE} if name in LISTS else {}


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
    found = {"ok": result == "OK", "result": result, "checks": [f._asdict() for f in findings]}
    return json.dumps(found, ensure_ascii=False, indent=1)
