"""Windows deliver the same records as the paginator, faster and with bounded memory."""

import random
import threading
import time
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_wootric.pagination.pages import IncompleteSecond, PageRequest
from tap_wootric.pagination.windows import MAX_BUFFERED, read_windows
from tests.tap.pagination.api_model import Churn, ModelApi, Record, crowd, records_at

windows = partial(read_windows, since=None, until=None, workers=4, report=print)


def evenly(n: int, records_a_second: float = 1 / 60) -> ModelApi:
    return ModelApi(records_at([int(i / records_a_second) for i in range(n)]))


sizes, spacings = st.sampled_from([1, 60, 400, 1600]), st.sampled_from([0, 1, 200])
bursts = st.lists(st.tuples(st.integers(0, 900_000), sizes, spacings), max_size=9)


def burst_records(shape: list[tuple[int, int, int]]) -> list[Record]:
    begin, seconds = 0, []
    for gap, n, spacing in shape:
        begin += gap
        seconds += [begin + spacing * i for i in range(n)]
        begin += spacing * n + 1
    return records_at(seconds)


@given(bursts, st.integers(2, 6), st.booleans(), st.sampled_from([0, 0.3]), st.integers(0, 10**6))
def test_any_history_is_delivered_once_and_in_order(
    shape: list[tuple[int, int, int]], workers: int, is_newest_known: bool, rate: float, seed: int
) -> None:
    api = ModelApi(burst_records(shape))
    latest = api.records[-1].timestamp if api.records else 0
    api.change = churn = Churn(api, random.Random(seed), rate, ("insert", "delete"))
    reports: list[IncompleteSecond] = []
    newest = latest if is_newest_known else 2 * latest

    found = list(windows(api.fetch, newest=newest, workers=workers, report=reports.append))

    assert churn.lost(found, {report.timestamp for report in reports}, None) == set()
    assert [r.timestamp for r in found] == sorted(r.timestamp for r in found)
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    ("seconds", "percent"),
    [
        pytest.param([60 * i for i in range(20_000)], 8, id="evenly spread"),
        pytest.param([int(60 * i**0.5) for i in range(20_000)], 8, id="growing"),
        pytest.param([i // 3 for i in range(12_000)], 8, id="3 a second"),
        pytest.param([2_000_000 * (i // 1_500) + i for i in range(15_000)], 6, id="campaigns"),
        pytest.param([60 * i for i in range(20_000)] + [600_000] * 2990, 12, id="one crowd"),
    ],
)
def test_windows_cost_few_additional_requests(seconds: list[int], percent: float) -> None:
    api = ModelApi(records_at(seconds))

    found = list(windows(api.fetch, newest=api.records[-1].timestamp))

    assert sorted(found) == api.records
    assert len(api.requests) <= len(seconds) / 50 * (1 + percent / 100)


def test_all_workers_read_at_the_same_time() -> None:
    api = evenly(20_000)
    together = threading.Barrier(4, timeout=10)
    turns = iter(range(5))  # the first page is requested alone

    def fetch(page: PageRequest) -> list[Record]:
        if next(turns, 0):
            together.wait()
        return api.fetch(page)

    assert list(windows(fetch, newest=1_200_000, workers=4)) == api.records


def test_the_first_reply_decides_how_many_workers_read() -> None:
    api = evenly(2_000)
    threads: set[threading.Thread] = set()

    def fetch(page: PageRequest) -> list[Record]:
        threads.add(threading.current_thread())
        return api.fetch(page)

    workers = partial(len, api.requests)

    assert list(windows(fetch, newest=120_000, workers=workers)) == api.records
    assert threads == {threading.current_thread()}


@pytest.mark.parametrize("records_a_second", [0.1, 900])
def test_a_slow_consumer_limits_the_records_in_memory_and_can_end_the_threads(
    records_a_second: float,
) -> None:
    api = evenly(40_000, records_a_second)
    fetched: set[int] = set()
    before = set(threading.enumerate())

    def fetch(page: PageRequest) -> list[Record]:
        records = api.fetch(page)
        fetched.update(record.identity for record in records)
        return records

    found = windows(fetch, newest=api.records[-1].timestamp)
    for consumed in range(32_001):
        next(found)
        if consumed % 8_000 == 0:
            wait_for_idle_threads(api)
            assert len(fetched) - consumed <= MAX_BUFFERED

    found.close()
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
        assert not thread.is_alive()


def wait_for_idle_threads(api: ModelApi) -> None:
    before = -1
    while before < len(api.requests):
        before = len(api.requests)
        time.sleep(0.05)


def test_an_error_reaches_the_consumer_after_all_records_in_front_of_it() -> None:
    api = evenly(20_000)

    def fetch(page: PageRequest) -> list[Record]:
        if page.since is not None and page.since > 300_000:
            raise ConnectionError
        return api.fetch(page)

    found: list[Record] = []
    with pytest.raises(ConnectionError):
        found.extend(windows(fetch, newest=1_200_000))

    assert found == api.records[: len(found)]
    assert found[-1].timestamp >= 300_000


def test_an_incomplete_second_is_reported_once() -> None:
    records = [*crowd(3_100, 1_000), *(Record(1_001 + i, 5_000 + i) for i in range(3_000))]
    reports: list[IncompleteSecond] = []

    found = list(windows(ModelApi(records).fetch, newest=4_000, report=reports.append))

    assert [report.timestamp for report in reports] == [1_000]
    assert set(records[3_100:]) <= set(found)
