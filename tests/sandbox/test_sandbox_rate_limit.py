"""The rate limit of the Wootric API."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import SignedIn

HEADERS = ("X-Rate-Limit-Limit", "X-Rate-Limit-Remaining", "X-Rate-Limit-Reset")


def wait_for_a_new_window(seconds: int) -> None:
    """Sleep until the clock is a multiple of the window's length."""
    time.sleep(seconds - time.time() % seconds + 0.01)


def test_every_reply_announces_limit_rest_and_reset(wootric: SignedIn) -> None:
    """Three headers; the reset is a UNIX time in whole seconds (doc, infer)."""
    wootric.sandbox.options.rate_limit = (100, 60)
    first, second = (wootric.get("responses").headers for _ in range(2))

    assert [first[name] for name in HEADERS[:2]] == ["100", "99"]
    assert second["X-Rate-Limit-Remaining"] == "98"
    assert 0 < int(second["X-Rate-Limit-Reset"]) - time.time() <= 60


def test_beyond_the_limit_is_429_until_the_reset(wootric: SignedIn) -> None:
    """429 until the window has passed; no Retry-After (doc)."""
    wootric.sandbox.options.rate_limit = (3, 1)
    wait_for_a_new_window(1)
    replies = [wootric.get("segments") for _ in range(5)]
    refused = replies[-1]
    time.sleep(max(0.0, int(refused.headers["X-Rate-Limit-Reset"]) - time.time()) + 0.01)

    assert [reply.status_code for reply in replies] == [200, 200, 200, 429, 429]
    assert refused.headers["X-Rate-Limit-Remaining"] == "0"
    assert "Retry-After" not in refused.headers
    assert wootric.get("segments").status_code == 200


def test_all_data_of_an_account_shares_the_limit(wootric: SignedIn) -> None:
    """N requests a minute per account (doc)."""
    wootric.sandbox.options.rate_limit = (3, 3600)
    streams = ("responses", "declines", "end_users", "segments")

    assert [wootric.get(stream).status_code for stream in streams] == [200, 200, 200, 429]


def test_tokens_do_not_count(wootric: SignedIn) -> None:
    """Only some endpoints are limited (doc)."""
    wootric.sandbox.options.rate_limit = (1, 3600)
    wootric.sign_in()
    wootric.sign_in()

    assert wootric.get("segments").headers["X-Rate-Limit-Remaining"] == "0"


def test_without_a_limit_there_are_no_headers(wootric: SignedIn) -> None:
    """Where the headers are missing, there is no limit (doc)."""
    assert not set(HEADERS) & set(wootric.get("responses").headers)


def test_a_429_may_carry_no_header(wootric: SignedIn) -> None:
    """A 429 that carries no header (infer)."""
    wootric.sandbox.options.rate_limit = (1, 3600)
    wootric.sandbox.options.rate_limit_headers = False
    replies = [wootric.get("segments") for _ in range(2)]

    assert [reply.status_code for reply in replies] == [200, 429]
    assert not any(set(HEADERS) & set(reply.headers) for reply in replies)


@pytest.mark.parametrize("skew", [0.0, -7200.0])
def test_the_reset_follows_the_server_clock(wootric: SignedIn, skew: float) -> None:
    """The reset is a time of the server, whose clock may differ."""
    wootric.sandbox.options.rate_limit = (100, 60)
    wootric.sandbox.options.utc_offset_seconds_clock = skew
    reset = int(wootric.get("segments").headers["X-Rate-Limit-Reset"])

    assert 0 < reset - (time.time() + skew) <= 60
