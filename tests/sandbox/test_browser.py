"""The page in a real browser."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from connector_sandbox import Sandbox

from tests.conftest import SignedIn

from .helpers import Put, feedback
from .webdriver import Browser

ATTACK = "<img src=x onerror='window.hurt=1'><script>window.hurt=1</script> & <b>bold</b>"
TEXTS = ["شكراً جزيلاً 🌹", "Love it ❤️🚀 👩‍👩‍👧‍👦", "one\ntwo", "  spaces around  "]
READABLE = 4.5
"""The smallest contrast of WCAG 2, level AA."""
BOXES = (
    "return arguments[0].map((id) => document.getElementById(id).getBoundingClientRect().toJSON())"
)


def deliver(put: Put, row: dict[str, Any]) -> None:
    """Send a response to Birdie."""
    kind = {"name": "nps", "fields": {"rating": row["score"]}}
    put(f"/feedbacks/{row['id']}", feedback(row["id"], kind=kind, text=row["text"] or "-"))


def test_the_page_follows_both_apis(sandbox: Sandbox, browser: Browser, put: Put) -> None:
    """Newest first, with counts, groups and the state of delivery, without reloading."""
    assert browser.ids("responses") == [str(r["id"]) for r in sandbox.store.newest("responses", 50)]
    assert browser.texts("#wootric-counts") == ["300 responses · 150 people · 100 declines"]
    for score in (3, 8, 10):
        row = sandbox.store.add_response(score=score, survey_id=11)
    sandbox.store.add_response(score=5, survey_id=14)
    deliver(put, row)
    browser.until(lambda: browser.ids("received") == [str(row["id"])])

    assert browser.texts("#responses .score")[:4] == [
        "5score",
        "10promoter",
        "8passive",
        "3detractor",
    ]
    colors = browser.run(
        "return [...document.querySelectorAll('#responses .score')].slice(0, 4)"
        ".map((e) => getComputedStyle(e).backgroundColor)"
    )
    assert len(set(colors)) == 4
    assert browser.texts("#received .score") == ["10promoter"]
    assert browser.texts("#birdie-counts") == ["1 feedback · 0 users · 1 PUT"]
    assert browser.texts("#responses .pill")[:2] == ["not in Birdie", "in Birdie"]
    sandbox.store.tag(row["id"], "new")
    browser.until(lambda: browser.texts("#responses .pill")[0] == "changed later")


def test_texts_are_never_parsed_as_html(sandbox: Sandbox, browser: Browser, put: Put) -> None:
    """Comment, tag, property, id and path."""
    sandbox.options.birdie_strict = sandbox.options.html_text = False
    row = sandbox.store.add_response(
        text=ATTACK, tags=[ATTACK], end_user={"properties": {ATTACK: ATTACK}}
    )
    put(f"/feedbacks/{row['id']}", {"text": ATTACK})
    put(f"/users/{requests.utils.quote(ATTACK, safe='')}", {"text": ATTACK})
    requests.get(f"{sandbox.wootric_url}/v1/{ATTACK}", params={ATTACK: ATTACK}, timeout=5)
    browser.shows("#responses .text", ATTACK)
    browser.click("#responses button")
    browser.shows("#pair-birdie", ATTACK)
    browser.click("#pair-close")
    browser.type("#received-kind", "users and others")

    assert ATTACK in browser.texts("#received .meta")[0]
    assert browser.texts("#responses .label")[0] == ATTACK
    assert any(ATTACK in path for path in browser.texts("#requests .path"))
    assert browser.all("main img, main b b, dialog img") == []
    assert browser.run("return window.hurt ?? null") is None


def test_texts_and_values_of_any_kind_are_shown(sandbox: Sandbox, browser: Browser) -> None:
    """Languages, right-to-left text, line breaks; values of unexpected types."""
    for text in reversed(TEXTS):
        sandbox.store.add_response(text=text)
    browser.until(lambda: browser.texts("#responses .text")[:4] == TEXTS)
    direction = "return getComputedStyle(document.querySelector('#responses .text')).direction"
    assert browser.run(direction) == "rtl"

    sandbox.store.add_response(score="nine", tags="late", text=5, end_user=None)
    sandbox.store.add_response(score=None, tags=[None, {"a": 1}], text=["x"])
    browser.until(lambda: browser.texts("#responses .text")[:2] == ["['x']", "5"])
    assert browser.texts("#responses .score b")[:2] == ["\u2013", "nine"]


def test_requests_and_faults_are_shown(wootric: SignedIn, browser: Browser) -> None:
    """A fault is selected, explained, counted and switched off."""
    known = wootric.sandbox.faults.describe()["known"]
    browser.type("#fault-name", "504")
    browser.type("#fault-share", "all requests")
    browser.type("#fault-api", "of Wootric")
    browser.click("#fault button[type=submit]")
    browser.until(lambda: browser.texts("#faults li"))
    wootric.get("responses", {"page": 31})
    browser.shows("#faults li", "504, 100 % of Wootric: 1 failure")
    cells = browser.texts("#requests tr.failed:first-child td")
    browser.click("#faults button")
    browser.until(lambda: browser.texts("#faults li") == [])

    assert cells[1:5] == ["Wootric", "GET", "/v1/responses?page=31", "504"]
    assert cells[6] == "504"
    assert wootric.get("segments").status_code == 200
    assert browser.texts("#fault-name option") == sorted(
        known, key=browser.texts("#fault-name option").index
    )
    assert browser.texts("#fault-help") == [known["504"]]


def test_a_response_is_shown_next_to_its_feedback(
    sandbox: Sandbox, browser: Browser, put: Put
) -> None:
    """Both as JSON with exact numbers; it can be changed and deleted."""
    big = {"big": 9007199254740993}
    row = sandbox.store.add_response(end_user={"properties": big})
    browser.until(lambda: browser.ids("responses")[0] == str(row["id"]))
    browser.click("#responses button")
    browser.shows("#pair-birdie", "Not received by Birdie.")
    put(f"/feedbacks/{row['id']}", feedback(row["id"], additional_fields=big))
    browser.shows("#pair-birdie", '"big": 9007199254740993')
    left, right = browser.run(BOXES, ["pair-wootric", "pair-birdie"])
    assert (left["top"], left["right"] <= right["left"]) == (right["top"], True)
    assert '"big": 9007199254740993' in browser.texts("#pair-wootric")[0]

    browser.type("#pair-text", "typed")
    browser.click("#pair-change button[value=comment]")
    browser.shows("#pair-wootric", '"typed"')
    browser.click("#pair-change button[value=delete]")
    browser.shows("#pair-wootric", "Not found at Wootric.")
    assert sandbox.store.count() == 300


def test_an_end_user_is_shown_next_to_its_user(browser: Browser, put: Put) -> None:
    """Users have their own list and cannot be changed."""
    put("/users/201", {"user_id": "201"})
    browser.type("#received-kind", "users and others")
    browser.until(lambda: browser.texts("#received .score") == ["user"])
    browser.click("#received button")
    browser.shows("#pair-birdie", '"user_id": "201"')

    assert '"id": 201' in browser.texts("#pair-wootric")[0]
    assert browser.all("#pair-change", "checkVisibility()") == [False]


def test_buttons_simulate_changes(sandbox: Sandbox, browser: Browser) -> None:
    """New responses, a late comment, a late tag; the focus stays on its row."""
    browser.run("document.querySelector('#responses li:nth-child(2) button').focus()")
    focused = browser.ids("responses")[1]
    browser.run("document.getElementById('add').click()")
    browser.shows("#said", "Response 1301 added.")
    browser.until(lambda: browser.ids("responses")[2] == focused)
    assert browser.run("return document.activeElement.dataset.id") == focused

    browser.click("#add-many")
    browser.shows("#said", "100 responses added.")
    plain = str(sandbox.store.add_response()["id"])
    browser.until(lambda: browser.ids("responses")[0] == plain)
    for name in ("comment", "tag"):
        browser.click(f"#{name}")
        browser.shows("#said", f"Response {plain} has a new {name}.")

    assert sandbox.store.count() == 402
    assert sandbox.store.get(int(plain))["text"]
    assert len(sandbox.store.get(int(plain))["tags"]) == 1


def test_an_empty_sandbox_says_what_to_do(sandbox: Sandbox, browser: Browser) -> None:
    """Empty lists and a failed action have a message."""
    for row in sandbox.store.responses():
        sandbox.store.delete("responses", row["id"])
    browser.until(lambda: browser.ids("responses") == [])
    browser.click("#comment")

    assert browser.texts("#said") == ["There are no responses yet. Add one first."]
    assert browser.all("#responses, #received", "dataset.none") == [
        "No responses yet. Add one.",
        "Nothing yet. Run the pipeline: delivered records appear here.",
    ]


def test_errors_and_interruptions_are_shown(
    sandbox: Sandbox, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refused change; a sandbox that stops and starts again."""

    def deleted(*_: object, **__: object) -> None:
        raise KeyError(1299)

    monkeypatch.setattr(sandbox.store, "change", deleted)
    browser.click("#tag")
    browser.shows("#said", "Failed: There is no 1299.")
    sandbox.stop()
    browser.shows("#connection", "no connection, retrying")
    sandbox.start()
    browser.shows("#connection", "running")
    errors = browser.errors()

    assert "404" in errors[0]
    assert all("ERR_CONNECTION" in error for error in errors[1:])


