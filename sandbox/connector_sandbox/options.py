"""What can be changed about the sandbox while it runs."""

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
    """Switches of both APIs; the defaults are the documented behaviour.

    Raises:
        AttributeError: no option has the name that is set.
        ValueError: an option that has choices is set to none of them.
    """

    latency: float = 0.0
    """Seconds that every Wootric reply takes."""
    per_page_cap: int = 50
    """Most records of a page; a larger `per_page` is cut down to it without a word."""
    max_page: int = 30
    """Last page that holds records; every later page is empty."""
    rate_limit: tuple[int, float] | None = None
    """Requests in a window of seconds, announced in headers; beyond it 429. None: no limit."""
    rate_limit_headers: bool = True
    """False hides the three `X-Rate-Limit-*` headers while the limit still holds."""
    token_lifetime: float = 7200
    """Seconds for which a token is valid."""
    several_accounts: bool = False
    """True: the password grant works with `account_token` only."""
    updated_filter: bool = True
    """False: `updated[...]` is silently ignored on responses and declines."""
    sort_key: bool = True
    """False: `sort_key` is silently ignored; end users are sorted by email."""
    filter_reading: str = "stored"
    """`stored` compares microseconds with the second asked for, `seconds` whole seconds."""
    time_format: str = "offset"
    """How times are shown: `offset`, `naive_utc`, `iso_millis` or `unix`."""
    time_zone: str = "America/Los_Angeles"
    """The account's time zone: for times with an offset and for the summary's days."""
    ties: str = "reversed"
    """Order of equal times: descending `reversed` or `same`; `place`: another one on each page."""
    html_text: bool = True
    """True: comments are HTML-escaped in replies, as in `&amp;` and `&#39;`."""
    segments_paged: bool = True
    """False: `/v1/segments` gives everything at once and ignores `page` and `per_page`."""
    utc_offset_seconds_clock: float = 0.0
    """Seconds by which the server's clock is ahead of the true time."""
    date_ahead: float | None = 0.0
    """Seconds by which `Date` is ahead of the server's clock. None: replies carry none."""
    birdie_latency: float = 0.0
    """Seconds that every Birdie reply takes."""
    birdie_rate_limit: int | None = None
    """Requests that Birdie accepts within any one second; beyond it 503. None: no limit."""
    birdie_key_first: bool = True
    """True: a wrong key is refused before the body is read; False: the body is checked first."""
    birdie_reason: str = "message"
    """Form of an error's reason: `message`, `error`, `errors` (texts) or `error_objects`."""
    birdie_strict: bool = True
    """True: bodies are checked against the published schemas; False: any JSON object is stored."""

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
