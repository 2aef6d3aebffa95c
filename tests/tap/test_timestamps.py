"""Every time format of the API becomes the same RFC 3339 text in UTC."""

import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_wootric.timestamps import canonical, from_unix, unix_second

FORMS = tomllib.loads(Path(__file__).with_name("timestamps.toml").read_text())


@pytest.fixture(autouse=True)
def _time_zone_restored() -> Iterator[None]:
    yield
    time.tzset()


@pytest.mark.parametrize(
    ("expected", "shown"), [(time, form) for time, forms in FORMS.items() for form in forms]
)
def test_every_known_format_becomes_rfc3339_in_utc(
    expected: str, shown: str | float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A time without an offset is UTC, whatever the time zone of the computer."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()

    assert canonical(shown) == expected


@pytest.mark.parametrize(
    "shown", ["", "yesterday", "2016-13-01", "2016-12-16 25:00:00", True, None, {}, 1e300, "nan"]
)
def test_any_other_value_is_rejected_and_not_repeated(shown: object) -> None:
    canonical(1.0)
    with pytest.raises((ValueError, TypeError)) as caught:
        canonical(shown)  # type: ignore[arg-type]
    assert str(shown) not in str(caught.value) or not shown


@given(st.integers(-(10**10), 10**10), st.integers(0, 10**10))
def test_texts_sort_like_moments(second: int, gap: int) -> None:
    assert from_unix(second) < from_unix(second + gap + 1)
    assert unix_second(from_unix(second)) == unix_second(second + 0.75) == second
