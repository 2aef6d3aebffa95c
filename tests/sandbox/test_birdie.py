"""Birdie's Ingestion API."""

from __future__ import annotations

import time
from typing import Any

import jsonschema
import pytest
import requests
from connector_sandbox import Sandbox

from .helpers import Put, feedback, nps

KINDS = ("nps", "csat", "review", "support_ticket", "social_media_post", "issue")
REQUIRED = ("feedback_id", "kind", "posted_at")
TIMES = ("2031-05-01T12:00:00", "2031-05-01", "2031-13-01T12:00:00Z", "secret words")
INVALID: list[tuple[str, Any]] = [
    ("JSON object", []),
    *[(f"{x} is missing", {n: v for n, v in feedback().items() if n != x}) for x in REQUIRED],
    ("feedback_id", feedback(feedback_id=7)),
    ("feedback_id differs", feedback(feedback_id="8")),
    ("kind", feedback(kind="nps")),
    ("kind.fields", feedback(kind={"name": "nps"})),
    ("kind.name", feedback(kind=nps() | {"name": "survey"})),
    *[("rating", feedback(kind=nps(rating=rating))) for rating in (11, -1, "9", True)],
    ("account_id", feedback(kind=nps(account_id=None))),
    *[("posted_at", feedback(posted_at=text)) for text in TIMES],
    *[("text", feedback(text=text)) for text in ("", None)],
    ("additional_fields", feedback(additional_fields=[])),
    ("something", feedback(something=None)),
]
REASON = "The API key is not valid."
FORMS = {"error": {"error": REASON}, "errors": {"errors": [REASON]}}
FORMS |= {"error_objects": {"errors": [{"message": REASON}]}}


def test_a_put_stores_a_record(sandbox: Sandbox, put: Put):
    """One PUT per record, JSON, 201 (doc). Each one is charged (doc), so all are counted."""
    assert put("/feedbacks/7", feedback()).status_code == 201
    assert sandbox.birdie.records() == {"7": feedback()}
    put("/feedbacks/7", key="wrong")
    assert (sandbox.birdie.puts, len(sandbox.birdie.history)) == (2, 1)


def test_the_same_id_is_the_same_feedback(sandbox: Sandbox, put: Put):
    """A second PUT makes no duplicate (doc), updates the record (hint), any id works (ours)."""
    for text in ("first", "second"):
        put("/feedbacks/a%2Fb%20%C3%A9", feedback("a/b é", text=text))

    assert [row.outcome for row in sandbox.birdie.history] == ["created", "updated"]
    assert sandbox.birdie.records() == {"a/b é": feedback("a/b é", text="second")}


@pytest.mark.parametrize("scheme", ["ApiKey wrong", "Bearer {key}", ""])
def test_a_wrong_key_is_401(sandbox: Sandbox, scheme: str):
    """The header must be `Authorization: ApiKey {key}` (doc)."""
    headers = {"Authorization": scheme.format(key=sandbox.api_key)}
    url = f"{sandbox.birdie_url}/feedbacks/7"

    assert requests.put(url, json=feedback(), headers=headers, timeout=10).status_code == 401
    assert sandbox.birdie.records() == {}


@pytest.mark.parametrize(("reason", "body"), INVALID)
def test_an_invalid_body_is_400_with_a_reason(sandbox: Sandbox, put: Put, reason: str, body: Any):
    """A JSON object with a message (doc), which does not repeat values (ours)."""
    reply = put("/feedbacks/7", body)

    assert (reply.status_code, reason in reply.json()["message"]) == (400, True)
    assert "secret words" not in reply.text
    assert sandbox.birdie.records() == {}


@pytest.mark.parametrize("form", FORMS)
def test_the_reason_may_have_another_key(sandbox: Sandbox, put: Put, form: str):
    """The key of the message is not documented (ours)."""
    sandbox.options.birdie_reason = form

    assert put("/feedbacks/7", key="wrong").json() == FORMS[form]


@pytest.mark.parametrize(("key_first", "statuses"), [(True, [401, 400]), (False, [400, 400])])
def test_a_body_that_is_not_json_is_400(sandbox: Sandbox, key_first: bool, statuses: list[int]):
    """With the right key (doc); whether the key is checked first is not documented (ours)."""
    sandbox.options.birdie_key_first = key_first
    url = f"{sandbox.birdie_url}/feedbacks/target-birdie-check"
    headers = [{"Authorization": f"ApiKey {key}"} for key in ("wrong", sandbox.api_key)]

    assert [requests.put(url, "{", headers=h, timeout=9).status_code for h in headers] == statuses


def test_a_valid_body_is_stored(put: Put):
    """Six kinds; text and most fields are optional; times are RFC 3339 (doc)."""
    bodies = [feedback(kind={"name": name, "fields": {}}) for name in KINDS]
    bodies.append({name: feedback()[name] for name in REQUIRED})
    bodies += [feedback(posted_at=f"2031-05-01T12:00:00{zone}") for zone in ("Z", ".5-03:00")]

    assert {put("/feedbacks/7", body).status_code for body in bodies} == {201}


@pytest.mark.parametrize("collection", ["users", "accounts", "conversations", "messages"])
def test_other_record_types_have_their_own_paths(sandbox: Sandbox, put: Put, collection: str):
    """Five record types (doc); their paths are not known (ours)."""
    body = {"id": "3", "additional_fields": {"plan": "pro"}}

    assert put(f"/{collection}/3", body).status_code == 201
    assert sandbox.birdie.records(collection) == {"3": body}


@pytest.mark.parametrize("path", ["/opinions/7", "/feedbacks", "/feedbacks/", "/"])
def test_a_wrong_path_or_method_is_an_error(sandbox: Sandbox, path: str):
    """Whatever the key is (ours); the method is PUT (doc)."""
    assert requests.put(sandbox.birdie_url + path, timeout=9).status_code == 404
    for method in ("GET", "POST", "PATCH", "DELETE"):
        url = f"{sandbox.birdie_url}/feedbacks/7"
        assert requests.request(method, url, timeout=9).status_code == 405


def test_more_requests_than_the_limit_are_503(sandbox: Sandbox, put: Put):
    """Within any one second; no `Retry-After` (doc)."""
    sandbox.options.birdie_rate_limit = 5
    replies = [put(f"/feedbacks/{i}") for i in range(7)]
    time.sleep(1.01)
    replies.append(put("/feedbacks/8"))

    assert [reply.status_code for reply in replies] == [*[201] * 5, 503, 503, 201]
    assert "Retry-After" not in replies[6].headers


def test_schemas_are_published(sandbox: Sandbox):
    """Under `/schemas` (doc): a validator with them agrees with the API."""
    url = f"{sandbox.birdie_url}/schemas"
    validator = jsonschema.Draft202012Validator(requests.get(f"{url}/feedback", timeout=10).json())

    names = requests.get(url, timeout=10).json()
    assert names == ["account", "conversation", "feedback", "message", "user"]
    assert validator.is_valid(feedback())
    assert not validator.is_valid(feedback(text=None))
