"""The paginator delivers every record or reports its second, at a known number of requests."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tap_wootric.pagination.pages import IncompleteSecond, PageOrderError, PageRequest
from tap_wootric.pagination.paginator import paginate
from tests.tap.pagination.api_model import (
    Churn,
    ModelApi,
    Order,
    Record,
    Shape,
    crowd,
    history,
    records_at,
    shapes,
)

CHURN = [("insert",), ("delete",), ("move",), ("insert", "delete"), ("insert", "delete", "move")]


def read(
    api: ModelApi, size: int = 50, until: int | None = None
) -> tuple[list[Record], list[IncompleteSecond]]:
    reports: list[IncompleteSecond] = []
    found = list(paginate(api.fetch, None, until, page_size=size, report=reports.append))
    assert len(api.requests) < 20 * len(found) / 25 + 1_000
    assert [r.timestamp for r in found] == sorted(r.timestamp for r in found)
    assert len({(r.timestamp, r.identity) for r in found}) == len(found)
    return found, reports


@example([(1, 100, False), (1, 1, False)], 34, 50, "reversed", 0.5, ("insert",), None, 3024)
@given(
    shapes(16, (740, 1500, 2900)),
    st.integers(25, 50),
    st.integers(25, 50),
    st.sampled_from(["reversed", "reversed", "same"]),
    st.sampled_from([0, 0.1, 0.5]),
    st.sampled_from(CHURN),
    st.none() | st.integers(1000, 1050),
    st.integers(0, 10**6),
)
def test_each_record_is_delivered_or_its_second_reported_whatever_changes(
    shape: Shape,
    size: int,
    limit: int,
    order: Order,
    rate: float,
    kinds: tuple[str, ...],
    until: int | None,
    seed: int,
) -> None:
    api = ModelApi(history(shape), limit, order)
    api.change = churn = Churn(api, random.Random(seed), rate, kinds)

    found, reports = read(api, size, until)

    assert churn.lost(found, {report.timestamp for report in reports}, until) == set()


@example([(1, 51, False), (1, 20, False)], 49, 50, "random")
@example([(1, 20, False), (1, 20, False)], 33, 50, "by page")
@given(shapes(10), st.integers(25, 50), st.integers(25, 50), st.sampled_from(["random", "by page"]))
def test_each_record_is_delivered_or_its_second_reported_in_any_order(
    shape: Shape, size: int, limit: int, order: Order
) -> None:
    api = ModelApi(history(shape), limit, order)

    found, reports = read(api, size)

    missing = {record.timestamp for record in set(api.records) - set(found)}
    assert missing <= {report.timestamp for report in reports}


@pytest.mark.parametrize("order", ["random", "by page"])
def test_seconds_that_fit_on_a_page_need_no_stable_order(order: Order) -> None:
    api = ModelApi(records_at([1000 + i // 9 for i in range(1500)]), order=order)

    found, reports = read(api)

    assert (sorted(found), reports) == (api.records, [])
    assert len(api.requests) <= 100


def quiet_with(n: int) -> list[int]:
    return [60 * i for i in range(5000)] + n * [150_000]


def random_seconds(most: int) -> list[int]:
    rng = random.Random(most)
    return [second for second in range(20_000) for _ in range(rng.randint(1, most))][:12_000]


@pytest.mark.parametrize(
    ("seconds", "percent"),
    [
        pytest.param([60 * i for i in range(20_000)], 2.5, id="one record a minute"),
        pytest.param(random_seconds(3), 5, id="up to 3 a second"),
        pytest.param([i // 3 for i in range(12_000)], 5, id="3 a second"),
        pytest.param(quiet_with(500), 12, id="500 in one second"),
        pytest.param(quiet_with(2000), 12, id="2,000 in one second"),
        pytest.param(quiet_with(2990), 12, id="2,990 in one second"),
        pytest.param([i // 40 for i in range(12_000)], 25, id="40 a second"),
        pytest.param(random_seconds(100), 25, id="up to 100 a second"),
        pytest.param(random_seconds(1000), 25, id="up to 1,000 a second"),
        pytest.param([i // 1_500 for i in range(12_000)], 25, id="1,500 a second"),
    ],
)
def test_requests_exceed_one_per_50_records_by_a_known_share(
    seconds: list[int], percent: float
) -> None:
    api = ModelApi(records_at(seconds))

    found, reports = read(api)

    assert (found, reports) == (api.records, []) or sorted(found) == api.records
    assert len(api.requests) <= len(seconds) / 50 * (1 + percent / 100)


@pytest.mark.parametrize(("n", "requests"), [(0, 1), (24, 1), (25, 2), (49, 2), (50, 2), (98, 2)])
def test_a_short_list_needs_no_needless_request(n: int, requests: int) -> None:
    api = ModelApi(records_at([60 * i for i in range(n)]))

    found, _ = read(api)

    assert (found, len(api.requests)) == (api.records, requests)


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_changes_inside_a_crowded_second_cause_few_requests_and_no_report(rate: float) -> None:
    api = ModelApi([*records_at([990] * 30), *crowd(2000, 1000, first=100)])
    api.change = churn = Churn(api, random.Random(1), rate, ("insert", "delete"))

    found, reports = read(api)

    assert (churn.lost(found, set(), None), reports) == (set(), [])
    assert len(api.requests) <= 65


def test_a_mass_deletion_inside_a_crowded_second_causes_no_report() -> None:
    api = ModelApi(crowd(1200, 1000))
    remaining = set(api.records[400:])

    def delete_once(page: PageRequest) -> None:
        if len(api.requests) == 15:
            del api.records[:400]

    api.change = delete_once
    found, reports = read(api)

    assert (remaining - set(found), reports) == (set(), [])
    assert len(api.requests) <= 50


@pytest.mark.parametrize(
    ("n", "order", "reason"),
    [
        (3100, "reversed", "too many records"),
        (1600, "same", "unstable order"),
        (60, "random", "unstable order"),
    ],
)
def test_a_second_that_cannot_be_read_is_reported_and_the_rest_delivered(
    n: int, order: Order, reason: str
) -> None:
    quiet = [Record(990, -1), Record(1001, -2)]
    api = ModelApi([quiet[0], *crowd(n, 1000), quiet[1]], order=order)

    found, reports = read(api)

    shown = sum(record.timestamp == 1000 for record in found)
    assert (set(quiet) - set(found), reports) == (set(), [IncompleteSecond(1000, shown, reason)])


def test_a_second_that_never_stops_changing_is_reported() -> None:
    api = ModelApi(crowd(400, 1000))

    def replace_all(page: PageRequest) -> None:
        api.records = crowd(400, 1000, first=1000 * len(api.requests))

    api.change = replace_all
    _, reports = read(api)

    assert [(report.timestamp, report.reason) for report in reports] == [(1000, "keeps changing")]


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        ([Record(1002, 1), Record(1001, 2)], "not sorted"),
        ([Record(999, 1)], "outside"),
        ([Record(2000, 1)], "outside"),
        ([Record(1000, i) for i in range(51)], "51 records"),
    ],
)
def test_a_reply_that_contradicts_the_request_is_an_error(
    reply: Sequence[Record], message: str
) -> None:
    with pytest.raises(PageOrderError, match=message):
        list(paginate(lambda page: list(reply), 1000, 2000, report=print))
