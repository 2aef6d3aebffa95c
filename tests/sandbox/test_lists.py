"""Lists of the Wootric API: pages, sort orders and filters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.conftest import SignedIn

STREAMS = ("responses", "declines", "end_users")
SECOND = datetime(2031, 5, 1, 12, 0, 0, tzinfo=UTC)
T = int(SECOND.timestamp())
Query = dict[str, Any]


@pytest.mark.parametrize("stream", STREAMS)
def test_a_list_is_a_bare_array_of_25_records_and_at_most_50(wootric: SignedIn, stream: str):
    """`per_page` (doc). No envelope, no total, no link to the next page (doc)."""
    queries: list[Query] = [{}, {"per_page": 50}, {"per_page": 500}]

    assert [len(wootric.rows(stream, query)) for query in queries] == [25, 50, 50]
    assert isinstance(wootric.get(stream).json(), list)
    assert "Link" not in wootric.get(stream).headers


@pytest.mark.parametrize("name", ["page", "per_page", "created[gt]", "updated[lte]"])
def test_an_invalid_parameter_is_400(wootric: SignedIn, name: str):
    """A time filter that is not a UNIX second is 400 (live); pages likewise (infer)."""
    for value in ("", "now", "1.5", "2031-05-01", *(("0", "-1") if "page" in name else ())):
        reply = wootric.get("end_users", {name: value})

        assert (reply.status_code, reply.json()) == (400, {"error": f"{name} is invalid"})


@pytest.mark.parametrize("stream", STREAMS)
def test_page_31_and_later_are_empty(wootric: SignedIn, stream: str):
    """One filter reaches at most 1,500 records (live, field); move the filter (doc)."""
    wootric.sandbox.store.burst(1600, SECOND, stream=stream)
    query = {"created[gte]": T, "per_page": 50}
    pages = [wootric.ids(stream, query | {"page": page}) for page in range(1, 33)]

    assert len({i for page in pages for i in page}) == 1500
    assert pages[30:] == [[], []]


CREATED, UPDATED = {"sort_key": "created_at"}, {"sort_key": "updated_at"}
ASC, DESC = {"sort_order": "asc"}, {"sort_order": "desc"}
SORTED: list[tuple[str, Query, str, bool]] = [
    *[(stream, {}, "created_at", True) for stream in STREAMS[:2]],
    *[(stream, CREATED | ASC, "created_at", False) for stream in STREAMS],
    ("end_users", DESC, "email", True),
    ("end_users", UPDATED | DESC, "updated_at", True),
]


@pytest.mark.parametrize(("stream", "query", "key", "descending"), SORTED)
def test_lists_are_sorted(wootric: SignedIn, stream: str, query: Query, key: str, descending: bool):
    """Newest first, end users by email (doc); `sort_key` of responses (live)."""
    values = {row["id"]: row[key] or "" for row in wootric.sandbox.store.records(stream)}
    shown = [values[i] for i in wootric.ids(stream, query)]

    assert shown == sorted(values.values(), reverse=descending)[:25]


def test_an_end_user_with_a_new_email_moves_in_the_list(wootric: SignedIn):
    """The default sort key is `email` (doc)."""
    person = wootric.ids("end_users")[0]
    wootric.sandbox.store.update_end_user(person, email="zzz@example.com")

    assert wootric.ids("end_users", DESC)[0] == person
    assert person not in wootric.ids("end_users")


@pytest.mark.parametrize("name", ["unknown", "created", "created[near]", "sort_order", "sort_key"])
def test_an_unknown_parameter_is_ignored(wootric: SignedIn, name: str):
    """As in most Rails applications (infer); `sort_key` with an option (ours)."""
    wootric.sandbox.options.sort_key = False

    assert wootric.ids("responses", {name: 5}) == wootric.ids("responses")
    assert wootric.ids("end_users", UPDATED) == wootric.ids("end_users")


READINGS = {
    "stored": {"gt": "UV", "gte": "TUV", "lt": "S", "lte": "ST", "eq": "T"},
    "seconds": {"gt": "V", "gte": "TUV", "lt": "S", "lte": "STU", "eq": "TU"},
}


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("name", ["created", "updated"])
def test_filters_compare_microseconds_or_seconds(
    wootric: SignedIn, reading: str, stream: str, name: str
):
    """Only `gte` and `lt` mean the same under both readings (infer).

    S is a millisecond before second T, U is within it, V is the next second.
    """
    wootric.sandbox.options.filter_reading = reading
    letters, found = {}, {}
    for letter, seconds in {"S": -0.001, "T": 0.0, "U": 0.4, "V": 1.0}.items():
        moment = SECOND + timedelta(seconds=seconds)
        letters[wootric.sandbox.store.add(stream, moment, updated_at=moment)["id"]] = letter
    for operator in READINGS[reading]:
        ids = wootric.ids(stream, {f"{name}[{operator}]": T, "per_page": 50})
        found[operator] = "".join(sorted(letters[i] for i in ids if i in letters))

    assert found == READINGS[reading]


@pytest.mark.parametrize("stream", STREAMS)
def test_filters_combine(wootric: SignedIn, stream: str):
    """Lower and upper bound; `created` and `updated` (doc)."""
    store, hour = wootric.sandbox.store, timedelta(hours=1)
    inside = store.add(stream, SECOND, updated_at=SECOND + hour)
    store.add(stream, SECOND, updated_at=SECOND + 3 * hour)
    store.add(stream, SECOND + 24 * hour, updated_at=SECOND + hour)
    query = {"created[gte]": T, "created[lt]": T + 60, "updated[lte]": T + 7200}

    assert wootric.ids(stream, query) == [inside["id"]]


def test_responses_can_be_filtered_by_exclusion(wootric: SignedIn):
    """`excluded_from_calculations` (infer)."""
    (row,) = wootric.rows("responses", {"excluded_from_calculations": "true", "per_page": 1})
    included = wootric.ids("responses", {"excluded_from_calculations": "false", "per_page": 50})

    assert row["excluded_from_calculations"]
    assert row["id"] not in included


def test_the_updated_filter_may_be_ignored(wootric: SignedIn):
    """On responses and declines (field); end users honor it (doc)."""
    wootric.sandbox.options.updated_filter = False

    assert [len(wootric.rows(s, {"updated[gte]": T})) for s in STREAMS] == [25, 25, 0]


def test_equal_times_have_one_order_or_its_reverse_or_any(wootric: SignedIn):
    """There is no documented order of ties: descending, or on each page (infer)."""
    options = wootric.sandbox.options
    added = [row["id"] for row in wootric.sandbox.store.burst(40, SECOND)]
    query = {"created[gte]": T, "per_page": 20}
    pages = {}
    for ties in ("reversed", "same", "place"):
        options.ties = ties
        pages[ties] = [
            *wootric.ids("responses", query),
            *wootric.ids("responses", query | {"page": 2}),
        ]

    assert (pages["reversed"], pages["same"]) == (added[::-1], added)
    assert len(set(pages["place"])) < 40
    assert wootric.ids("responses", query) == pages["place"][:20]


def test_a_deletion_moves_later_records_forward(wootric: SignedIn):
    """The first record of page 2 moves to page 1 (infer)."""
    first, second = (wootric.ids("responses", {"page": page}) for page in (1, 2))
    wootric.sandbox.store.delete("responses", first[3])

    assert wootric.ids("responses", {"page": 1}) == [*first[:3], *first[4:], second[0]]


def test_segments_may_have_pages(wootric: SignedIn):
    """The documentation does not say (ours)."""
    for wootric.sandbox.options.segments_paged, sizes in ((True, [5, 2]), (False, [7, 7])):
        pages = [wootric.rows("segments", {"per_page": 5, "page": page}) for page in (1, 2)]
        assert [len(page) for page in pages] == sizes


@pytest.mark.parametrize("path", ["surveys", "responses/1001", "", "../v2/responses"])
def test_an_unknown_path_is_404(wootric: SignedIn, path: str):
    """With an error list (sdk)."""
    reply = wootric.get(path)
    (error,) = reply.json()["errors"]

    assert (reply.status_code, reply.json()["type"]) == (404, "error_list")
    assert (error["status"], error["field"]) == ("record_not_found", None)
