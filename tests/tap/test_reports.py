"""Survey templates and e-mail statistics: one record per template, per day and kind of e-mail."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import responses
from jsonschema import Draft7Validator

from .helpers import Account

Json = dict[str, Any]

TEMPLATES: Json = {
    "default_survey_template_id": 8,
    "survey_templates": [
        {
            "id": number,
            "name": f"Template {number}",
            "default_language": "en",
            "languages": [{"code": "en", "name": "English"}],
            "non_configured_language_count": 31,
            "custom_samplings": [],
            "color": "blue",
        }
        for number in (7, 8)
    ],
}
YESTERDAY = (datetime.now(UTC) - timedelta(days=2)).date()


def stats(responses: int) -> Json:
    """Statistics of one kind of e-mail, in the documented form."""
    return {
        "send_date": "2026-01-01",
        "send_requests": 9,
        "emails_sent": 7,
        "delivered_percentage": "100.0%",
        "not_eligible": "2 (29%)",
        "raw_results": {"delivered": 7, "not_eligible": 2, "total_responses": responses},
    }


@pytest.fixture
def api(account: Account) -> Any:
    """Wootric with the two reports; `answer` sets the e-mail statistics."""
    url = account.sandbox.wootric_url
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.post(f"{url}/oauth/token", json={"access_token": "t"})
        mock.get(f"{url}/v1/survey_templates", json=TEMPLATES)
        mock.get(f"{url}/v2/email_stats", json={})
        yield mock


def test_survey_templates_name_the_default(account: Account, api: Any) -> None:
    """Each template once, with undeclared keys in `additional_fields`."""
    output = account.sync("survey_templates")

    records = output.records("survey_templates")
    assert [(record["id"], record["is_default"]) for record in records] == [(7, False), (8, True)]
    assert records[0]["languages"] == [{"code": "en", "name": "English"}]
    assert records[0]["additional_fields"] == {"color": "blue"}
    assert Draft7Validator(output.messages[0]["schema"]).is_valid(records[0])


def test_email_stats_are_records_by_day_and_kind_of_email(account: Account, api: Any) -> None:
    """The counts come from `raw_results`; a kind without e-mails has no record."""
    url = f"{account.sandbox.wootric_url}/v2/email_stats"
    reply = {"email_stats": stats(3), "initial_send": stats(1), "reminder_send": None}
    api.replace("GET", url, json=reply)

    output = account.sync("email_stats", start_date=YESTERDAY.isoformat())

    (first, second, *_) = output.records("email_stats")
    assert [(r["date"], r["send"]) for r in (first, second)] == [
        (YESTERDAY.isoformat(), "all"),
        (YESTERDAY.isoformat(), "initial"),
    ]
    assert (first["total_responses"], second["total_responses"]) == (3, 1)
    assert (first["delivered"], first["not_eligible"], first["emails_sent"]) == (7, 2, 7)
    assert first["additional_fields"]["delivered_percentage"] == "100.0%"
    assert Draft7Validator(output.messages[0]["schema"]).is_valid(first)
    query = api.calls[1].request.params
    names = ("date_range[start_date]", "date_range[end_date]")
    assert query == dict.fromkeys(names, YESTERDAY.isoformat())


def test_a_later_sync_emits_a_day_only_if_it_changed(account: Account, api: Any) -> None:
    """The last days are read again, as for `nps_summary`."""
    url = f"{account.sandbox.wootric_url}/v2/email_stats"
    start = YESTERDAY.isoformat()
    api.replace("GET", url, json={"email_stats": stats(3), "initial_send": stats(1)})
    first = account.sync("email_stats", start_date=start)
    api.replace("GET", url, json={"email_stats": stats(4), "initial_send": stats(1)})

    second = account.sync("email_stats", start_date=start, state=first.state)
    third = account.sync("email_stats", start_date=start, state=second.state)

    assert {record["total_responses"] for record in second.records("email_stats")} >= {4}
    assert third.records("email_stats") == []
