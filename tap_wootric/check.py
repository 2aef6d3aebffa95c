"""Check what an account's API does: one page of each stream, and a few probes of its parameters.

No live account was available during development. Where the documentation is ambiguous, this check
shows the interpretation that holds. It prints names, ids, scores and times, but no other values.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

from tap_wootric.errors import RejectedRequestError, TapError
from tap_wootric.timestamps import parse

YES, NO, UNKNOWN = "yes", "no", "cannot tell"

FULL_PAGE = 50
"""Documented maximum of `per_page`."""

FAR_FUTURE = 4_102_444_800
"""UNIX second of the year 2100, after which nothing was updated."""

LISTS = ("responses", "declines", "end_users")


class Reply(Protocol):
    """Parsed reply of the API."""

    @property
    def data(self) -> Any:
        """The JSON document."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Header fields, found in any case."""


Get = Callable[[str, Mapping[str, Any]], Reply]
"""Send a GET request with a path such as "/v1/responses" and query parameters."""


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
        get: Function that sends a request; it raises `TapError`.
        schemas: Declared schema of each stream.
        default_streams: Streams that are selected by default; the check fails without them.
    """

    get: Get
    schemas: Mapping[str, Mapping[str, Any]]
    default_streams: frozenset[str]
    seen: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    headers: Mapping[str, str] | None = None
    offset: float | None = None

    def run(self) -> list[Finding]:
        """Return all findings; the first line is about the sign-in."""
        try:
            streams = [self._stream(name) for name in self.schemas]
        except TapError as error:
            return [Finding("sign-in", NO, "failed", "No stream can be synced.", str(error))]
        return [
            Finding("sign-in", YES, "token received", "The credentials are valid."),
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

    def _stream(self, name: str) -> Finding:
        path, params = _request(name)
        label, is_default = f"stream {name}", name in self.default_streams
        try:
            reply = self.get(path, params)
        except TapError as error:
            if self.headers is None and not isinstance(error, RejectedRequestError):
                raise  # nothing has worked yet: the sign-in failed
            self.headers = self.headers or {}
            effect = "It cannot be synced." + ("" if is_default else " Do not select it.")
            return Finding(label, NO, "no access", effect, str(error) if is_default else "")
        if not self.headers:
            date = reply.headers.get("Date")
            self.offset = parsedate_to_datetime(date).timestamp() - time.time() if date else None
        self.headers = reply.headers
        page = reply.data if isinstance(reply.data, list) else []
        self.seen[name] = [record for record in page if isinstance(record, dict)]
        amount = f"{len(page)} records on the first page" if page == reply.data else "one object"
        return Finding(label, YES, amount, "It can be synced.")

    def _list(self, name: str, **params: Any) -> list[dict[str, Any]] | None:
        """Return the records of a page, or None if the request fails."""
        try:
            page = self.get(f"/v1/{name}", params).data
        except TapError:
            return None
        found = [record for record in page if isinstance(record, dict)]
        self.seen.setdefault(name, []).extend(found)
        return found

    def _rate_limit(self) -> Finding:
        limit = (self.headers or {}).get("X-Rate-Limit-Limit")
        if limit is None:
            effect = "Long histories are read with several requests at the same time."
            return Finding("rate limit announced", NO, "no X-Rate-Limit-Limit", effect)
        effect = "Requests are spread so that the limit is not exceeded."
        return Finding("rate limit announced", YES, f"{limit} requests", effect)

    def _page_size(self) -> Finding:
        label, known = "per_page honored", len(self.seen.get("responses", ()))
        one = self._list("responses", per_page=1) if known > 1 else None
        if one is None:
            return Finding(label, UNKNOWN, f"{known} responses", "The sync works either way.")
        if len(one) > 1:
            effect = "'page_size' has no effect; the sync works."
            return Finding(label, NO, f"1 requested, {len(one)} returned", effect)
        detail = f"{FULL_PAGE} requested, {known} returned"
        return Finding(label, YES, detail, "A sync needs few requests.")

    def _sort_key(self, name: str, key: str) -> Finding:
        label = f"sort_key honored by {name}"
        pages = [
            self._list(name, per_page=FULL_PAGE, sort_key=key, sort_order=order)
            for order in ("asc", "desc")
        ]
        if None in pages:
            return Finding(label, NO, "the request fails", "A sync of this stream fails.")
        ascending, descending = (list(_times(page or [], key)) for page in pages)
        if len({*ascending}) <= 1:
            return Finding(label, UNKNOWN, "too few records", "So few records need no order.")
        if ascending == sorted(ascending) and descending == sorted(descending, reverse=True):
            return Finding(label, YES, f"sorted by {key}", "A sync finds all records.")
        return Finding(label, NO, f"not sorted by {key}", "A sync of this stream fails.")

    def _updated(self, name: str) -> Finding:
        label, lost = f"updated honored by {name}", "A sync finds changes of 'lookback_days' only."
        found = self._list(name, **{"updated[gte]": FAR_FUTURE})
        if found is None:
            return Finding(label, NO, "the request fails", lost)
        if found:
            return Finding(label, NO, "the filter is ignored", lost)
        if not self.seen.get(name):
            return Finding(label, UNKNOWN, "no records", "There is nothing to change yet.")
        return Finding(label, YES, "the filter selects", "A sync finds changes of any age.")

    def _time_format(self) -> Finding:
        label, forms = "time format known", dict[str, Any]()
        for record in (record for name in LISTS for record in self.seen.get(name, ())):
            for value in (record.get("created_at"), record.get("updated_at")):
                if value is not None:
                    forms.setdefault(re.sub(r"\w", "x", str(value)), value)
        known = [str(value) for value in forms.values() if _is_time(value)]
        if not forms:
            return Finding(label, UNKNOWN, "no records", "There is nothing to convert yet.")
        if len(known) == len(forms):
            return Finding(label, YES, " and ".join(known), "Times are converted to UTC.")
        shown = " and ".join(form for form, value in forms.items() if not _is_time(value))
        action = "Report the time format above: tap-wootric cannot read it."
        return Finding(label, NO, shown, "The sync fails.", action)

    def _clock(self) -> Finding:
        label = "server clock known"
        if self.offset is None:
            return Finding(label, NO, "no Date header", "The local clock is used instead.")
        detail = f"{abs(self.offset):.0f} s {'ahead' if self.offset > 0 else 'behind'}"
        return Finding(label, YES, detail, "The server's clock is used; a difference is harmless.")

    def _undeclared_keys(self) -> Finding:
        names = sorted(
            {
                f"{name}.{key}"
                for name, records in self.seen.items()
                for record in records
                for key in _undeclared(record, self.schemas[name])
            }
        )
        if not names:
            return Finding("undeclared keys", NO, "none", "Every key has a column.")
        effect = "They are delivered in 'additional_fields'."
        return Finding("undeclared keys", YES, ", ".join(names), effect)

    def _surveys(self) -> Finding:
        scores: dict[Any, list[int]] = {}
        for record in self.seen.get("responses", ()):
            if isinstance(record.get("score"), int):
                scores.setdefault(record.get("survey_id"), []).append(record["score"])
        by_id = sorted(scores.items(), key=str)
        ranges = [f"{survey or 'no id'}: {min(s)} to {max(s)}" for survey, s in by_id]
        if not ranges:
            return Finding("survey ids", UNKNOWN, "no responses", "Check again with responses.")
        effect = "Set 'survey_kinds' of target-birdie for CSAT and CES surveys."
        return Finding("survey ids", YES, ", ".join(ranges), effect)


def _request(name: str) -> tuple[str, dict[str, Any]]:
    """Return path and parameters of the request for one page of a stream."""
    if name in LISTS:
        return f"/v1/{name}", {"page": 1, "per_page": FULL_PAGE}
    day = (datetime.now(UTC) - timedelta(days=2)).date().isoformat()
    if name == "nps_summary":
        return "/v1/nps_summary", {"date[start]": day, "date[end]": day}
    if name == "email_stats":
        names = ("date_range[start_date]", "date_range[end_date]")
        return "/v2/email_stats", dict.fromkeys(names, day)
    return f"/v1/{name}", {}


def _times(page: list[dict[str, Any]], key: str) -> Iterator[datetime]:
    return (parse(record[key]) for record in page if _is_time(record.get(key)))


def _is_time(value: object) -> bool:
    try:
        parse(value)
    except ValueError:
        return False
    return True


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
