"""The page in a real browser: what a person sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests
from webdriver import Browser

if TYPE_CHECKING:
    from collections.abc import Callable

    from connector_sandbox import Sandbox

    from tests.conftest import SignedIn

    Deliver = Callable[[dict[str, Any]], None]

READABLE = 4.5
"""Contrast of small text with its ground that WCAG 2 asks for, level AA."""


def test_it_shows_what_wootric_holds_newest_first(sandbox: Sandbox, browser: Browser) -> None:
    """The fifty that changed last, and how many there are."""
    newest = [str(row["id"]) for row in sandbox.store.newest("responses", 50)]

    assert browser.ids("responses") == newest
    assert browser.texts("#wootric-counts") == ["300 responses · 150 people · 100 declines"]


def test_it_shows_what_birdie_received_as_it_comes(
    sandbox: Sandbox, browser: Browser, deliver: Deliver
) -> None:
    """Without reloading; the response then says that Birdie holds it."""
    row = sandbox.store.newest("responses", 1)[0]
    deliver(row)
    browser.until(lambda: browser.ids("received") == [str(row["id"])])

    assert browser.texts("#received .score b") == [str(row["score"])]
    assert browser.texts("#birdie-counts") == ["1 feedback · 0 users · 1 PUT"]
    assert browser.texts("#responses .pill")[:2] == ["in Birdie", "not in Birdie"]


@pytest.mark.parametrize(("score", "group"), [(10, "promoter"), (8, "passive"), (3, "detractor")])
def test_a_score_is_coloured_and_named(
    sandbox: Sandbox, browser: Browser, score: int, group: str
) -> None:
    """Who sees no colours reads the word."""
    sandbox.store.add_response(score=score)
    browser.until(lambda: browser.texts("#responses .score")[0] == f"{score}{group}")
    colours = browser.run(
        "return [...document.querySelectorAll('#responses .score')]"
        ".map(e => [e.textContent.replace(/\\d+/, ''), getComputedStyle(e).backgroundColor])"
    )
    others = {colour for name, colour in colours if name != group}

    assert {colour for name, colour in colours if name == group}.isdisjoint(others)
    assert len(others) == 2


def test_texts_are_never_read_as_html(sandbox: Sandbox, browser: Browser, deliver: Deliver) -> None:
    """Whatever a stranger writes is shown as written: comment, tag, property, id, fault's path."""
    attack = "<img src=x onerror='window.hurt=1'><script>window.hurt=1</script> & <b>bold</b>"
    sandbox.options.birdie_strict = False
    row = sandbox.store.add_response(
        text=attack, tags=[attack], end_user={"properties": {attack: attack}}
    )
    deliver(row)
    url, key = f"{sandbox.birdie_url}/users/{attack}", f"ApiKey {sandbox.api_key}"
    requests.put(url, json={"text": attack}, headers={"Authorization": key}, timeout=5)
    requests.get(f"{sandbox.wootric_url}/v1/{attack}", params={attack: attack}, timeout=5)
    browser.until(lambda: browser.texts("#responses .text")[0] == attack)
    browser.click("#responses button")
    browser.until(lambda: attack in browser.texts("#pair-birdie")[0])

    browser.click("#pair-close")
    browser.type("#received-kind", "users and others")

    assert attack in browser.texts("#received .meta")[0]
    assert browser.texts("#responses .label")[0] == attack
    assert any(attack in path for path in browser.texts("#requests .path"))
    assert (
        browser.run("return document.querySelectorAll('main img, main b b, dialog img').length")
        == 0
    )
    assert browser.run("return window.hurt ?? null") is None


def test_texts_of_every_language_arrive_whole(sandbox: Sandbox, browser: Browser) -> None:
    """Emoji, line breaks, and Arabic from right to left."""
    texts = ["شكراً جزيلاً 🌹", "Love it ❤️🚀 👩‍👩‍👧‍👦", "one\ntwo", "  spaces around  "]
    for text in reversed(texts):
        sandbox.store.add_response(text=text)
    browser.until(lambda: browser.texts("#responses .text")[:4] == texts)
    first = "return getComputedStyle(document.querySelector('#responses .text')).direction"

    assert browser.run(first) == "rtl"


