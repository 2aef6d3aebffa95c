"""Requests and records of the survey templates and the e-mail statistics.

Pure: no HTTP, no clock. Paths, parameters and replies follow Wootric's API documentation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

Json = dict[str, Any]

SURVEY_TEMPLATES_PATH = "/v1/survey_templates"
EMAIL_STATS_PATH = "/v2/email_stats"

SENDS = {"email_stats": "all", "initial_send": "initial", "reminder_send": "reminder"}
"""Keys of a reply with e-mail statistics, and the value of `send` for each."""


def survey_template_records(reply: Mapping[str, Any]) -> Iterator[Json]:
    """Yield one record per survey template, with `is_default`."""
    default = reply.get("default_survey_template_id")
    for template in reply["survey_templates"]:
        yield {**template, "is_default": template.get("id") == default}


def email_stats_params(day: date) -> dict[str, str]:
    """Return the query for the statistics of one day of the account."""
    text = day.isoformat()
    return {"date_range[start_date]": text, "date_range[end_date]": text}


def email_stats_records(day: date, reply: Mapping[str, Any]) -> Iterator[Json]:
    """Yield one record per kind of e-mail that was sent on a day.

    The counts of `raw_results` replace formatted values such as `"2 (29%)"` of the same name.
    """
    for key, send in SENDS.items():
        if stats := reply.get(key):
            counts = stats.get("raw_results") or {}
            others = {name: value for name, value in stats.items() if name != "raw_results"}
            yield {**others, **counts, "date": day.isoformat(), "send": send}
