"""Lists of the Wootric API: pages, orders and filters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.conftest import SignedIn

STREAMS = ("responses", "declines", "end_users")
WALKED = ("responses", "declines")
SECOND = datetime(2031, 5, 1, 12, 0, 0, tzinfo=UTC)
T = int(SECOND.timestamp())


@pytest.mark.parametrize("stream", [*STREAMS, "segments"])
def test_a_list_is_a_bare_array(wootric: SignedIn, stream: str) -> None:
    """No envelope, no total, no next link (doc)."""
    reply = wootric.get(stream)

    assert isinstance(reply.json(), list)
    assert "Link" not in reply.headers


@pytest.mark.parametrize("stream", STREAMS)
def test_a_page_has_25_records_unless_asked(wootric: SignedIn, stream: str) -> None:
    """per_page: default 25 (doc)."""
    assert len(wootric.rows(stream)) == 25


@pytest.mark.parametrize("asked", [50, 51, 500])
def test_a_page_has_at_most_50_records(wootric: SignedIn, asked: int) -> None:
    """per_page: at most 50 (doc); doc26's 500 does not count."""
    assert len(wootric.rows("responses", {"per_page": asked})) == 50


INVALID = [
    *[("page", value) for value in ("0", "-1", "two", "")],
    *[("per_page", value) for value in ("0", "-5", "all", "")],
    *[("created[gt]", value) for value in ("yesterday", "2031-05-01", "1.5", "")],
    ("updated[lte]", "now"),
]


@pytest.mark.parametrize(("name", "value"), INVALID)
@pytest.mark.parametrize("stream", STREAMS)
def test_an_invalid_parameter_is_400(wootric: SignedIn, stream: str, name: str, value: str) -> None:
    """A time filter takes UNIX seconds, anything else is 400 (doc, live26)."""
    reply = wootric.get(stream, {name: value})

    assert (reply.status_code, reply.json()) == (400, {"error": f"{name} is invalid"})


@pytest.mark.parametrize("stream", STREAMS)
def test_pages_follow_each_other_without_overlap(wootric: SignedIn, stream: str) -> None:
    """While nothing changes, all pages together are the whole stream."""
    seen: list[int] = []
    for page in range(1, 8):
        seen += wootric.ids(stream, {"page": page, "per_page": 50})
    truth = [row["id"] for row in wootric.sandbox.store.records(stream)]

    assert sorted(seen) == sorted(truth)


def test_page_limits_are_options(wootric: SignedIn) -> None:
    """A server that gives fewer records or pages than documented can be had."""
    wootric.sandbox.options.per_page_cap, wootric.sandbox.options.max_page = 10, 2

    assert len(wootric.rows("responses", {"per_page": 50, "page": 2})) == 10
    assert wootric.rows("responses", {"page": 3}) == []


def test_one_filter_reaches_at_most_1500_records(wootric: SignedIn) -> None:
    """Page 31 and later are empty (live26); move the created filter to continue (doc)."""
    wootric.sandbox.store.burst(1600, SECOND)
    query = {"created[gte]": T, "per_page": 50}
    reached = {i for page in range(1, 31) for i in wootric.ids("responses", query | {"page": page})}

    assert len(reached) == 1500
    assert all(wootric.rows("responses", query | {"page": page}) == [] for page in (31, 40))


@pytest.mark.parametrize("stream", WALKED)
def test_responses_and_declines_come_newest_first(wootric: SignedIn, stream: str) -> None:
    """sort_order: default desc (doc)."""
    truth = sorted(wootric.sandbox.store.records(stream), key=lambda row: row["created_at"])

    assert wootric.ids(stream) == [row["id"] for row in truth[:-26:-1]]


@pytest.mark.parametrize("stream", WALKED)
def test_ascending_order_turns_a_list_round(wootric: SignedIn, stream: str) -> None:
    """sort_order: asc (doc); sort_key created_at is accepted (field)."""
    truth = sorted(wootric.sandbox.store.records(stream), key=lambda row: row["created_at"])
    query = {"sort_order": "asc", "sort_key": "created_at"}

    assert wootric.ids(stream, query) == [row["id"] for row in truth[:25]]


def test_end_users_come_by_email_ascending(wootric: SignedIn) -> None:
    """sort_key: email is the default, sort_order: asc (doc)."""
    mails = [row["email"] or "" for row in wootric.rows("end_users", {"per_page": 50})]

    assert mails == sorted(row["email"] or "" for row in wootric.sandbox.store.end_users())[:50]


@pytest.mark.parametrize("key", ["created_at", "updated_at"])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_end_users_can_be_sorted_by_time(wootric: SignedIn, key: str, order: str) -> None:
    """sort_key: created_at, updated_at (doc)."""
    rows = wootric.sandbox.store.end_users()
    rows.sort(key=lambda row: row[key], reverse=order == "desc")
    query = {"sort_key": key, "sort_order": order}

    assert wootric.ids("end_users", query) == [row["id"] for row in rows[:25]]


@pytest.mark.parametrize(
    "query", [{"frobnicate": 1}, {"created": 5}, {"created[near]": 5}, {"sort_order": "sideways"}]
)
def test_an_unknown_parameter_is_ignored(wootric: SignedIn, query: dict[str, Any]) -> None:
    """As by any Rails application (infer)."""
    assert wootric.ids("responses", query) == wootric.ids("responses")


READINGS = {
    "stored": {"gt": "UV", "gte": "TUV", "lt": "S", "lte": "ST", "eq": "T"},
    "seconds": {"gt": "V", "gte": "TUV", "lt": "S", "lte": "STU", "eq": "TU"},
}


