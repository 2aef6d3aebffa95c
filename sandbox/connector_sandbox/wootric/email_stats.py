"""The e-mail statistics of some days: surveys sent by e-mail, deliveries, bounces and answers.

The form of the reply is documented. The figures are derived from the responses and declines that
have no `origin_url`.
"""

from __future__ import annotations

from connector_sandbox.account.store import Store
from connector_sandbox.account.table import Data
from connector_sandbox.wootric.nps_summary import Days, read_days

PARAMETERS = ("date_range[start_date]", "date_range[end_date]")
REMINDER_EVERY = 3
"""Surveys whose id is a multiple of this number were sent as reminders."""
NOT_OPENED = 2
"""The number of delivered surveys that were neither answered nor declined."""


def read(store: Store, query: dict[str, str], time_zone: str) -> dict[str, Data | None]:
    """Return the statistics of all e-mails, of initial e-mails and of reminders.

    A part is None if no e-mail was sent.

    Raises:
        BadQueryError: A parameter is not a date.
    """
    days = read_days(store, query, PARAMETERS, time_zone)
    answered, declined = (
        [row["id"] for row in store.within(stream, days.range) if not row.get("origin_url")]
        for stream in ("responses", "declines")
    )
    reminders = [
        [number for number in ids if number % REMINDER_EVERY == 0] for ids in (answered, declined)
    ]
    counts = len(answered), len(declined)
    reminder_counts = len(reminders[0]), len(reminders[1])
    initial_counts = counts[0] - reminder_counts[0], counts[1] - reminder_counts[1]
    return {
        "email_stats": _stats(days, *counts),
        "initial_send": _stats(days, *initial_counts),
        "reminder_send": _stats(days, *reminder_counts),
    }


def _stats(days: Days, answered: int, declined: int) -> Data | None:
    if not answered + declined:
        return None
    opened = answered + declined
    delivered, bounced, ineligible = opened + NOT_OPENED, opened // 10, opened // 5
    processed = delivered + bounced
    return {
        "send_date": days.first.isoformat(),
        "send_requests": processed + ineligible,
        "emails_sent": processed,
        "delivered": delivered,
        "delivered_percentage": f"{100 * delivered / processed:.1f}%",
        "bounce_rate": bounced,
        "bounce_rate_percentage": f"{100 * bounced / processed:.1f}%",
        "open_rate": f"{round(100 * opened / delivered)}%",
        "response_rate": f"{round(100 * answered / delivered)}%",
        "not_eligible": f"{ineligible} ({round(100 * ineligible / (processed + ineligible))}%)",
        "raw_results": {
            "processed": processed,
            "bounce": bounced,
            "dropped": 0,
            "delivered": delivered,
            "opted_out": 0,
            "not_delivered": bounced,
            "open": opened,
            "spamreport": 0,
            "not_eligible": ineligible,
            "total_surveys": processed + ineligible,
            "total_responses": answered,
            "sart_date": days.first.isoformat(),  # the API spells it so
            "end_date": days.last.isoformat(),
        },
    }
