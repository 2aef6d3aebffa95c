"""The page in a real browser."""

from __future__ import annotations

from urllib.parse import quote

import pytest
import requests
from connector_sandbox import Sandbox

from tests.conftest import SignedIn

from .helpers import FOLDER, Put, feedback
from .webdriver import Browser

ATTACK = "<img src=x onerror='window.hurt=1'><script>window.hurt=1</script> & <b>bold</b>"
TEXTS = [ATTACK, "شكراً جزيلاً 🌹", "Love it ❤️🚀 👩‍👩‍👧‍👦", "one\ntwo", "  spaces around  "]
BOXES = "return arguments[0].map((id) => document.querySelector(id).getBoundingClientRect())"


def test_the_page_follows_both_apis(sandbox: Sandbox, browser: Browser, put: Put):
    """Without reloading; a record is shown next to its source with exact numbers."""
    sandbox.options.utc_offset_seconds_clock = 3600
    browser.shows("#wootric-counts", "300 responses · 150 people · 100 declines")
    big = {"big": 9007199254740993}
    row = sandbox.store.add_response(score=10, end_user={"properties": big})
    browser.shows("#responses li", f"#{row['id']}")
    browser.click("#responses button")
    browser.shows("#pair-birdie", "Not received by Birdie.")
    put(f"/feedbacks/{row['id']}", feedback(row["id"], additional_fields=big))
    browser.shows("#pair-birdie", '"big": 9007199254740993')
    left, right = browser.run(BOXES, ["#pair-wootric", "#pair-birdie"])

    assert (left["top"], left["right"] <= right["left"]) == (right["top"], True)
    assert '"big": 9007199254740993' in browser.all("#pair-wootric")[0]
    assert browser.all("#birdie-counts") == ["1 feedback · 0 users · 1 PUT"]
    assert browser.all("#received .score") == ["9promoter"]
    browser.until(lambda: browser.all("#responses .pill")[0] == "in Birdie")
    browser.type("#pair-text", "typed")
    browser.click("#pair-change button[value=comment]")
    browser.until(lambda: browser.all("#responses .pill")[0] == "changed later")
    assert '"typed"' in browser.all("#pair-wootric")[0]
    browser.click("#pair-change button[value=delete]")
    browser.shows("#pair-wootric", "Not found at Wootric.")


def test_texts_are_shown_as_written(sandbox: Sandbox, browser: Browser, put: Put):
    """Never as HTML: comment, tag, property, id and path; any language or type."""
    sandbox.options.birdie_strict = sandbox.options.html_text = False
    sandbox.store.add_response(score="nine", tags="late", text=["x"], end_user=None)
    for text in reversed(TEXTS):
        person = {"properties": {ATTACK: ATTACK}}
        sandbox.store.add_response(text=text, tags=[ATTACK], end_user=person)
    put(f"/users/{quote(ATTACK, safe='')}", {"text": ATTACK})
    requests.get(f"{sandbox.wootric_url}/v1/{ATTACK}", params={ATTACK: ATTACK}, timeout=5)
    browser.until(lambda: browser.all("#responses .text")[:6] == [*TEXTS, "['x']"])
    browser.click("#responses button")
    browser.shows("#pair-wootric", "onerror")
    browser.click("#pair-close")
    browser.type("#received-kind", "users and others")
    browser.click("#received button")

    assert ATTACK in browser.all("#received .meta")[0]
    assert browser.all("#pair-change", "checkVisibility()") == [False]
    assert browser.all("#responses .label")[0] == ATTACK
    assert any(ATTACK in path for path in browser.all("#requests .path"))
    assert browser.all("main img, main b b, dialog img") == []
    assert browser.run("return window.hurt ?? null") is None
    assert browser.all("#responses .text", "matches(':dir(rtl)')")[:2] == [False, True]


def test_faults_are_injected_and_switched_off(wootric: SignedIn, browser: Browser):
    """A fault is explained and counted, and the failed request is marked."""
    known = wootric.sandbox.faults.describe()["known"]
    for name, text in (("name", "504"), ("share", "all requests"), ("api", "of Wootric")):
        browser.type(f"#fault-{name}", text)
    browser.click("#fault button[type=submit]")
    browser.until(lambda: browser.all("#faults li"))
    wootric.get("responses", {"page": 31})
    browser.shows("#faults li", "504, 100 % of Wootric: 1 failure")
    cells = browser.all("#requests tr.failed:first-child td")
    browser.click("#faults button")
    browser.until(lambda: browser.all("#faults li") == [])

    assert cells[1:5] == ["Wootric", "GET", "/v1/responses?page=31", "504"]
    assert set(browser.all("#fault-name option")) == known.keys()
    assert browser.all("#fault-help") == [known["504"]]


def test_buttons_simulate_changes_and_errors_are_shown(sandbox: Sandbox, browser: Browser):
    """The focus stays on its row; a sandbox can stop and start again."""
    browser.run("document.querySelector('#responses button').focus()")
    focused = browser.all("#responses button", "dataset.id")[0]
    browser.click("#add")
    browser.shows("#said", "Response 1301 added.")
    browser.until(lambda: browser.all("#responses button", "dataset.id")[1] == focused)
    plain = sandbox.store.add_response()["id"]
    browser.shows("#responses .meta", f"#{plain}")
    for name in ("comment", "tag"):
        browser.click(f"#{name}")
        browser.shows("#said", f"Response {plain} has a new {name}.")
    for row in sandbox.store.responses():
        sandbox.store.delete("responses", row["id"])
    browser.until(lambda: browser.all("#responses li") == [])
    browser.click("#comment")
    browser.shows("#said", "There are no responses yet. Add one first.")
    sandbox.stop()
    browser.shows("#connection", "no connection, retrying")
    sandbox.start()
    browser.shows("#connection", "running")

    assert all("ERR_CONNECTION" in error for error in browser.errors())


@pytest.mark.parametrize(("width", "dark"), [(1200, False), (1200, True), (400, False)])
def test_everything_fits_and_is_readable(
    sandbox: Sandbox, browser: Browser, put: Put, width: int, dark: bool
):
    """Any width and long words; light and dark; nothing is loaded from other hosts."""
    wide = "x" * 500
    put(f"/feedbacks/{sandbox.store.add_response(text=wide, tags=[wide])['id']}")
    requests.get(f"{sandbox.wootric_url}/v1/{wide}", timeout=5)
    sandbox.faults.on("500", times=0)
    browser.open(sandbox.url, width, dark=dark)
    browser.until(lambda: browser.all("#received li") and browser.all("#faults li"))
    browser.shows("#addresses", sandbox.api_key)
    left, right = browser.run(BOXES, ["#responses", "#received"])
    contrasts = browser.run((FOLDER / "contrasts.js").read_text())
    names = browser.run("return performance.getEntriesByType('resource').map((e) => e.name)")
    boxes = browser.all("html, .rows, .text, .label, .scroll, .path", "scrollWidth - e.clientWidth")

    assert max(boxes) <= 1
    assert (left["top"] == right["top"]) == (width == 1200)
    assert len(contrasts) > 100
    assert {text: ratio for text, ratio in contrasts if ratio < 4.5} == {}  # WCAG 2, level AA
    assert all(name.startswith(f"{sandbox.url}/") for name in names)