@pytest.mark.parametrize("operator", READINGS["stored"])
@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("name", ["created", "updated"])
def test_filters_compare_what_the_reading_says(
    wootric: SignedIn, reading: str, operator: str, stream: str, name: str
) -> None:
    """A filter compares the stored value or whole seconds; only gte and lt agree (infer).

    S lies a millisecond before second T, T on it, U within it, V on the next second.
    """
    wootric.sandbox.options.filter_reading = reading
    moments = {"S": -0.001, "T": 0.0, "U": 0.4, "V": 1.0}
    letters = {}
    for letter, seconds in moments.items():
        moment = SECOND + timedelta(seconds=seconds)
        row = wootric.sandbox.store.add(stream, moment, updated_at=moment)
        letters[row["id"]] = letter
    found = wootric.ids(stream, {f"{name}[{operator}]": T, "per_page": 50})

    expected = READINGS[reading][operator]
    assert "".join(sorted(letters[i] for i in found if i in letters)) == expected


@pytest.mark.parametrize("stream", STREAMS)
def test_filters_narrow_each_other(wootric: SignedIn, stream: str) -> None:
    """A range has a lower and an upper bound; created and updated go together (doc)."""
    store = wootric.sandbox.store
    inside = store.add(stream, SECOND, updated_at=SECOND + timedelta(hours=1))
    store.add(stream, SECOND, updated_at=SECOND + timedelta(hours=3))
    store.add(stream, SECOND + timedelta(days=1), updated_at=SECOND + timedelta(hours=1))
    query = {
        "created[gte]": T,
        "created[lt]": T + 60,
        "updated[gte]": T,
        "updated[lt]": T + 7200,
    }

    assert wootric.ids(stream, query) == [inside["id"]]


@pytest.mark.parametrize("stream", STREAMS)
def test_the_updated_filter_may_be_silently_ignored(wootric: SignedIn, stream: str) -> None:
    """Undocumented on responses and declines, listed in doc26; end users honour it (doc, doc26)."""
    wootric.sandbox.options.updated_filter = False
    found = wootric.rows(stream, {"updated[gte]": T})

    assert len(found) == (0 if stream == "end_users" else 25)


@pytest.mark.parametrize("excluded", [True, False])
def test_responses_can_be_filtered_by_their_exclusion(wootric: SignedIn, excluded: bool) -> None:
    """excluded_from_calculations is a filter (doc26)."""
    rows = wootric.rows(
        "responses",
        {"excluded_from_calculations": str(excluded).lower(), "per_page": 50},
    )

    assert {row["excluded_from_calculations"] for row in rows} == {excluded}


@pytest.mark.parametrize("stream", WALKED)
def test_equal_times_are_ordered_by_insertion_and_reversed(wootric: SignedIn, stream: str) -> None:
    """Equal created_at have no documented order (field, infer): here desc is asc turned round."""
    added = [row["id"] for row in wootric.sandbox.store.burst(40, SECOND, stream=stream)]
    query = {"created[gte]": T, "per_page": 50}

    assert wootric.ids(stream, query | {"sort_order": "asc"}) == added
    assert wootric.ids(stream, query | {"sort_order": "desc"}) == added[::-1]


def test_equal_times_may_keep_their_order_in_both_directions(wootric: SignedIn) -> None:
    """No order is documented for them (infer): with `ties` same, desc reaches no other half."""
    store = wootric.sandbox.store
    wootric.sandbox.options.ties = "same"
    early = [row["id"] for row in store.burst(30, SECOND)]
    late = [row["id"] for row in store.burst(30, SECOND + timedelta(seconds=1))]
    query = {"created[gte]": T, "per_page": 20, "sort_order": "desc"}
    pages = [wootric.ids("responses", query | {"page": page}) for page in (1, 2, 3)]

    assert [i for page in pages for i in page] == late + early


def test_equal_times_may_have_another_order_on_each_page(wootric: SignedIn) -> None:
    """No order is documented for them (infer): with `ties` place, pages repeat and leave out."""
    added = [row["id"] for row in wootric.sandbox.store.burst(60, SECOND)]
    wootric.sandbox.options.ties = "place"
    query = {"created[gte]": T, "per_page": 20, "sort_order": "asc"}
    pages = [wootric.ids("responses", query | {"page": page}) for page in (1, 2, 3)]

    assert [len(set(page)) for page in pages] == [20, 20, 20]
    assert {i for page in pages for i in page} < set(added)
    assert pages[1] == wootric.ids("responses", query | {"page": 2})


def test_a_deletion_moves_every_later_record_forward(wootric: SignedIn) -> None:
    """A deletion on a page already read hides one record from the pages to come (infer)."""
    query = {"sort_order": "asc", "per_page": 50}
    first, second = (wootric.ids("responses", query | {"page": page}) for page in (1, 2))
    wootric.sandbox.store.delete("responses", first[0])
    after = wootric.ids("responses", query | {"page": 2})

    assert after[:49] == second[1:]
    assert second[0] not in after


def test_segments_are_paged_or_come_at_once(wootric: SignedIn) -> None:
    """A bare array (doc); whether it has pages is not documented, so both can be had."""
    store = wootric.sandbox.store
    for i in range(30):
        store.add_segment(f"property {i}", "string")
    paged = [wootric.rows("segments", {"page": page}) for page in (1, 2)]
    wootric.sandbox.options.segments_paged = False

    names = [row["name"] for rows in paged for row in rows]
    assert names == [row["name"] for row in store.segments()]
    assert len(wootric.rows("segments", {"page": 2})) == len(store.segments())


@pytest.mark.parametrize("path", ["surveys", "responses/1", ""])
def test_an_unknown_path_is_404(wootric: SignedIn, path: str) -> None:
    """404 (doc)."""
    assert wootric.get(path).status_code == 404
