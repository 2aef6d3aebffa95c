"""The options of the sandbox, which can change while it runs."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

CHOICES = {
    "filter_reading": {"stored", "seconds"},
    "time_format": {"offset", "naive_utc", "iso_millis", "unix"},
    "ties": {"reversed", "same", "place"},
    "birdie_reason": {"message", "error", "errors", "error_objects"},
}


@dataclass(slots=True)
class Options:
    """The options of both APIs. The defaults are the documented behavior.

    Raises:
        AttributeError: There is no such option.
        ValueError: The value is not one of the option's choices.
    """

    latency: float = 0.0
    """Delay of every Wootric reply in seconds."""
    per_page_cap: int = 50
    """Largest page size; a larger `per_page` is silently reduced."""
    max_page: int = 30
    """Last page that holds records; every later page is empty."""
    rate_limit: tuple[int, float] | None = None
    """Requests per window of seconds, then 429. None: no limit."""
    rate_limit_headers: bool = True
    """False: replies do not contain the three `X-Rate-Limit-*` headers."""
    token_lifetime: float = 7200
    """Lifetime of a token in seconds."""
    several_accounts: bool = False
    """True: the password grant requires `account_token`."""
    updated_filter: bool = True
    """False: `updated[...]` is silently ignored on responses and declines."""
    sort_key: bool = True
    """False: `sort_key` is silently ignored; end users are sorted by email."""
    filter_reading: str = "stored"
    """Time filters compare the `stored` microseconds, or whole `seconds`."""
    time_format: str = "offset"
    """Form of times: `offset`, `naive_utc`, `iso_millis` or `unix`."""
    time_zone: str = "America/Los_Angeles"
    """The account's time zone, for times with an offset and for days."""
    ties: str = "reversed"
    """Order of equal times if descending: `reversed`, `same`; `place`: different on each page."""
    html_text: bool = True
    """True: comments are HTML-escaped in replies, as in `&amp;` and `&#39;`."""
    segments_paged: bool = True
    """False: `/v1/segments` returns everything and ignores `page` and `per_page`."""
    utc_offset_seconds_clock: float = 0.0
    """Seconds by which the server's clock is ahead."""
    date_ahead: float | None = 0.0
    """Seconds by which `Date` is ahead of the server's clock. None: no `Date`."""
    birdie_latency: float = 0.0
    """Delay of every Birdie reply in seconds."""
    birdie_rate_limit: int | None = None
    """Requests within any one second, then 503. None: no limit."""
    birdie_key_first: bool = True
    """True: Birdie checks the key before the body; False: the body first."""
    birdie_reason: str = "message"
    """Form of an error's reason: `message`, `error`, `errors` (texts) or `error_objects`."""
    birdie_strict: bool = True
    """True: Birdie validates bodies with its schemas; False: it stores any JSON object."""

    def __setattr__(self, name: str, value: object) -> None:
        """Set one option."""
        if name in CHOICES and value not in CHOICES[name]:
            message = f"{name} is one of {', '.join(sorted(CHOICES[name]))}, not {value!r}"
            raise ValueError(message)
        if name == "time_zone":
            _check_zone(str(value))
        object.__setattr__(self, name, value)


def _check_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except KeyError:
        message = f"time_zone {name!r} is not a zone such as Europe/Berlin"
        raise ValueError(message) from None
