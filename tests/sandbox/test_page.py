"""The files and the content of the page."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any

import pytest
import requests
from connector_sandbox import Sandbox

from tests.conftest import SignedIn

from .helpers import Put, feedback

FILES = ("page.html", "page.css", "page.js", "rows.js")
GROUPS = {0: "detractor", 6: "detractor", 7: "passive", 8: "passive", 9: "promoter", None: None}


def content(sandbox: Sandbox, path: str = "") -> Any:
    """Return what the page shows."""
    return requests.get(f"{sandbox.url}/_control/page{path}", timeout=10).json()


@pytest.mark.parametrize(("accept", "kind"), [("text/html,*/*", "html"), (None, "plain")])
def test_browsers_get_the_page_and_terminals_get_text(sandbox: Sandbox, accept: Any, kind: str):
    """curl shows addresses and credentials."""
    reply = requests.get(sandbox.url, headers={"Accept": accept}, timeout=5)

    assert reply.headers["Content-Type"] == f"text/{kind}; charset=utf-8"
    assert ("<h1>Sandbox</h1>" in reply.text) == (kind == "html")
    assert (sandbox.api_key in reply.text) == (kind == "plain")


@pytest.mark.parametrize("path", ["/", *(f"/{name}" for name in FILES[1:])])
def test_the_browser_may_load_nothing_else(sandbox: Sandbox, path: str):
    """A policy forbids other sources and inline scripts; the files do not use any."""
    headers = requests.get(sandbox.url + path, headers={"Accept": "text/html"}, timeout=5).headers
    text = "".join(files("connector_sandbox.page").joinpath(name).read_text() for name in FILES)

    assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self';")
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert (headers["X-Content-Type-Options"], len(headers)) == ("nosniff", 7)
    assert not re.search(r"@import|url\(|(?<!xmlns=')https?://", text)


@pytest.mark.parametrize("kind", ["nps", "csat"])
def test_an_nps_score_has_a_group(sandbox: Sandbox, put: Put, kind: str):
    """On both sides; other kinds have no groups."""
    for score in GROUPS:
        survey = 11 if kind == "nps" else 12
        row = sandbox.store.add_response(score=score, survey_id=survey)
        fields = {} if score is None else {"rating": score}
        put(f"/feedbacks/{row['id']}", feedback(row["id"], kind={"name": kind, "fields": fields}))
    shown = content(sandbox)
    groups = [group if kind == "nps" else None for group in reversed(GROUPS.values())]

    assert [row["group"] for row in shown["responses"][: len(groups)]] == groups
    assert [row["group"] for row in shown["received"]["feedbacks"]] == groups


def test_each_put_is_listed(sandbox: Sandbox, put: Put):
    """Newest first; users apart; bodies of any shape."""
    sandbox.options.birdie_strict = False
    bodies = [{"text": "first"}, {"kind": 5}, {"kind": {"fields": []}, "text": {"no": "text"}}]
    for record_id, body in zip(("7", "a%2Fb", "7"), bodies, strict=True):
        put(f"/feedbacks/{record_id}", body)
    put("/users/5", {})
    received = content(sandbox)["received"]
    shown = [(row["id"], row["text"], row["outcome"]) for row in received["feedbacks"]]

    assert shown[:2] == [("7", "{'no': 'text'}", "updated"), ("a/b", "", "created")]
    assert shown[2:] == [("7", "first", "created")]
    assert [(row["kind"], row["id"]) for row in received["others"]] == [("users", "5")]


def test_requests_of_both_apis_are_listed(wootric: SignedIn):
    """Newest first, with faults; not those of the page and of the control API."""
    wootric.sandbox.faults.on("502", times=1)
    wootric.get("responses", {"page": 2, "created[gte]": 5})
    requests.post(f"{wootric.sandbox.url}/_control/responses", json={}, timeout=5)
    last, token = content(wootric.sandbox)["requests"]

    assert (last["method"], last["path"], last["fault"]) == ("GET", "/v1/responses", "502")
    assert (last["query"], last["api"]) == ("page=2&created[gte]=5", "wootric")
    assert (token["method"], token["path"], token["fault"]) == ("POST", "/oauth/token", None)
    assert [row.api for row in wootric.sandbox.requests] == ["wootric", "wootric", "control"]


def test_the_content_is_limited(sandbox: Sandbox):
    """50 records and 100 requests with short texts; the counts are complete."""
    for _ in range(120):
        sandbox.store.add_response(text="long " * 1_000)
        requests.get(f"{sandbox.wootric_url}/v1/responses", timeout=5)
    shown = content(sandbox)

    assert [len(shown["responses"]), len(shown["requests"])] == [50, 100]
    assert shown["wootric"]["responses"] == 420
    assert len(json.dumps(shown)) < 100_000


def test_a_record_or_its_source_can_be_missing(sandbox: Sandbox, put: Put):
    """Not delivered yet, deleted, or not from Wootric; other paths are 404."""
    put("/users/201", {})
    paths = ("feedbacks/1001", "feedbacks/99", "users/201", "accounts/201")
    sides = [[*map(bool, content(sandbox, f"/{path}").values())] for path in paths]

    assert sides == [[True, False], [False, False], [True, True], [False, False]]
    for path in ("/elsewhere", "/page", "/_control/page/surveys/1", "/../page.py"):
        assert requests.get(sandbox.url + path, timeout=5).status_code == 404
