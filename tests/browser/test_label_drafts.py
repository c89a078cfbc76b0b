"""What is typed into a pair in a real browser: it is never lost, and it is seen where somebody else works."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from playwright.sync_api import Page as Tab
from playwright.sync_api import expect

from tests.browser.desk import Review, at, eventually, make
from tests.e2e.processes import free_port, serving
from workbench.testing import frozen

pytestmark = pytest.mark.browser
# Notes whether the navigation was ever seen, however shortly.
SEEN = """
window.covered = false
const seek = (root) => {
  for (const one of root.querySelectorAll("*")) {
    if (one.matches(".sidebar") && getComputedStyle(one).visibility === "visible") { window.covered = true }
    if (one.shadowRoot) { seek(one.shadowRoot) }
  }
}
const look = () => { seek(document); requestAnimationFrame(look) }
look()
"""


def test_a_conflict_shows_both_versions_and_loses_nothing(review: Review, tab: Tab):
    tab.goto(review.page())
    at(tab, 0)
    tab.keyboard.press("e")
    answer = tab.locator("textarea[aria-label=Response]")
    expect(answer).to_be_focused()
    tab.keyboard.type(" of mine")
    httpx.put(
        f"{review.url}/api/v1/assemblies/{review.sheet}/rows/0", json={"response": "theirs"}, headers={"X-Workbench-User": "bob"}
    ).raise_for_status()

    expect(tab.get_by_text("What you typed is kept")).to_be_visible()
    expect(answer).to_have_value("answer 0 of mine")
    expect(tab.locator(".response-changes del").get_by_text("theirs")).to_be_visible()
    tab.get_by_role("button", name="Keep mine and approve").click()

    at(tab, 1)
    assert ("labeled", "answer 0 of mine") == (review.stored(0)["status"], review.stored(0)["response"])


def test_a_killed_server_comes_back_with_the_draft_on_the_same_pair(tab: Tab, tmp_path: Any):
    database, port = tmp_path / "w.duckdb", free_port()
    with frozen(database) as ws:
        sheet = make(ws)
    with serving(database, port=port) as served:
        review = Review(served.url, sheet)
        tab.goto(review.page())
        at(tab, 0)
        tab.keyboard.press("a")
        at(tab, 1)
        tab.keyboard.press("e")
        expect(tab.locator("textarea[aria-label=Response]")).to_be_focused()
        tab.keyboard.type(" kept")
        assert eventually(lambda: _draft(review, 1) == "answer 1 kept")
        served.kill()
        tab.keyboard.type(" twice")
        expect(tab.get_by_text("reconnecting").first).to_be_visible()
    with serving(database, port=port):
        at(tab, 1)
        expect(tab.get_by_text("live", exact=True)).to_be_visible()
        expect(tab.locator("textarea[aria-label=Response]")).to_have_value("answer 1 kept twice")
        tab.keyboard.press("a")
        at(tab, 2)
        assert [("labeled", "answer 0"), ("labeled", "answer 1 kept twice")] == [
            (review.stored(row)["status"], review.stored(row)["response"]) for row in (0, 1)
        ]


def test_what_is_typed_survives_a_reload_on_the_same_pair(review: Review, tab: Tab):
    tab.goto(review.page())
    at(tab, 0)
    tab.keyboard.press("a")
    at(tab, 1)
    tab.keyboard.press("e")
    answer = tab.locator("textarea[aria-label=Response]")
    expect(answer).to_be_focused()
    tab.keyboard.type(" and all r a f keys")

    assert eventually(lambda: _draft(review, 1) == "answer 1 and all r a f keys")
    tab.reload()

    at(tab, 1)
    expect(answer).to_have_value("answer 1 and all r a f keys")
    assert "unlabeled" == review.stored(1)["status"], "typing decides nothing"
    assert "answer 1" == review.stored(1)["response"]


def _draft(review: Review, row: int) -> str | None:
    card = httpx.get(f"{review.url}/api/v1/assemblies/{review.sheet}/rows/{row}/card").json()
    return (card["draft"] or {}).get("response")


def test_control_enter_saves_and_approves_and_u_takes_it_back(review: Review, tab: Tab):
    tab.goto(review.page())
    at(tab, 0)
    tab.keyboard.press("e")
    expect(tab.locator("textarea[aria-label=Response]")).to_be_focused()
    tab.keyboard.press("ControlOrMeta+a")
    tab.keyboard.type("better")
    tab.keyboard.press("Control+Enter")
    at(tab, 1)
    saved = review.stored(0)
    assert ("labeled", "better", "answer 0", "human_labeled") == (
        saved["status"], saved["response"], saved["original_response"], saved["response_source"],
    )  # fmt: skip

    tab.keyboard.press("u")

    at(tab, 0)
    assert ("unlabeled", "answer 0") == (review.stored(0)["status"], review.stored(0)["response"])


def test_escape_leaves_the_field_and_approving_takes_along_what_was_typed(review: Review, tab: Tab):
    tab.goto(review.page())
    at(tab, 0)
    tab.keyboard.press("e")
    expect(tab.locator("textarea[aria-label=Response]")).to_be_focused()
    tab.keyboard.type("!")
    tab.keyboard.press("Escape")
    tab.wait_for_timeout(300)
    tab.keyboard.press("a")

    at(tab, 1)
    assert ("labeled", "answer 0!") == (review.stored(0)["status"], review.stored(0)["response"])


def test_a_second_tab_follows(review: Review, tab: Tab):
    other = tab.context.new_page()
    other.goto(review.page())
    at(other, 0)
    tab.goto(review.page())
    at(tab, 0)
    tab.bring_to_front()

    tab.keyboard.press("a")
    at(tab, 1)

    expect(other.get_by_text("1 labeled", exact=False).first).to_be_visible()
    expect(other.get_by_text("Question number 0?").first).to_be_visible()


def test_the_screen_works_on_a_phone(review: Review, tab: Tab):
    tab.set_viewport_size({"width": 390, "height": 844})
    tab.add_init_script(SEEN)
    tab.goto(review.page())
    at(tab, 0)
    menu = tab.get_by_role("button", name="Open drawer")
    expect(menu).to_be_visible()
    assert not tab.evaluate("covered"), "the navigation stood over the page as it opened"
    menu.click()
    expect(tab.get_by_text("Monitor", exact=True)).to_be_visible()
    tab.keyboard.press("Escape")
    expect(tab.get_by_text("Monitor", exact=True)).to_be_hidden()

    wide = tab.evaluate("document.documentElement.scrollWidth")
    tab.keyboard.press("Escape")
    approve = tab.locator(".action-approve").first
    expect(approve).to_be_in_viewport()
    for name in ("reject", "flag", "edit"):
        expect(tab.locator(f".action-{name}").first).to_be_in_viewport()
    assert 40 <= approve.bounding_box()["height"]
    approve.click()

    at(tab, 1)
    assert wide <= 390
    assert "labeled" == review.stored(0)["status"]

    for part in (".action-approve", ".action-reject", ".action-flag", ".action-edit", ".undo", ".previous", ".next", ".reason"):
        place = tab.locator(part).first.bounding_box()
        assert place["height"] >= 44 and 0 <= place["x"] and place["x"] + place["width"] <= 390, part
    tab.locator(".reason input").fill("not sure")
    tab.locator(".action-flag").first.click()
    at(tab, 2)
    assert ("flagged", "not sure") == (review.stored(1)["status"], review.stored(1)["flag_reason"])

    search = tab.locator(".search input")
    expect(tab.get_by_text("1 labeled · 1 flagged")).to_be_visible()
    expect(search).to_be_hidden()
    tab.locator(".unfold").click()
    expect(search).to_be_visible()
    search.fill("number 120?")
    search.press("Enter")
    at(tab, 120)
    tab.locator(".more-filters").click()
    expect(tab.locator(".filter-where input")).to_be_visible()
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    tab.get_by_role("button", name="flagged").click()
    search.fill("")
    search.press("Enter")
    at(tab, 1)
    tab.locator(".unfold").click()
    expect(search).to_be_hidden()
