"""The rate limit of the Wootric API."""

from __future__ import annotations

import time

import pytest

from tests.conftest import SignedIn

HEADERS = ("X-Rate-Limit-Limit", "X-Rate-Limit-Remaining", "X-Rate-Limit-Reset")
PATHS = ("responses", "declines", "end_users", "segments", "survey_templates", "../v2/email_stats")


@pytest.mark.parametrize("skew", [0.0, -7200.0])
def test_every_reply_announces_the_limit(wootric: SignedIn, skew: float) -> None:
    """Limit, remaining requests and reset (doc): whole seconds of the server's clock (infer)."""
    wootric.sandbox.options.rate_limit = (100, 3600)
    wootric.sandbox.options.utc_offset_seconds_clock = skew
    first, second = (wootric.get("responses").headers for _ in range(2))

    assert [first[name] for name in HEADERS[:2]] == ["100", "99"]
    assert second[HEADERS[1]] == "98"
    assert 0 < int(second[HEADERS[2]]) - (time.time() + skew) <= 3600


def test_beyond_the_limit_is_429_until_the_reset(wootric: SignedIn) -> None:
    """Without `Retry-After` (doc)."""
    wootric.sandbox.options.rate_limit = (3, 1)
    time.sleep(1.01 - time.time() % 1)
    replies = [wootric.get("segments") for _ in range(5)]
    refused = replies[-1]
    time.sleep(max(0.0, int(refused.headers[HEADERS[2]]) - time.time()) + 0.01)

    assert [reply.status_code for reply in replies] == [200, 200, 200, 429, 429]
    assert refused.headers[HEADERS[1]] == "0"
    assert "Retry-After" not in refused.headers
    assert wootric.get("segments").status_code == 200


def test_all_data_shares_the_limit_but_tokens_do_not_count(wootric: SignedIn) -> None:
    """The limit belongs to the account; only some endpoints are limited (doc)."""
    wootric.sandbox.options.rate_limit = (5, 36_000)
    wootric.sign_in()

    assert [wootric.get(path).status_code for path in PATHS] == [*[200] * 5, 429]


def test_without_a_limit_there_are_no_headers(wootric: SignedIn) -> None:
    """Missing headers mean that there is no limit (doc)."""
    assert not set(HEADERS) & set(wootric.get("responses").headers)


def test_a_429_may_have_no_headers(wootric: SignedIn) -> None:
    """Then the client waits a minute (infer)."""
    wootric.sandbox.options.rate_limit = (1, 36_000)
    wootric.sandbox.options.rate_limit_headers = False
    replies = [wootric.get("segments") for _ in range(2)]

    assert [reply.status_code for reply in replies] == [200, 429]
    assert not any(set(HEADERS) & set(reply.headers) for reply in replies)