def test_values_of_any_type_are_shown(sandbox: Sandbox, browser: Browser) -> None:
    """The control address takes what a test wants an API to answer."""
    sandbox.store.add_response(score="nine", tags="late", text=5, end_user=None)
    sandbox.store.add_response(score=None, tags=[None, {"a": 1}], text=["x"])
    browser.until(lambda: browser.ids("responses")[:2] == ["1302", "1301"])

    assert browser.texts("#responses .score b")[1] == "nine"
    assert browser.texts("#responses .text")[:2] == ["['x']", "5"]


def test_requests_are_shown_as_they_come(wootric: SignedIn, browser: Browser) -> None:
    """Method, path with its query, status; the page's own are not among them."""
    wootric.get("responses", {"page": 31})
    browser.until(lambda: len(browser.texts("#requests tr")) == 2)
    cells = browser.texts("#requests tr:first-child td")

    assert cells[1:5] == ["Wootric", "GET", "/v1/responses?page=31", "200"]
    assert float(cells[5]) >= 0
    assert {row.api for row in wootric.sandbox.requests} == {"wootric"}


def test_a_response_stands_beside_its_feedback(
    sandbox: Sandbox, browser: Browser, deliver: Deliver
) -> None:
    """Both as raw JSON, side by side, numbers exact; it follows what happens meanwhile."""
    row = sandbox.store.add_response(end_user={"properties": {"big": 9007199254740993}})
    browser.until(lambda: browser.ids("responses")[0] == str(row["id"]))
    browser.click("#responses button")
    browser.until(lambda: browser.texts("#pair-birdie") == ["Birdie has not received it."])
    deliver(row)
    browser.until(lambda: "feedback_id" in browser.texts("#pair-birdie")[0])
    left, right = browser.run(
        "return ['pair-wootric', 'pair-birdie']"
        ".map(id => document.getElementById(id).getBoundingClientRect().toJSON())"
    )

    assert '"big": 9007199254740993' in browser.texts("#pair-wootric")[0]
    assert '"big": 9007199254740993' in browser.texts("#pair-birdie")[0]
    assert left["right"] <= right["left"]
    assert left["top"] == right["top"]


def test_a_person_stands_beside_the_user_at_birdie(
    sandbox: Sandbox, browser: Browser, deliver: Deliver
) -> None:
    """Users are listed apart, so that they do not hide the feedbacks; none is changed here."""
    deliver(sandbox.store.newest("responses", 1)[0])
    url, key = f"{sandbox.birdie_url}/users/201", f"ApiKey {sandbox.api_key}"
    requests.put(url, json={"user_id": "201"}, headers={"Authorization": key}, timeout=5)
    browser.until(lambda: browser.texts("#birdie-counts")[0].startswith("1 feedback · 1 user"))
    feedbacks = browser.texts("#received .score")
    browser.type("#received-kind", "users and others")
    users = browser.texts("#received .score")
    browser.click("#received button")
    browser.until(lambda: '"user_id": "201"' in browser.texts("#pair-birdie")[0])

    assert (len(feedbacks), users) == (1, ["user"])
    assert '"id": 201' in browser.texts("#pair-wootric")[0]
    assert browser.texts("#pair-title") == ["End user 201 and the user at Birdie"]
    assert not browser.run("return document.getElementById('pair-change').checkVisibility()")


def test_a_sandbox_that_stops_is_noticed_and_found_again(
    sandbox: Sandbox, browser: Browser
) -> None:
    """The page stays open over a restart."""
    browser.until(lambda: browser.texts("#connection") == ["running"])
    sandbox.stop()
    browser.until(lambda: browser.texts("#connection") == ["does not answer, trying again"])
    sandbox.start()
    browser.until(lambda: browser.texts("#connection") == ["running"])

    assert all("ERR_CONNECTION" in complaint for complaint in browser.complaints())


