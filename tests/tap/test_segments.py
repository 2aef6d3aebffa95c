"""Segments: the account's definitions of its custom properties, all of them, each once."""

from __future__ import annotations

from typing import Any

import pytest

from .helpers import Account, rfc3339


def define(account: Account, number: int) -> None:
    """Add so many properties of every type."""
    for i in range(number):
        account.sandbox.store.add_segment(f"Eigenschaft {i}", ("string", "date", "integer")[i % 3])


def expected(account: Account) -> list[dict[str, Any]]:
    """What the account holds, as the stream delivers it."""
    return [
        {**row, "created_at": rfc3339(row["created_at"]), "additional_fields": None}
        for row in account.sandbox.store.segments()
    ]


@pytest.mark.parametrize("number", [0, 1, 9, 10, 24, 25, 49, 50, 51, 130])
@pytest.mark.parametrize("is_paged", [True, False])
def test_all_definitions_are_delivered_once(empty: Account, number: int, is_paged: bool) -> None:
    """Whether or not the list has pages, which is not documented."""
    empty.sandbox.options.segments_paged = is_paged
    define(empty, number)

    output = empty.sync("segments")

    assert output.code == 0
    assert output.records("segments") == expected(empty)
    assert len(empty.lists("segments")) <= 2 + number // 50


@pytest.mark.parametrize(("page_size", "cap"), [(25, 50), (50, 4), (50, 25)])
def test_shorter_pages_are_no_end(empty: Account, page_size: int, cap: int) -> None:
    """Neither those that were asked for nor those of a server that gives fewer."""
    define(empty, 60)
    empty.sandbox.options.per_page_cap = cap

    assert empty.sync("segments", page_size=page_size).records("segments") == expected(empty)


def test_no_page_beyond_the_last_is_asked_for(empty: Account) -> None:
    """Page 31 is an error; what lies behind it is missed aloud."""
    define(empty, 400)
    empty.sandbox.options.per_page_cap = 10

    output = empty.sync("segments")

    assert output.code == 1
    assert "'segments' has more pages" in output.error
    assert max(int(request.query["page"]) for request in empty.lists("segments")) == 30


def test_every_sync_delivers_them_again(account: Account) -> None:
    """They are few, and have no time of change."""
    first = account.sync("segments")
    second = account.sync("segments", state=first.state)

    assert second.records("segments") == first.records("segments") != []
