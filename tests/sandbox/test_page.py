"""The page for people: what is served at the sandbox's address, and the data that it shows."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest
import requests

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from connector_sandbox import Sandbox

    from tests.conftest import SignedIn

PARTS = ("page.html", "page.css", "page.js", "rows.js")


def put(sandbox: Sandbox, record_id: object, collection: str = "feedbacks", **fields: Any) -> None:
    body = {"feedback_id": str(record_id), "posted_at": "2031-05-01T12:00:00Z"} | fields
    reply = requests.put(
        f"{sandbox.birdie_url}/{collection}/{record_id}",
        json={"kind": {"name": "nps", "fields": {"rating": 9}}} | body,
        headers={"Authorization": f"ApiKey {sandbox.api_key}"},
        timeout=10,
    )
    assert reply.status_code == 201, reply.text


def shown(sandbox: Sandbox) -> dict[str, Any]:
    """What the page would show now."""
    found: dict[str, Any] = requests.get(f"{sandbox.url}/_control/page", timeout=10).json()
    return found


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html; charset=utf-8"),
        ("*/*", "text/plain; charset=utf-8"),
        (None, "text/plain; charset=utf-8"),
    ],
)
def test_a_browser_gets_the_page_and_a_terminal_gets_text(
    sandbox: Sandbox, accept: str | None, content_type: str
) -> None:
    """curl stays useful: addresses, credentials, commands to paste."""
    reply = requests.get(sandbox.url, headers={"Accept": accept}, timeout=5)

    assert reply.headers["Content-Type"] == content_type
    assert ("<!doctype html>" in reply.text) == content_type.startswith("text/html")
    assert (sandbox.api_key in reply.text) == content_type.startswith("text/plain")


def test_every_part_of_the_page_comes_from_the_sandbox() -> None:
    """No build, no network: whatever a part asks for is served here."""
    parts = {name: files("connector_sandbox").joinpath(name).read_text() for name in PARTS}
    asked = re.findall(r'(?:src|href)="(?!data:)([^"]+)"|from "([^"]+)"', "".join(parts.values()))

    assert {"".join(pair).lstrip("./") for pair in asked} == {"page.css", "page.js", "rows.js"}
    assert not re.search(r"@import|url\(|(?<!xmlns=')https?://", "".join(parts.values()))


@pytest.mark.parametrize("path", ["/", "/page.css", "/page.js", "/rows.js"])
def test_the_browser_is_told_to_load_and_run_nothing_else(sandbox: Sandbox, path: str) -> None:
    """Survey texts come from strangers: a second lock behind the escaping."""
    headers = requests.get(sandbox.url + path, headers={"Accept": "text/html"}, timeout=5).headers

    assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self';")
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Access-Control-Allow-Origin" not in headers


def test_responses_come_the_one_changed_last_first(sandbox: Sandbox) -> None:
    """A late comment on an old response is what one wants to see."""
    oldest = min(sandbox.store.responses(), key=lambda row: row["created_at"])
    sandbox.store.comment(oldest["id"], "late")
    rows = shown(sandbox)["responses"]

    assert (rows[0]["id"], rows[0]["text"]) == (oldest["id"], "late")
    assert [row["updated_at"] for row in rows] == sorted(
        (row["updated_at"] for row in rows), reverse=True
    )


@pytest.mark.parametrize(
    ("score", "group"),
    [
        (0, "detractor"),
        (6, "detractor"),
        (7, "passive"),
        (8, "passive"),
        (9, "promoter"),
        (10, "promoter"),
        (None, None),
    ],
)
def test_a_score_has_the_name_of_its_group(
    sandbox: Sandbox, score: int | None, group: str | None
) -> None:
    """In words, not in colour alone; on both sides the same."""
    row = sandbox.store.add_response(score=score)
    fields = {} if score is None else {"rating": score}
    put(sandbox, row["id"], kind={"name": "nps", "fields": fields})
    data = shown(sandbox)

    assert (data["responses"][0]["score"], data["responses"][0]["group"]) == (score, group)
    (feedback,) = data["received"]["feedbacks"]
    assert (feedback["rating"], feedback["group"]) == (score, group)


def test_a_response_tells_whether_birdie_holds_it(sandbox: Sandbox) -> None:
    """Not at all, as it is, or as it was before a later change."""
    row = sandbox.store.add_response()
    states = [shown(sandbox)["responses"][0]["feedback"]]
    put(sandbox, row["id"])
    states.append(shown(sandbox)["responses"][0]["feedback"])
    sandbox.store.tag(row["id"], "late")
    states.append(shown(sandbox)["responses"][0]["feedback"])

    assert states == ["missing", "current", "outdated"]


def test_a_wrong_clock_does_not_make_a_feedback_outdated(sandbox: Sandbox) -> None:
    """Both moments are read on one clock."""
    sandbox.options.utc_offset_seconds_clock = 3600
    row = sandbox.store.add_response()
    put(sandbox, row["id"])

    assert shown(sandbox)["responses"][0]["feedback"] == "current"


def test_what_birdie_stored_comes_newest_first_and_each_put_for_itself(sandbox: Sandbox) -> None:
    """Something sent twice is seen twice."""
    for record_id, text in ((7, "first"), ("a%2Fb", "odd id"), (7, "second")):
        put(sandbox, record_id, feedback_id=str(record_id).replace("%2F", "/"), text=text)
    put(sandbox, 5, collection="users")
    received = shown(sandbox)["received"]

    assert [(row["id"], row["text"], row["outcome"]) for row in received["feedbacks"]] == [
        ("7", "second", "updated"),
        ("a/b", "odd id", "created"),
        ("7", "first", "created"),
    ]
    assert [(row["kind"], row["id"]) for row in received["others"]] == [("users", "5")]


def test_any_body_that_birdie_took_can_be_shown(sandbox: Sandbox) -> None:
    """Unchecked bodies are of any shape."""
    sandbox.options.birdie_strict = False
    for number, body in enumerate(
        ({"kind": 5}, {"kind": {"fields": []}}, {"text": {"no": "text"}})
    ):
        url, key = f"{sandbox.birdie_url}/feedbacks/{number}", f"ApiKey {sandbox.api_key}"
        requests.put(url, json=body, headers={"Authorization": key}, timeout=5)

    assert [row["rating"] for row in shown(sandbox)["received"]["feedbacks"]] == [None] * 3


def test_requests_come_newest_first_with_faults_marked(wootric: SignedIn) -> None:
    """Method, path, query, status, milliseconds, and the fault that struck."""
    wootric.sandbox.faults.on("502", times=1)
    wootric.sandbox.options.latency = 0.05
    wootric.get("responses", {"page": 2, "created[gte]": 5})
    wootric.get("segments")
    last, struck, token = shown(wootric.sandbox)["requests"]

    assert (struck["method"], struck["path"], struck["query"]) == (
        "GET",
        "/v1/responses",
        "page=2&created[gte]=5",
    )
    assert (struck["status"], struck["fault"], struck["api"]) == (502, "502", "wootric")
    assert struck["ms"] >= 50
    assert (last["path"], last["fault"]) == ("/v1/segments", None)
    assert (token["method"], token["path"]) == ("POST", "/oauth/token")


def test_the_pages_own_requests_are_not_remembered(sandbox: Sandbox) -> None:
    """It asks every second; neither a list nor memory may grow by that."""
    for path in ("/", "/page.js", "/_control/page", "/_control/page/feedbacks/1001"):
        assert requests.get(sandbox.url + path, timeout=5).status_code == 200

    assert sandbox.requests == []
    assert shown(sandbox)["requests"] == []


def test_a_control_request_is_not_among_those_of_the_apis(sandbox: Sandbox) -> None:
    """Only what a tap or a target asked is listed."""
    requests.post(f"{sandbox.url}/_control/receive", json={}, timeout=5)

    assert len(sandbox.requests) == 1
    assert shown(sandbox)["requests"] == []


def test_it_stays_small_in_a_large_account(make_sandbox: Callable[..., Sandbox]) -> None:
    """The newest 50 records and 100 requests, texts cut; all are counted."""
    sandbox = make_sandbox(responses=5_000)
    for _ in range(60):
        sandbox.store.add_response(text="long " * 1_000)
        put(sandbox, 7, text="long " * 1_000)
    for _ in range(60):
        requests.get(f"{sandbox.wootric_url}/v1/responses", timeout=5)
    data = shown(sandbox)

    assert [len(data["responses"]), len(data["requests"])] == [50, 100]
    assert len(data["received"]["feedbacks"]) == 50
    assert data["wootric"]["responses"] == 5_060
    assert (data["birdie"]["feedbacks"], data["puts"]) == (1, 60)
    assert len(json.dumps(data)) < 100_000


def test_a_record_and_its_source_come_as_they_are(sandbox: Sandbox) -> None:
    """As texts: a browser would round the large numbers in them."""
    properties = {"big": 9007199254740993, "größe": "<b>XL</b>"}
    row = sandbox.store.add_response(end_user={"properties": properties})
    put(sandbox, row["id"], additional_fields=properties)
    url = f"{sandbox.url}/_control/page/feedbacks/{row['id']}"
    pair = requests.get(url, timeout=5).json()

    assert json.loads(pair["wootric"])["end_user"]["properties"] == properties
    assert json.loads(pair["birdie"])["additional_fields"] == properties
    assert '\n    "big": 9007199254740993' in pair["birdie"]


def test_one_side_may_be_missing(sandbox: Sandbox) -> None:
    """Not delivered yet, deleted since, or never of Wootric."""
    put(sandbox, "own")
    put(sandbox, 201, collection="users")
    put(sandbox, 201, collection="accounts")

    def sides(path: str) -> tuple[bool, bool]:
        pair = requests.get(f"{sandbox.url}/_control/page/{path}", timeout=5).json()
        return pair["wootric"] is not None, pair["birdie"] is not None

    assert sides("feedbacks/1001") == (True, False)
    assert sides("feedbacks/99") == (False, False)
    assert sides("feedbacks/own") == (False, True)
    assert sides("users/201") == (True, True)
    assert sides("accounts/201") == (False, True)


@pytest.mark.parametrize(
    "path", ["/elsewhere", "/page", "/_control/page/surveys/1", "/_control/pages", "/../page.py"]
)
def test_there_is_nothing_elsewhere(sandbox: Sandbox, path: str) -> None:
    """No file but those of the page is served."""
    assert requests.get(sandbox.url + path, timeout=5).status_code == 404


def test_the_command_opens_the_page(tmp_path: Path) -> None:
    """`--open` calls the browser with the address, once the sandbox listens."""
    browser, called = tmp_path / "browser", tmp_path / "called"
    browser.write_text(f'#!/bin/sh\necho "$1" > {called}.part\nmv {called}.part {called}\n')
    browser.chmod(0o755)
    process = subprocess.Popen(
        [sys.executable, "-m", "connector_sandbox.cli", "--port", "0", "--open"],
        stdout=subprocess.PIPE,
        env=os.environ | {"BROWSER": f"{browser} %s"},
        text=True,
    )
    try:
        deadline = time.monotonic() + 10
        while not called.exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        address = called.read_text().strip()
        page = requests.get(address, headers={"Accept": "text/html"}, timeout=5)
        process.send_signal(signal.SIGTERM)
        printed, _ = process.communicate(timeout=5)
    finally:
        process.kill()
        process.wait()

    assert "<h1>Sandbox</h1>" in page.text
    assert f"Page      {address}/\n" in printed