def test_a_row_that_stays_keeps_the_focus(sandbox: Sandbox, browser: Browser) -> None:
    """A person on the keyboard is not thrown out by what arrives."""
    browser.run("document.querySelector('#responses li:nth-child(2) button').focus()")
    focused = browser.ids("responses")[1]
    sandbox.receive(2)
    browser.until(lambda: browser.ids("responses")[3] == focused)

    assert browser.run("return document.activeElement.dataset.id") == focused


def test_an_empty_sandbox_says_what_to_do(sandbox: Sandbox, browser: Browser) -> None:
    """Nothing held, nothing received, nothing asked."""
    for row in sandbox.store.responses():
        sandbox.store.delete("responses", row["id"])
    browser.until(lambda: browser.ids("responses") == [])
    browser.click("#comment")
    shown = browser.run(
        "return ['responses', 'received', 'requests']"
        ".map(id => getComputedStyle(document.getElementById(id), '::before').content)"
    )

    assert [text.strip('"').split()[0] for text in shown] == ["No", "Nothing", "No"]
    assert browser.texts("#said") == ["Wootric holds no response yet: let one arrive first."]


def test_addresses_and_credentials_are_at_hand(sandbox: Sandbox, browser: Browser) -> None:
    """The same text as in the terminal."""
    browser.until(lambda: sandbox.api_key in browser.texts("#addresses")[0])

    assert sandbox.wootric_url in browser.texts("#addresses")[0]


def test_nothing_is_loaded_from_elsewhere(sandbox: Sandbox, browser: Browser) -> None:
    """The machine may be offline."""
    names = browser.run("return performance.getEntriesByType('resource').map(e => e.name)")

    assert f"{sandbox.url}/page.js" in names
    assert all(name.startswith(f"{sandbox.url}/") for name in names)


@pytest.mark.parametrize("width", [1200, 700, 400])
def test_it_fits_the_window(
    sandbox: Sandbox, browser: Browser, deliver: Deliver, width: int
) -> None:
    """Nothing is cut off at the side, whatever a text holds; two columns where there is room."""
    wide = "x" * 500
    deliver(sandbox.store.add_response(text=wide, tags=[wide]))
    requests.get(f"{sandbox.wootric_url}/v1/{wide}", timeout=5)
    browser.open(sandbox.url, width)
    browser.until(lambda: browser.texts("#responses li"))
    left, right = browser.run(
        "return ['responses', 'received']"
        ".map(id => document.getElementById(id).getBoundingClientRect().toJSON())"
    )
    cut = browser.run(
        "return [...document.querySelectorAll('html, .rows, .text, .label, .scroll, .path')]"
        ".filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.className || e.tagName)"
    )

    assert cut == []
    assert browser.run("return document.documentElement.scrollWidth") <= width
    assert (left["top"] == right["top"]) == (width == 1200)


@pytest.mark.parametrize("dark", [False, True])
def test_everything_can_be_read(
    sandbox: Sandbox, browser: Browser, deliver: Deliver, *, dark: bool
) -> None:
    """In light and in dark, as the system has it, each text stands out from its ground."""
    deliver(sandbox.store.newest("responses", 9)[8])
    sandbox.store.comment(sandbox.store.newest("responses", 9)[8]["id"], "late")
    sandbox.faults.on("500", times=0)
    browser.open(sandbox.url, dark=dark)
    browser.until(lambda: browser.texts("#received li") and browser.texts("#faults li"))
    found = browser.run(CONTRASTS)
    ground = browser.run("return getComputedStyle(document.body).backgroundColor")

    assert len(found) > 100
    assert {text: ratio for text, ratio in found if ratio < READABLE} == {}
    assert (ground == "rgb(18, 22, 28)") == dark


CONTRASTS = """
const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
const light = (colour) => {
  const [r, g, b] = numbers(colour).slice(0, 3)
    .map((v) => v / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ground = (element) => {
  const colour = getComputedStyle(element).backgroundColor;
  return numbers(colour)[3] === 0 ? ground(element.parentElement) : colour;
};
const found = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue;
  const [a, b] = [light(getComputedStyle(element).color), light(ground(element))];
  found.push([walker.currentNode.data, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)]);
}
return found;
"""