@pytest.mark.parametrize(
    ("width", "dark"), [(1200, False), (1200, True), (700, False), (400, False)]
)
def test_everything_fits_and_is_readable(
    sandbox: Sandbox, browser: Browser, put: Put, width: int, dark: bool
) -> None:
    """Any width and long words; light and dark; nothing is loaded from other hosts."""
    wide = "x" * 500
    deliver(put, sandbox.store.add_response(text=wide, tags=[wide]))
    requests.get(f"{sandbox.wootric_url}/v1/{wide}", timeout=5)
    sandbox.faults.on("500", times=0)
    browser.open(sandbox.url, width, dark=dark)
    browser.until(lambda: browser.texts("#received li") and browser.texts("#faults li"))
    browser.shows("#addresses", sandbox.api_key)
    left, right = browser.run(BOXES, ["responses", "received"])
    cut = browser.run(
        "return [...document.querySelectorAll('html, .rows, .text, .label, .scroll, .path')]"
        ".filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => e.className || e.tagName)"
    )
    contrasts = browser.run(CONTRASTS)

    assert cut == []
    assert (left["top"] == right["top"]) == (width == 1200)
    assert len(contrasts) > 100
    assert {text: ratio for text, ratio in contrasts if ratio < READABLE} == {}
    names = browser.run("return performance.getEntriesByType('resource').map((e) => e.name)")
    assert all(name.startswith(f"{sandbox.url}/") for name in names)


CONTRASTS = """
const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
const light = (color) => numbers(color).slice(0, 3).map((v) => v / 255)
  .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const ground = (e) => {
  const color = getComputedStyle(e).backgroundColor;
  return numbers(color)[3] === 0 ? ground(e.parentElement) : color;
};
const found = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const e = walker.currentNode.parentElement;
  if (!walker.currentNode.data.trim() || !e.checkVisibility()) continue;
  const [a, b] = [light(getComputedStyle(e).color), light(ground(e))];
  found.push([walker.currentNode.data, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)]);
}
return found;
"""
