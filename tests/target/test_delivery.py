"""What a plain run delivers, and what it does not send again."""

import json
import re
import signal
from typing import Any

import pytest
from target_birdie.delivery import outcomes

from .messages import record, row, schema, state, sync
from .running import Target, wait_for


def test_every_field_of_a_response_arrives_where_birdie_looks_for_it(target: Target) -> None:
    """And no personal data."""
    target(sync(record(7, score=9)), batch_id="monday")

    assert target.sent["7"] == {
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


def test_a_user_has_the_id_that_feedbacks_name_as_author(target: Target) -> None:
    person = {"id": 1007, "email": "ann@example.com", "created_at": "2016-12-16T17:05:00+00:00"}
    person |= {"properties": {"plan": "pro", "Work E-Mail": "ann@example.org"}}
    target([schema("end_users", "email", "properties"), row(person, "end_users")])
    user = target.sandbox.birdie.records("users")["1007"]

    fields = {"created_at": "2016-12-16T17:05:00+00:00", "plan": "pro"}
    assert (user["user_id"], user["additional_fields"]) == ("1007", fields)


def test_each_record_is_one_request(target: Target) -> None:
    """Of an account with languages, emoji and every JSON type; Birdie accepts all of it."""
    run = target(sync(*target.sandbox.store.responses()))

    assert run.result == (0, 300)
    assert target.puts == len(target.sent) == 300


def test_each_run_has_a_batch_and_a_long_run_several(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Birdie expects the records of a batch within a day."""
    target(sync(1, 2))
    monkeypatch.setattr(outcomes, "LONGEST_BATCH_SECONDS", 1e-9)
    target(sync(3, 4))
    target(sync(5), batch_id="monday")
    first, *others = (target.sent[str(number)]["batch_id"] for number in range(1, 6))

    assert (others[0], others[3], len({first, *others})) == (first, "monday", 4)
    assert re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{6}-0", first)


@pytest.mark.parametrize(("value", "states"), [({"bookmark": 1.5}, 1), ({}, 0)])
def test_a_state_passes_unless_it_is_empty(value: Any, states: int, target: Target) -> None:
    """An empty state would delete the one that Meltano keeps."""
    runs = [target([schema(), state(value)]), target([schema(), row(record(1)), state(value)])]

    assert [run.states for run in runs] == [[value] * states] * 2


def test_the_next_run_sends_only_what_has_changed(store_url: str, target: Target) -> None:
    """The batch and the order of keys do not count."""
    target(sync(*range(1, 101)), batch_id="one", store_url=store_url)
    turned = [dict(reversed(record(number).items())) for number in range(1, 100)]
    messages = sync(*turned, record(100, text="late"))
    run = target(messages, batch_id="two", store_url=store_url)

    assert (run.result, target.puts, target.sent["100"]["text"]) == ((0, 100), 101, "late")
    assert "Done: 100 records: 1 sent" in run.log
    assert ", 99 unchanged" in run.log


def test_a_version_that_returns_is_a_change(target: Target) -> None:
    """Also while another version is on its way."""
    target(sync(record(1, text="a")))
    target.sandbox.options.birdie_latency = 0.2
    target(sync(*(record(1, text=text) for text in "bab")))
    assert target.sent["1"]["text"] == "b"


def test_a_killed_run_leaves_no_old_fingerprint(target: Target) -> None:
    """Birdie may have the newer version, so the return of the older one is a change."""
    target(sync(record(1, text="old")))
    pipe = target.start()
    pipe.feed(sync(record(1, text="new")))
    wait_for(lambda: target.puts == 2)
    pipe.stop(signal.SIGKILL)
    target(sync(record(1, text="old")))
    assert target.history(1) == ["old", "new", "old"]


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "csat"},
        {"include_pii": True},
        {"id_prefix": "eu-"},
        {"account": "other"},
        {"api_url": "localhost"},
        {"store_url": "none", "on_reject": "stop"},
    ],
)
def test_another_payload_account_or_no_store_sends_again(
    change: dict[str, Any], target: Target
) -> None:
    if "api_url" in change:
        change = {"api_url": target.sandbox.birdie_url.replace("127.0.0.1", "localhost")}
    target(sync(1))
    target(sync(1), **change)
    assert target.puts == 2


def test_a_named_account_keeps_its_store_when_the_address_changes(target: Target) -> None:
    """The same server by another name."""
    other = target.sandbox.birdie_url.replace("127.0.0.1", "localhost")
    target(sync(1), account="acme")
    target(sync(1), account="acme", api_url=other)
    assert target.puts == 1


def test_a_lost_store_costs_requests_and_no_record(target: Target) -> None:
    """The new one is named by its full path: in an unexpected folder, it explains the requests."""
    line = f"Created the delivery store {target.folder}/birdie.db"
    runs = [target(sync(1)), target(sync(1))]
    (target.folder / "birdie.db").unlink()
    runs.append(target(sync(1)))

    assert [line in run.log for run in runs] == [True, False, True]
    assert (runs[2].result, target.puts) == ((0, 1), 2)


def test_a_store_that_fails_ends_the_run_without_a_state(target: Target) -> None:
    (target.folder / "birdie.db").mkdir()
    run = target(sync(1))

    assert (run.result, target.puts, run.error.count("\n")) == ((1, None), 0, 1)
    assert f"Error: The delivery store {target.folder}/birdie.db failed: " in run.error


def test_a_dry_run_counts_and_changes_nothing(target: Target) -> None:
    """What is new, unchanged and invalid; no request, no state, no change of the store."""
    target(sync(1, 2))
    before = (target.folder / "birdie.db").read_bytes()
    messages = sync(record(4, score=None), 1, record(2, text="new"), 3)
    run = target(messages, dry_run=True, max_rejects="0")

    assert (run.result, target.puts) == ((1, None), 2)
    assert "4 records: 1 unchanged, 2 would be sent, 1 rejected (rating: 1)" in run.log
    assert (target.folder / "birdie.db").read_bytes() == before


def test_a_dry_run_shows_three_samples_without_content(target: Target) -> None:
    """And creates no store."""
    secret = {"properties": {"company": "my own words", "boss": {"name": "my own words"}}}
    rows = [record(number, text="my own words", end_user=secret) for number in range(1, 6)]
    run = target(sync(*rows), dry_run=True, api_key=None)

    assert run.log.count("Would send feedback {") == 3
    assert ("my own words" in run.log, '"rating": 1' in run.log) == (False, True)
    assert not (target.folder / "birdie.db").exists()


def test_birdies_schema_can_be_checked_first(target: Target) -> None:
    """A record that does not match is rejected with the name of the field, and not sent."""
    rule: dict[str, Any] = {"maximum": 5}
    for name in ("rating", "fields", "kind"):
        rule = {"properties": {name: rule}}
    path = target.folder / "feedback.json"
    path.write_text(json.dumps(rule))
    run = target(sync(4, 8), schema_path=str(path))
    (entry,) = target.rejects()

    assert (run.exit_code, list(target.sent)) == (1, ["4"])
    assert entry["message"] == "kind.fields.rating does not match Birdie's schema (maximum)"
