"""Birdie's Ingestion API."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
import requests

if TYPE_CHECKING:
    from collections.abc import Callable

    from connector_sandbox import Sandbox

    Put = Callable[..., requests.Response]

KINDS = ("nps", "csat", "review", "support_ticket", "social_media_post", "issue")


def feedback(record_id: str = "7", **changes: Any) -> dict[str, Any]:
    """A body that has all that is asked for."""
    body = {
        "feedback_id": record_id,
        "kind": {"name": "nps", "fields": {"rating": 9, "author_id": "3"}},
        "text": "Fine",
        "posted_at": "2031-05-01T12:00:00+00:00",
        "additional_fields": {"plan": "pro", "nothing": None},
        "batch_id": "b1",
    }
    return body | changes


@pytest.fixture
def put(sandbox: Sandbox) -> Put:
    """Send a body with the right key to a path below the mount."""

    def send(path: str, body: object, key: str = sandbox.api_key) -> requests.Response:
        headers = {"Authorization": f"ApiKey {key}"}
        return requests.put(f"{sandbox.birdie_url}{path}", json=body, headers=headers, timeout=10)

    return send


def test_a_record_is_stored_with_201(sandbox: Sandbox, put: Put) -> None:
    """One PUT a record, JSON, 201 stored (doc)."""
    reply = put("/feedbacks/7", feedback())

    assert reply.status_code == 201
    assert sandbox.birdie.records() == {"7": feedback()}


def test_the_same_id_is_the_same_feedback(sandbox: Sandbox, put: Put) -> None:
    """A PUT with the same id updates (hint) and makes no duplicate (doc)."""
    put("/feedbacks/7", feedback(text="first"))
    put("/feedbacks/7", feedback(text="second"))

    assert [(row.path, row.outcome) for row in sandbox.birdie.history] == [
        ("/feedbacks/7", "created"),
        ("/feedbacks/7", "updated"),
    ]
    assert sandbox.birdie.records()["7"]["text"] == "second"


def test_a_wrong_key_is_401(sandbox: Sandbox, put: Put) -> None:
    """401 wrong key (doc); nothing is stored."""
    reply = put("/feedbacks/7", feedback(), key="wrong")

    assert reply.status_code == 401
    assert sandbox.birdie.records() == {}


def test_the_key_goes_into_the_authorization_header(sandbox: Sandbox) -> None:
    """Authorization: ApiKey {key} (doc); no other kind will do."""
    headers = {"Authorization": f"Bearer {sandbox.api_key}"}
    url = f"{sandbox.birdie_url}/feedbacks/7"

    assert requests.put(url, json=feedback(), headers=headers, timeout=10).status_code == 401


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([], "JSON object"),
        (feedback(feedback_id=7), "feedback_id"),
        (feedback(feedback_id="8"), "feedback_id"),
        (feedback(kind="nps"), "kind"),
        (feedback(kind={"name": "nps"}), "kind.fields"),
        (feedback(kind={"name": "survey", "fields": {}}), "kind.name"),
        (feedback(kind={"name": "nps", "fields": {"rating": 11}}), "rating"),
        (feedback(kind={"name": "nps", "fields": {"rating": -1}}), "rating"),
        (feedback(kind={"name": "nps", "fields": {"rating": "9"}}), "rating"),
        (feedback(kind={"name": "nps", "fields": {"rating": True}}), "rating"),
        (feedback(kind={"name": "nps", "fields": {"account_id": None}}), "account_id"),
        (feedback(posted_at="2031-05-01T12:00:00"), "posted_at"),
        (feedback(posted_at="2031-05-01"), "posted_at"),
        (feedback(posted_at="2031-13-01T12:00:00Z"), "posted_at"),
        (feedback(text=""), "text"),
        (feedback(text=None), "text"),
        (feedback(additional_fields=[]), "additional_fields"),
        (feedback(something=None), "something"),
    ],
)
def test_an_invalid_body_is_400_with_a_message(
    sandbox: Sandbox, put: Put, body: object, field: str
) -> None:
    """400 invalid body, a JSON object with a message (doc); the shape is ours."""
    reply = put("/feedbacks/7", body)

    assert reply.status_code == 400
    assert field in reply.json()["message"]
    assert sandbox.birdie.records() == {}


REASON = "The API key is not valid."


@pytest.mark.parametrize(
    ("form", "body"),
    [
        ("message", {"message": REASON}),
        ("error", {"error": REASON}),
        ("errors", {"errors": [REASON]}),
        ("error_objects", {"errors": [{"message": REASON}]}),
    ],
)
def test_the_reason_may_have_another_key(
    sandbox: Sandbox, put: Put, form: str, body: object
) -> None:
    """The key of the message is not known (infer)."""
    sandbox.options.birdie_reason = form

    assert put("/feedbacks/7", feedback(), key="wrong").json() == body


@pytest.mark.parametrize(("key_first", "statuses"), [(True, (401, 400)), (False, (400, 400))])
def test_a_body_that_is_no_json_shows_what_is_checked_first(
    sandbox: Sandbox, key_first: bool, statuses: tuple[int, int]
) -> None:
    """401 wrong key, 400 invalid body (doc); their order is unknown (infer)."""
    sandbox.options.birdie_key_first = key_first
    url = f"{sandbox.birdie_url}/feedbacks/target-birdie-check"
    replies = [
        requests.put(url, "{", headers={"Authorization": f"ApiKey {key}"}, timeout=5)
        for key in ("wrong", sandbox.api_key)
    ]

    assert tuple(reply.status_code for reply in replies) == statuses


@pytest.mark.parametrize("field", ["feedback_id", "kind", "posted_at"])
def test_what_must_be_there_is_named(put: Put, field: str) -> None:
    """400 invalid body (doc)."""
    body = {name: value for name, value in feedback().items() if name != field}

    assert put("/feedbacks/7", body).json() == {"message": f"body.{field} is missing"}


def test_a_message_does_not_repeat_what_was_sent(put: Put) -> None:
    """A body is personal data, a message may be logged."""
    assert "secret words" not in put("/feedbacks/7", feedback(posted_at="secret words")).text


def test_a_body_that_is_no_json_is_400(sandbox: Sandbox) -> None:
    """400 invalid body (doc)."""
    headers = {"Authorization": f"ApiKey {sandbox.api_key}"}
    url = f"{sandbox.birdie_url}/feedbacks/7"

    assert requests.put(url, data=b"{", headers=headers, timeout=10).status_code == 400


@pytest.mark.parametrize("kind", KINDS)
def test_every_documented_kind_is_known(put: Put, kind: str) -> None:
    """A kind is always an object {name, fields}, of six names (doc)."""
    assert put("/feedbacks/7", feedback(kind={"name": kind, "fields": {}})).status_code == 201


def test_text_and_optional_fields_may_be_absent(put: Put) -> None:
    """A text may be absent for NPS and CSAT (doc)."""
    body = feedback()
    for name in ("text", "additional_fields", "batch_id"):
        del body[name]

    assert put("/feedbacks/7", body).status_code == 201


@pytest.mark.parametrize("posted_at", ["2031-05-01T12:00:00Z", "2031-05-01T12:00:00.5-03:00"])
def test_posted_at_is_rfc3339(put: Put, posted_at: str) -> None:
    """posted_at is RFC 3339 (doc)."""
    assert put("/feedbacks/7", feedback(posted_at=posted_at)).status_code == 201


def test_without_strictness_any_object_is_stored(sandbox: Sandbox, put: Put) -> None:
    """The published contract is not known in full: the check can be switched off."""
    sandbox.options.birdie_strict = False

    assert put("/feedbacks/7", {"anything": None}).status_code == 201


@pytest.mark.parametrize("collection", ["users", "accounts", "conversations", "messages"])
def test_other_record_types_have_paths_of_their_own(
    sandbox: Sandbox, put: Put, collection: str
) -> None:
    """feedback, conversation, message, account, user (doc); the paths are ours."""
    body = {"id": "3", "additional_fields": {"plan": "pro"}}

    assert put(f"/{collection}/3", body).status_code == 201
    assert sandbox.birdie.records(collection) == {"3": body}


@pytest.mark.parametrize("path", ["/opinions/7", "/feedbacks", "/feedbacks/", "/"])
def test_an_unknown_path_is_404(put: Put, path: str) -> None:
    """The path is unknown, so it is a setting that can be wrong (ours)."""
    assert put(path, feedback()).status_code == 404


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_any_other_method_is_405(sandbox: Sandbox, method: str) -> None:
    """Records are sent by PUT (doc)."""
    url = f"{sandbox.birdie_url}/feedbacks/7"

    assert requests.request(method, url, timeout=10).status_code == 405


def test_an_id_may_have_any_characters(sandbox: Sandbox, put: Put) -> None:
    """The id in the path is percent-encoded."""
    assert put("/feedbacks/a%2Fb%20%C3%A9", feedback("a/b é")).status_code == 201
    assert list(sandbox.birdie.records()) == ["a/b é"]


def test_more_than_the_limit_in_a_second_is_503(sandbox: Sandbox, put: Put) -> None:
    """503 too many requests; no Retry-After is mentioned (doc)."""
    sandbox.options.birdie_rate_limit = 5
    replies = [put(f"/feedbacks/{i}", feedback(str(i))) for i in range(7)]
    time.sleep(0.5)
    replies.append(put("/feedbacks/8", feedback("8")))
    time.sleep(0.51)
    replies.append(put("/feedbacks/9", feedback("9")))

    assert [reply.status_code for reply in replies] == [201] * 5 + [503] * 3 + [201]
    assert "Retry-After" not in replies[6].headers
    assert list(sandbox.birdie.records()) == ["0", "1", "2", "3", "4", "9"]


def test_schemas_are_published(sandbox: Sandbox) -> None:
    """JSON schemas of every record type are published under /schemas (doc)."""
    names = requests.get(f"{sandbox.birdie_url}/schemas", timeout=10).json()
    schema = requests.get(f"{sandbox.birdie_url}/schemas/feedback", timeout=10).json()

    assert names == ["account", "conversation", "feedback", "message", "user"]
    assert schema["required"] == ["feedback_id", "kind", "posted_at"]
    assert requests.get(f"{sandbox.birdie_url}/schemas/opinion", timeout=10).status_code == 404


def test_the_published_schema_is_what_bodies_are_checked_against(sandbox: Sandbox) -> None:
    """A client that validates with it sees the same faults as the API."""
    jsonschema = pytest.importorskip("jsonschema")
    schema = requests.get(f"{sandbox.birdie_url}/schemas/feedback", timeout=10).json()
    validator = jsonschema.Draft202012Validator(schema)

    assert validator.is_valid(feedback())
    assert not validator.is_valid(feedback(text=None))
    assert not validator.is_valid(feedback(kind={"name": "nps", "fields": {"rating": 11}}))


def test_puts_are_counted_whatever_becomes_of_them(sandbox: Sandbox, put: Put) -> None:
    """Each import runs a paid enrichment (doc): tests count what was sent."""
    put("/feedbacks/7", feedback())
    put("/feedbacks/7", feedback(), key="wrong")

    assert (sandbox.birdie.puts, len(sandbox.birdie.history)) == (2, 1)


def test_latency_delays_every_reply(sandbox: Sandbox, put: Put) -> None:
    """birdie_latency is the least time that a PUT takes."""
    sandbox.options.birdie_latency = 0.2
    started = time.monotonic()
    put("/feedbacks/7", feedback())

    assert time.monotonic() - started >= 0.2
