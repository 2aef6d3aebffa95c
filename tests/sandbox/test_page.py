"""The files and the content of the page."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import pytest
import requests
from connector_sandbox import Sandbox

from tests.conftest import SignedIn

from .helpers import Put, feedback

FILES = ("page.html", "page.css", "page.js", "rows.js")


def content(sandbox: Sandbox, path: str = "") -> Any:
    """Return what the page shows."""
    return requests.get(f"{sandbox.url}/_control/page{path}", timeout=10).json()


@pytest.mark.parametrize(
    ("accept", "kind"),
    [("text/html,*/*;q=0.8", "text/html"), ("*/*", "text/plain"), (None, "text/plain")],
)
def test_browsers_get_the_page_and_terminals_get_text(
    sandbox: Sandbox, accept: str | None, kind: str
) -> None:
    """curl shows addresses and credentials."""
    reply = requests.get(sandbox.url, headers={"Accept": accept}, timeout=5)

    assert reply.headers["Content-Type"] == f"{kind}; charset=utf-8"
    assert ("<h1>Sandbox</h1>" in reply.text) == (kind == "text/html")
    assert (sandbox.api_key in reply.text) == (kind == "text/plain")


@pytest.mark.parametrize("path", ["/", *(f"/{name}" for name in FILES[1:])])
def test_the_browser_may_load_nothing_else(sandbox: Sandbox, path: str) -> None:
    """A policy forbids other sources and inline scripts."""
    headers = requests.get(sandbox.url + path, headers={"Accept": "text/html"}, timeout=5).headers

    assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self';")
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Access-Control-Allow-Origin" not in headers


def test_the_page_refers_to_its_own_files_only() -> None:
    """It works without a network."""
    folder = files("connector_sandbox.page")
    text = "".join(folder.joinpath(name).read_text() for name in FILES)
    references = re.findall(r'(?:src|href|from)(?:=| )"(?!data:)([^"]+)"', text)

    assert {name.lstrip("./") for name in references} == {*FILES[1:]}
    assert not re.search(r"@import|url\(|(?<!xmlns=')https?://", text)


@pytest.mark.parametrize("path", ["/elsewhere", "/page", "/_control/page/surveys/1", "/../page.py"])
def test_other_paths_are_404(sandbox: Sandbox, path: str) -> None:
    """Only the files of the page are served."""
    assert requests.get(sandbox.url + path, timeout=5).status_code == 404


@pytest.mark.parametrize(
    ("score", "survey", "kind", "group"),
    [
        (0, 11, "nps", "detractor"),
        (6, 11, "nps", "detractor"),
        (7, 11, "nps", "passive"),
        (8, 11, "nps", "passive"),
        (9, 11, "nps", "promoter"),
        (10, 12, "csat", None),
        (None, 11, "nps", None),
    ],
)
def test_an_nps_score_has_a_group(
    sandbox: Sandbox, put: Put, score: int | None, survey: int, kind: str, group: str | None
) -> None:
    """On both sides; other kinds have no groups."""
    row = sandbox.store.add_response(score=score, survey_id=survey)
    fields = {} if score is None else {"rating": score}
    put(f"/feedbacks/{row['id']}", feedback(row["id"], kind={"name": kind, "fields": fields}))
    shown = content(sandbox)

    assert (shown["responses"][0]["score"], shown["responses"][0]["group"]) == (score, group)
    (received,) = shown["received"]["feedbacks"]
    assert (received["rating"], received["group"]) == (score, group)


def test_a_response_shows_its_state_at_birdie(sandbox: Sandbox, put: Put) -> None:
    """missing, current or outdated, even if the server's clock is wrong."""
    sandbox.options.utc_offset_seconds_clock = 3600
    row = sandbox.store.add_response()
    steps: list[Callable[[], object]] = [
        lambda: None,
        lambda: put(f"/feedbacks/{row['id']}"),
        lambda: sandbox.store.tag(row["id"], "late"),
    ]
    states = []
    for step in steps:
        step()
        states.append(content(sandbox)["responses"][0]["feedback"])

    assert states == ["missing", "current", "outdated"]


def test_each_put_is_listed(sandbox: Sandbox, put: Put) -> None:
    """Newest first; users apart; bodies of any shape."""
    sandbox.options.birdie_strict = False
    bodies = [{"text": "first"}, {"kind": 5}, {"kind": {"fields": []}, "text": {"no": "text"}}]
    for record_id, body in zip(("7", "a%2Fb", "7"), bodies, strict=True):
        put(f"/feedbacks/{record_id}", body)
    put("/users/5", {})
    received = content(sandbox)["received"]

    assert [(row["id"], row["text"], row["outcome"]) for row in received["feedbacks"]] == [
        ("7", "{'no': 'text'}", "updated"),
        ("a/b", "", "created"),
        ("7", "first", "created"),
    ]
    assert [(row["kind"], row["id"]) for row in received["others"]] == [("users", "5")]


def test_requests_of_both_apis_are_listed(wootric: SignedIn) -> None:
    """Newest first, with faults; not those of the page and of the control API."""
    wootric.sandbox.faults.on("502", times=1)
    wootric.get("responses", {"page": 2, "created[gte]": 5})
    content(wootric.sandbox, "/feedbacks/1001")
    requests.post(f"{wootric.sandbox.url}/_control/responses", json={}, timeout=5)
    last, token = content(wootric.sandbox)["requests"]

    assert (last["method"], last["path"]) == ("GET", "/v1/responses")
    assert (last["query"], last["api"]) == ("page=2&created[gte]=5", "wootric")
    assert (last["status"], last["fault"]) == (502, "502")
    assert (token["method"], token["path"], token["fault"]) == ("POST", "/oauth/token", None)
    assert [row.api for row in wootric.sandbox.requests] == ["wootric", "wootric", "control"]


def test_the_content_is_limited(make_sandbox: Callable[..., Sandbox]) -> None:
    """50 records and 100 requests with short texts; the counts are complete."""
    sandbox = make_sandbox(responses=1_000)
    for _ in range(120):
        sandbox.store.add_response(text="long " * 1_000)
        requests.get(f"{sandbox.wootric_url}/v1/responses", timeout=5)
    shown = content(sandbox)

    assert [len(shown["responses"]), len(shown["requests"])] == [50, 100]
    assert shown["wootric"]["responses"] == 1_120
    assert len(json.dumps(shown)) < 100_000


def test_a_record_and_its_source_are_exact(sandbox: Sandbox, put: Put) -> None:
    """As texts, since JavaScript rounds large numbers; either can be missing."""
    properties = {"big": 9007199254740993, "größe": "<b>XL</b>"}
    row = sandbox.store.add_response(end_user={"properties": properties})
    put(f"/feedbacks/{row['id']}", feedback(row["id"], additional_fields=properties))
    put("/users/201", {})
    pair = content(sandbox, f"/feedbacks/{row['id']}")
    paths = ("feedbacks/1001", "feedbacks/99", "users/201", "accounts/201")
    sides = [content(sandbox, f"/{path}") for path in paths]

    assert json.loads(pair["wootric"])["end_user"]["properties"] == properties
    assert '\n    "big": 9007199254740993' in pair["birdie"]
    assert [(s["wootric"] is not None, s["birdie"] is not None) for s in sides] == [
        (True, False),
        (False, False),
        (True, True),
        (False, False),
    ]
