"""The files and the content of the page."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
from connector_sandbox import Sandbox

from .helpers import Put, feedback

HTML = "text/html,*/*"
GROUPS = {0: "detractor", 6: "detractor", 7: "passive", 8: "passive", 9: "promoter"}


def content(sandbox: Sandbox, path: str = "") -> Any:
    """Return what the page shows."""
    return requests.get(f"{sandbox.url}/_control/page{path}", timeout=10).json()


def test_browsers_get_the_page_and_terminals_get_text(sandbox: Sandbox):
    """curl shows addresses and credentials."""
    page, text = (requests.get(sandbox.url, headers={"Accept": x}, timeout=5) for x in (HTML, None))

    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert ("<h1>Sandbox</h1>" in page.text, sandbox.api_key in text.text) == (True, True)


@pytest.mark.parametrize("path", ["/", "/page.css", "/page.js", "/rows.js"])
def test_the_browser_may_load_nothing_else(sandbox: Sandbox, path: str):
    """A policy forbids other sources and inline scripts."""
    headers = requests.get(sandbox.url + path, headers={"Accept": HTML}, timeout=5).headers
    policy = headers["Content-Security-Policy"]

    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert ("unsafe" in policy, headers["X-Content-Type-Options"]) == (False, "nosniff")


def test_an_nps_score_has_a_group_on_both_sides(sandbox: Sandbox, put: Put):
    """Other kinds have none."""
    for score in GROUPS:
        for survey, kind in ((11, "nps"), (12, "csat")):
            row = sandbox.store.add_response(score=score, survey_id=survey)
            kinds = {"name": kind, "fields": {"rating": score}}
            put(f"/feedbacks/{row['id']}", feedback(row["id"], kind=kinds))
    shown = content(sandbox)
    groups = [group for name in reversed(GROUPS.values()) for group in (None, name)]

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
    assert requests.get(f"{sandbox.url}/../page.py", timeout=5).status_code == 404
