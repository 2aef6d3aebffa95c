"""The page in a real browser: what its buttons do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from webdriver import Browser

if TYPE_CHECKING:
    from collections.abc import Callable

    from connector_sandbox import Sandbox

    from tests.conftest import SignedIn

    Deliver = Callable[[dict[str, Any]], None]


def test_a_response_can_be_let_in(sandbox: Sandbox, browser: Browser) -> None:
    """It stands at the top, in the store and on the page."""
    browser.click("#receive")
    browser.until(lambda: browser.ids("responses")[0] == "1301")

    assert sandbox.store.get(1301)["created_at"] == sandbox.store.responses()[-1]["created_at"]
    assert browser.texts("#said") == ["Response 1301 has arrived."]


def test_a_hundred_responses_can_be_let_in(sandbox: Sandbox, browser: Browser) -> None:
    """More than a page of the API."""
    browser.click("#receive-many")
    browser.until(lambda: browser.texts("#said") == ["100 responses have arrived."])

    assert sandbox.store.count() == 400


@pytest.mark.parametrize(("button", "field"), [("comment", "text"), ("tag", "tags")])
def test_a_late_change_can_be_made(
    sandbox: Sandbox, browser: Browser, deliver: Deliver, button: str, field: str
) -> None:
    """To the newest response that lacks it; Birdie's version is then out of date."""
    target = sandbox.store.add_response()
    assert not target[field]
    deliver(target)
    browser.until(lambda: browser.texts("#responses .pill")[0] == "in Birdie")
    browser.click(f"#{button}")
    browser.until(lambda: browser.texts("#responses .pill")[0] == "changed since")

    assert sandbox.store.get(target["id"])[field]
    assert browser.texts("#said") == [f"Response {target['id']} has a late {button}."]


def test_a_fault_can_be_switched_on_and_off(wootric: SignedIn, browser: Browser) -> None:
    """Chosen from all that are known; what it strikes is marked among the requests."""
    browser.type("#fault-name", "504")
    browser.type("#fault-share", "every request")
    browser.type("#fault-api", "of Wootric")
    browser.click("#fault button[type=submit]")
    browser.until(lambda: browser.texts("#faults li"))
    struck = wootric.get("segments").status_code
    browser.until(lambda: "struck 1 time" in browser.texts("#faults li")[0])
    marked = browser.texts("#requests tr.struck:first-child .pill")
    browser.click("#faults button")
    browser.until(lambda: browser.texts("#faults li") == [])

    assert (struck, wootric.get("segments").status_code) == (504, 200)
    assert marked == ["504", "504"]


def test_every_fault_is_offered_with_its_explanation(sandbox: Sandbox, browser: Browser) -> None:
    """The page knows them from the sandbox."""
    known = sandbox.faults.describe()["known"]
    browser.type("#fault-name", "lost_reply")

    assert sorted(browser.texts("#fault-name option")) == sorted(known)
    assert browser.texts("#fault-help") == [known["lost_reply"]]


def test_the_response_looked_at_can_be_changed_and_deleted(
    sandbox: Sandbox, browser: Browser
) -> None:
    """Any response, not only the newest."""
    row = sandbox.store.newest("responses", 3)[2]
    browser.click("#responses li:nth-child(3) button")
    browser.type("#pair-text", "typed in the browser")
    browser.click("#pair-change button[value=comment]")
    browser.until(lambda: '"typed in the browser"' in browser.texts("#pair-wootric")[0])
    browser.click("#pair-change button[value=delete]")
    browser.until(lambda: browser.texts("#pair-wootric") == ["Wootric does not hold it."])

    assert row["id"] not in {left["id"] for left in sandbox.store.responses()}


def test_what_goes_wrong_is_said(
    sandbox: Sandbox, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as a change of a response that somebody else has just deleted."""

    def gone(*_: object, **__: object) -> None:
        raise KeyError(1299)

    monkeypatch.setattr(sandbox.store, "change", gone)
    browser.click("#tag")
    browser.until(lambda: browser.texts("#said") == ["That did not work: There is no 1299."])
    complaints = browser.complaints()

    assert len(complaints) == 1
    assert "404" in complaints[0]
