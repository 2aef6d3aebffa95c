"""Segments and survey templates: all of them with every sync, each once."""

import pytest

from ..helpers import Account


@pytest.mark.parametrize(("number", "is_paged"), [(0, True), (50, True), (130, True), (130, False)])
def test_all_segments_are_delivered_once(empty: Account, number: int, is_paged: bool) -> None:
    """Whether or not the list has pages: that is not documented."""
    empty.sandbox.options.segments_paged = is_paged
    for i in range(number):
        empty.sandbox.store.add_segment(f"Eigenschaft {i}", ("string", "date", "integer")[i % 3])

    output = empty.sync("segments")

    expected = [(row["name"], row["data_type"]) for row in empty.sandbox.store.segments()]
    assert output.code == 0
    assert [(r["name"], r["data_type"]) for r in output.records("segments")] == expected
    assert len(empty.lists("segments")) <= 2 + number // 50


@pytest.mark.parametrize(("number", "code"), [(290, 0), (400, 1)])
def test_segments_of_short_pages_are_delivered_and_those_beyond_page_30_fail_the_run(
    empty: Account, number: int, code: int
) -> None:
    for i in range(number):
        empty.sandbox.store.add_segment(f"segment {i}", "string")
    empty.sandbox.options.per_page_cap = 10

    output = empty.sync("segments")

    assert (output.code, len(output.records("segments"))) == (code, min(number, 300))
    assert all("'segments' has more than" in line for line in output.errors)


def test_survey_templates_are_delivered_once_and_name_the_default(account: Account) -> None:
    output = account.sync("survey_templates")

    records = output.records("survey_templates")
    assert len(records) == len({record["id"] for record in records}) > 1
    assert [record["is_default"] for record in records].count(True) == 1
    assert records[0]["languages"][0].keys() == {"code", "name"}


@pytest.mark.parametrize(
    ("stream", "reply", "key", "expected"),
    [
        ("segments", [{"name": "a"}, {"name": 5}, None, {"name": "b"}], "name", ["a", "b"]),
        ("survey_templates", {"survey_templates": [{"id": 1}, {"id": "x"}, 5]}, "id", [1]),
        ("survey_templates", {"survey_templates": 5}, "id", []),
        ("survey_templates", {}, None, []),
    ],
)
def test_a_definition_without_a_key_is_reported_and_the_others_delivered(
    account: Account, stream: str, reply: object, key: str | None, expected: list[object]
) -> None:
    with account.answering(**{stream: reply}):
        output = account.sync(stream)

    assert output.code == int(key is not None)
    assert [record[str(key)] for record in output.records(stream)] == expected
    assert all(f"'{key}' is not" in line for line in output.errors)
