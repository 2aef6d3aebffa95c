"""Lists of the Wootric API: pages, sort orders and filters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.conftest import SignedIn

STREAMS = ("responses", "declines", "end_users")
SECOND = datetime(2031, 5, 1, 12, 0, 0, tzinfo=UTC)
T = int(SECOND.timestamp())

INVALID = [
    *[("page", value) for value in ("0", "-1", "two", "")],
    *[("per_page", value) for value in ("0", "all")],
    *[("created[gt]", value) for value in ("yesterday", "2031-05-01", "1.5", "")],
    ("updated[lte]", "now"),
]


@pytest.mark.parametrize("stream", [*STREAMS, "segments"])
def test_a_list_is_a_bare_array(wootric: SignedIn, stream: str) -> None:
    """No envelope, no total, no link to the next page (doc)."""
    reply = wootric.get(stream)

    assert isinstance(reply.json(), list)
    assert "Link" not in reply.headers


@pytest.mark.parametrize(
    ("asked", "size"), [({}, 25), ({"per_page": 50}, 50), ({"per_page": 500}, 50)]
)
@pytest.mark.parametrize("stream", STREAMS)
def test_a_page_has_25_records_by_default_and_at_most_50(
    wootric: SignedIn, stream: str, asked: dict[str, int], size: int
) -> None:
    """`per_page` (doc)."""
    assert len(wootric.rows(stream, asked)) == size


@pytest.mark.parametrize(("name", "value"), INVALID)
def test_an_invalid_parameter_is_400(wootric: SignedIn, name: str, value: str) -> None:
    """A time filter that is not a UNIX second is 400 (live); pages likewise (infer)."""
    reply = wootric.get("end_users", {name: value})

    assert (reply.status_code, reply.json()) == (400, {"error": f"{name} is invalid"})


def test_pages_do_not_overlap(wootric: SignedIn) -> None:
    """While nothing changes, all pages together are the whole list."""
    found = [
        i for page in range(1, 8) for i in wootric.ids("responses", {"page": page, "per_page": 50})
    ]

    assert sorted(found) == sorted(row["id"] for row in wootric.sandbox.store.responses())


@pytest.mark.parametrize("stream", STREAMS)
def test_page_31_and_later_are_empty(wootric: SignedIn, stream: str) -> None:
    """One filter reaches at most 1,500 records (live, field); move the filter (doc)."""
    wootric.sandbox.store.burst(1600, SECOND, stream=stream)
    query = {"created[gte]": T, "per_page": 50}
    pages = [wootric.ids(stream, query | {"page": page}) for page in range(1, 33)]

    assert len({i for page in pages for i in page}) == 1500
    assert pages[30:] == [[], []]


def test_the_page_limits_are_options(wootric: SignedIn) -> None:
    """A test can use a server with smaller pages or fewer pages."""
    options = wootric.sandbox.options
    options.per_page_cap, options.max_page = 10, 2

    assert [len(wootric.rows("responses", {"per_page": 50, "page": n})) for n in (2, 3)] == [10, 0]


SORTED: list[tuple[str, dict[str, str], str, bool]] = [
    *[(stream, {}, "created_at", True) for stream in STREAMS[:2]],
    *[
        (stream, {"sort_key": "created_at", "sort_order": "asc"}, "created_at", False)
        for stream in STREAMS
    ],
    ("end_users", {}, "email", False),
    ("end_users", {"sort_order": "desc"}, "email", True),
    ("end_users", {"sort_key": "updated_at"}, "updated_at", False),
    ("end_users", {"sort_key": "updated_at", "sort_order": "desc"}, "updated_at", True),
]


@pytest.mark.parametrize(("stream", "query", "key", "descending"), SORTED)
def test_lists_are_sorted(
    wootric: SignedIn, stream: str, query: dict[str, str], key: str, descending: bool
) -> None:
    """Newest first, end users by email (doc); `sort_key` of responses (live)."""
    rows = wootric.sandbox.store.records(stream)
    rows = sorted(rows, key=lambda row: row[key] or "", reverse=descending)
    shown = wootric.ids(stream, query)
    values = {row["id"]: row[key] or "" for row in rows}

    assert [values[i] for i in shown] == [row[key] or "" for row in rows[:25]]


def test_the_sort_key_may_be_ignored(wootric: SignedIn) -> None:
    """The option `sort_key` (ours)."""
    wootric.sandbox.options.sort_key = False
    query = {"sort_key": "updated_at"}

    assert wootric.ids("end_users", query) == wootric.ids("end_users")


@pytest.mark.parametrize(
    "query", [{"unknown": 1}, {"created": 5}, {"created[near]": 5}, {"sort_order": "sideways"}]
)
def test_an_unknown_parameter_is_ignored(wootric: SignedIn, query: dict[str, Any]) -> None:
    """As in most Rails applications (infer)."""
    assert wootric.ids("responses", query) == wootric.ids("responses")


READINGS = {
    "stored": {"gt": "UV", "gte": "TUV", "lt": "S", "lte": "ST", "eq": "T"},
    "seconds": {"gt": "V", "gte": "TUV", "lt": "S", "lte": "STU", "eq": "TU"},
}


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("name", ["created", "updated"])
def test_filters_compare_microseconds_or_seconds(
    wootric: SignedIn, reading: str, stream: str, name: str
) -> None:
    """Only `gte` and `lt` mean the same under both readings (infer).

    S is a millisecond before second T, U is within it, V is the next second.
    """
    wootric.sandbox.options.filter_reading = reading
    letters = {}
    for letter, seconds in {"S": -0.001, "T": 0.0, "U": 0.4, "V": 1.0}.items():
        moment = SECOND + timedelta(seconds=seconds)
        row = wootric.sandbox.store.add(stream, moment, updated_at=moment)
        letters[row["id"]] = letter
    found = {
        operator: wootric.ids(stream, {f"{name}[{operator}]": T, "per_page": 50})
        for operator in READINGS[reading]
    }

    assert {
        operator: "".join(sorted(letters[i] for i in ids if i in letters))
        for operator, ids in found.items()
    } == READINGS[reading]


@pytest.mark.parametrize("stream", STREAMS)
def test_filters_combine(wootric: SignedIn, stream: str) -> None:
    """Lower and upper bound; `created` and `updated` (doc)."""
    store, hour, day = wootric.sandbox.store, timedelta(hours=1), timedelta(days=1)
    inside = store.add(stream, SECOND, updated_at=SECOND + hour)
    store.add(stream, SECOND, updated_at=SECOND + 3 * hour)
    store.add(stream, SECOND + day, updated_at=SECOND + hour)
    query = {"created[gte]": T, "created[lt]": T + 60, "updated[lte]": T + 7200}

    assert wootric.ids(stream, query) == [inside["id"]]


@pytest.mark.parametrize(
    ("stream", "size"), [("responses", 25), ("declines", 25), ("end_users", 0)]
)
def test_the_updated_filter_may_be_ignored(wootric: SignedIn, stream: str, size: int) -> None:
    """On responses and declines (field); end users honor it (doc)."""
    wootric.sandbox.options.updated_filter = False

    assert len(wootric.rows(stream, {"updated[gte]": T})) == size


@pytest.mark.parametrize("excluded", [True, False])
def test_responses_can_be_filtered_by_exclusion(wootric: SignedIn, excluded: bool) -> None:
    """`excluded_from_calculations` (infer)."""
    query = {"excluded_from_calculations": str(excluded).lower(), "per_page": 5}
    rows = wootric.rows("responses", query)

    assert {row["excluded_from_calculations"] for row in rows} == {excluded}


TIES = {
    "reversed": lambda one, other: one == other[::-1],
    "same": lambda one, other: one == other,
}


@pytest.mark.parametrize("ties", TIES)
def test_equal_times_have_one_order_or_its_reverse(wootric: SignedIn, ties: str) -> None:
    """There is no documented order of ties (infer)."""
    wootric.sandbox.options.ties = ties
    wootric.sandbox.store.burst(30, SECOND)
    query = {"created[gte]": T, "per_page": 50}
    ascending, descending = (
        wootric.ids("responses", query | {"sort_order": order}) for order in ("asc", "desc")
    )

    assert ascending == sorted(ascending)
    assert TIES[ties](descending, ascending)


def test_equal_times_may_have_another_order_on_each_page(wootric: SignedIn) -> None:
    """The same request returns the same page, but pages overlap (infer)."""
    wootric.sandbox.options.ties = "place"
    wootric.sandbox.store.burst(100, SECOND)
    query = {"created[gte]": T, "per_page": 50}
    first, again, second = (wootric.ids("responses", query | {"page": n}) for n in (1, 1, 2))

    assert first == again
    assert len({*first, *second}) < 100


def test_a_deletion_moves_later_records_forward(wootric: SignedIn) -> None:
    """The first record of page 2 moves to page 1 (infer)."""
    first, second = (wootric.ids("responses", {"page": page}) for page in (1, 2))
    wootric.sandbox.store.delete("responses", first[3])

    assert wootric.ids("responses", {"page": 1}) == [*first[:3], *first[4:], second[0]]


@pytest.mark.parametrize(("paged", "sizes"), [(True, (5, 2)), (False, (7, 7))])
def test_segments_may_have_pages(wootric: SignedIn, paged: bool, sizes: tuple[int, int]) -> None:
    """The documentation does not say (ours)."""
    wootric.sandbox.options.segments_paged = paged
    pages = [wootric.rows("segments", {"per_page": 5, "page": page}) for page in (1, 2)]

    assert tuple(map(len, pages)) == sizes


@pytest.mark.parametrize("path", ["surveys", "responses/1001", "", "../v2/responses"])
def test_an_unknown_path_is_404(wootric: SignedIn, path: str) -> None:
    """With an error list (sdk)."""
    reply = wootric.get(path)
    (error,) = reply.json()["errors"]

    assert (reply.status_code, reply.json()["type"]) == (404, "error_list")
    assert (error["status"], error["field"]) == ("record_not_found", None)
