"""What a plain run delivers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from connector_sandbox import Sandbox
from target_birdie.delivery import outcomes

from .messages import Run, record, row, schema, state, stream_of


def test_a_response_becomes_a_feedback(sandbox: Sandbox, run_target: Callable[..., Run]) -> None:
    """Every field of a response arrives where Birdie looks for it, personal data does not."""
    run_target(stream_of([record(7, score=9)]), batch_id="monday")

    expected = {
        "feedback_id": "7",
        "text": "Comment 7",
        "posted_at": "2016-12-16T17:05:00Z",
        "kind": {"name": "nps", "fields": {"rating": 9, "author_id": "1007"}},
        "additional_fields": {
            "updated_at": "2016-12-16T17:05:00+00:00",
            "tags": ["shipping"],
            "end_user": {"id": 1007},
            "plan": "pro",
        },
        "batch_id": "monday",
    }
    assert expected == sandbox.birdie.records()["7"]


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"additional_fields_include": ["plan", "tags"]}, {"plan", "tags"}),
        ({"additional_fields_exclude": ["plan", "end_user"]}, {"updated_at", "tags"}),
        ({"include_pii": True, "additional_fields_exclude": ["tags"]}, {"ip_address"}),
    ],
)
def test_the_additional_fields_are_those_that_are_asked_for(
    settings: dict[str, Any], names: set[str], sandbox: Sandbox, run_target: Callable[..., Run]
) -> None:
    """By name; personal data only on demand."""
    run_target(stream_of([record(1)]), **settings)
    arrived = sandbox.birdie.records()["1"]["additional_fields"].keys()
    usual = {"updated_at", "tags", "end_user", "plan"} - {"tags"}

    assert (names | usual if "include_pii" in settings else names) == arrived


def test_a_batch_of_ones_own_is_made_up_for_each_run(
    sandbox: Sandbox, run_target: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It begins with the date; Birdie wants a batch within a day, so a longer run gets another."""
    run_target(stream_of([record(1), record(2)]))
    monkeypatch.setattr(outcomes, "LONGEST_BATCH_SECONDS", -1)
    run_target(stream_of([record(3), record(4)]))
    first, second, third, fourth = (
        sandbox.birdie.records()[number]["batch_id"] for number in ("1", "2", "3", "4")
    )

    assert first == second
    assert len({first, third, fourth}) == 3
    assert re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{6}", first)


def test_each_record_is_one_request(sandbox: Sandbox, run_target: Callable[..., Run]) -> None:
    """Nothing is sent twice, nothing is left out, and the last state comes out."""
    run = run_target(stream_of([record(n) for n in range(1, 201)]))

    assert (run.exit_code, run.states[-1]) == (0, {"read": 200})
    assert 200 == sandbox.birdie.puts == len(sandbox.birdie.records())


def test_every_seeded_response_is_accepted(
    sandbox: Sandbox, run_target: Callable[..., Run]
) -> None:
    """Languages, emoji, odd property names and every JSON type pass Birdie's own checks."""
    run = run_target(stream_of(sandbox.store.responses()))

    assert (run.exit_code, len(sandbox.birdie.records())) == (0, 300)


def test_end_users_become_users(sandbox: Sandbox, run_target: Callable[..., Run]) -> None:
    """A user carries the id that feedbacks name as their author, and no e-mail or phone number."""
    person = {
        "id": 1007,
        "email": "ann@example.com",
        "phone_number": "+15550100",
        "created_at": "2016-12-16T17:05:00+00:00",
        "properties": {"plan": "pro", "Work E-Mail": "ann@example.org"},
    }
    run_target([schema("end_users", {"email": {}, "properties": {}}), row(person, "end_users")])

    user = sandbox.birdie.records("users")["1007"]
    fields = {"created_at": "2016-12-16T17:05:00+00:00", "plan": "pro"}
    assert ("1007", fields) == (user["user_id"], user["additional_fields"])


def test_a_state_alone_passes_through(run_target: Callable[..., Run]) -> None:
    """A tap with nothing new still moves its state on."""
    run = run_target([schema(), state({"bookmark": 1.5})])

    assert run.states == [{"bookmark": 1.5}]


def test_an_empty_state_is_not_written(run_target: Callable[..., Run]) -> None:
    """An empty state would wipe the one that Meltano keeps."""
    run = run_target([schema(), row(record(1)), state({})])

    assert (run.exit_code, run.states) == (0, [])


def test_another_survey_tap_needs_settings_alone(
    sandbox: Sandbox, run_target: Callable[..., Run]
) -> None:
    """The table of streams can be replaced: other columns, nested ones, another kind."""
    entry: dict[str, Any] = {
        "record_type": "feedback",
        "kind": "csat",
        "fields": {
            "feedback_id": "uuid",
            "rating": "answer.value",
            "posted_at": "answered",
            "survey_title": "survey.name",
        },
        "properties": ["survey.labels"],
    }
    answer = {
        "uuid": "a/b c",
        "answer": {"value": 4, "scale": 5},
        "answered": 1481907900,
        "survey": {"name": "Checkout", "labels": {"team": "web"}},
    }
    run_target(
        [schema("surveys", {key: {} for key in answer}), row(answer, "surveys")],
        streams={"surveys": entry},
        date_properties=["answered"],
    )

    body = sandbox.birdie.records()["a/b c"]
    assert body["posted_at"] == "2016-12-16T17:05:00Z"
    fields = {"rating": 4, "survey_title": "Checkout"}
    assert {"name": "csat", "fields": fields} == body["kind"]
    assert body["additional_fields"] == {"answer": {"scale": 5}, "team": "web"}
