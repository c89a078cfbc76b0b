"""Review in a real browser: what the keys did is asked of the API."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import Page as Tab
from playwright.sync_api import expect

from tests.browser.desk import Review, at, eventually

pytestmark = pytest.mark.browser

PAIRS = int(os.environ.get("WORKBENCH_PAIRS", "100"))
STATUS_OF_KEY = {"a": "labeled", "r": "rejected", "f": "flagged"}


def test_forty_keys_at_speed_are_forty_decisions_in_their_order(review: Review, tab: Tab):
    tab.goto(review.page())
    at(tab, 0)
    keys = ["a", "a", "r", "f", "a", "f", "r", "a"] * 5

    for key in keys:
        tab.keyboard.press(key)
        tab.wait_for_timeout(50)

    at(tab, 40)
    assert [STATUS_OF_KEY[key] for key in keys] == [review.stored(row)["status"] for row in range(40)]
    assert "unlabeled" == review.stored(40)["status"]
    decided = review.progress()
    assert (20, 10, 10) == (decided["labeled"], decided["rejected"], decided["flagged"])
    assert [2] * 40 == [review.stored(row)["version"] for row in range(40)], "a decision was applied twice"
    assert tab.journal.clean(), tab.journal  # type: ignore[attr-defined]


def test_many_pairs_by_keyboard_alone(review: Review, tab: Tab):
    """Approve, reject, flag, edit and undo, each pressed as soon as the pair is on the desk."""
    tab.goto(review.page())
    at(tab, 0)
    answer = tab.locator("textarea[aria-label=Response]")
    wanted = []
    for row in range(PAIRS):
        turn = row % 20
        key = "r" if turn in (3, 11) else "f" if turn == 7 else "a"
        if turn == 5:
            tab.keyboard.press("e")
            expect(answer).to_be_focused()
            tab.keyboard.type(" a r f")
            tab.keyboard.press("Control+Enter")
        else:
            tab.keyboard.press(key)
        at(tab, row + 1)
        if turn == 13:
            tab.keyboard.press("u")
            at(tab, row)
            tab.keyboard.press("r")
            at(tab, row + 1)
            key = "r"
        wanted.append((STATUS_OF_KEY[key], f"answer {row} a r f" if turn == 5 else f"answer {row}"))

    stored = httpx.get(f"{review.url}/api/v1/assemblies/{review.sheet}/rows", params={"page_size": PAIRS + 1}).json()["items"]
    assert wanted == [(pair["status"], pair["response"]) for pair in stored[:PAIRS]]
    assert "unlabeled" == stored[PAIRS]["status"]
    assert tab.journal.clean(), tab.journal  # type: ignore[attr-defined]


def test_two_people_never_get_the_same_pair(review: Review, browser: Any):
    """Both work through one queue at once, and everything is decided by exactly one of them."""
    contexts = [browser.new_context(viewport={"width": 1280, "height": 800}) for _ in range(2)]
    tabs = []
    for name, context in zip(("ann", "bob"), contexts, strict=True):
        context.add_cookies([{"name": "workbench_user", "value": name, "url": review.url}])
        tabs.append(context.new_page())
        tabs[-1].goto(review.page(shared="true"))
    for one in tabs:
        expect(one.get_by_text("Question number").first).to_be_visible()
    seen: list[list[int]] = [[], []]
    for _ in range(8):
        for mine, one in zip(seen, tabs, strict=True):
            mine.append(on_desk(one, mine[-1] if mine else None))
            one.keyboard.press("a")
    for mine, one in zip(seen, tabs, strict=True):
        on_desk(one, mine[-1])

    assert set() == set(seen[0]) & set(seen[1])
    assert eventually(lambda: review.progress()["labeled"] == 16)
    decided = {one["reviewer"]: one["approved"] for one in review.progress()["by_reviewer"]}
    assert {"ann": 8, "bob": 8} == decided
    for context in contexts:
        context.close()


def on_desk(tab: Tab, before: int | None) -> int:
    """Return the pair on the desk once it is another one than before."""

    def shown() -> int | None:
        # The address as the page has it now: what the test was told of it may be older.
        row = parse_qs(urlsplit(tab.evaluate("location.href")).query).get("row")
        return int(row[0]) if row and int(row[0]) != before else None

    eventually(lambda: shown() is not None)
    found = shown()
    assert found is not None, tab.url
    expect(tab.get_by_text(f"Question number {found}?").first).to_be_visible()
    return found


def test_a_key_decides_on_what_is_drawn_not_on_what_is_on_its_way(review: Review, tab: Tab):
    held: list[Any] = []
    hold = []

    def between(page: Any) -> None:
        server = page.connect_to_server()
        server.on_message(lambda message: held.append((page, message)) if hold else page.send(message))

    def on_its_way(words: str) -> bool:
        tab.wait_for_timeout(20)
        return any(words in str(message) for _, message in held)

    tab.route_web_socket("**/ws**", between)
    tab.goto(review.page())
    at(tab, 0)
    hold.append(True)
    httpx.put(
        f"{review.url}/api/v1/assemblies/{review.sheet}/rows/0", json={"response": "theirs"}, headers={"X-Workbench-User": "bob"}
    ).raise_for_status()
    assert eventually(lambda: on_its_way("theirs"))

    tab.keyboard.press("a")

    assert eventually(lambda: on_its_way("before you could see it"))
    hold.clear()
    for page, message in held:
        page.send(message)
    expect(tab.get_by_text("before you could see it")).to_be_visible()
    expect(tab.locator("textarea[aria-label=Response]")).to_have_value("theirs")
    assert "unlabeled" == review.stored(0)["status"]
    tab.keyboard.press("a")
    at(tab, 1)
    assert ("labeled", "theirs") == (review.stored(0)["status"], review.stored(0)["response"])


def test_filters_are_part_of_the_address_and_refused_at_their_field(review: Review, tab: Tab):
    tab.goto(review.page(where="row_index > 17"))
    at(tab, 18)
    tab.locator(".more-filters").click()
    where = tab.locator(".filter-where input")
    where.fill("no_such_column > 1")
    where.press("Enter")

    expect(tab.get_by_role("alert").get_by_text("no_such_column").first).to_be_visible()
    where.fill("row_index > 39")
    where.press("Enter")
    at(tab, 40)
    assert "row_index" in tab.url and "39" in tab.url


def test_anything_is_found_by_name_and_the_keys_are_told(review: Review, tab: Tab):
    tab.goto(f"{review.url}/home")
    expect(tab.get_by_text("Recently").first).to_be_visible()
    tab.keyboard.press("Control+k")
    tab.keyboard.type("questio")
    expect(tab.get_by_role("option").first).to_be_visible()
    tab.keyboard.press("Escape")
    tab.keyboard.press("?")
    expect(tab.get_by_text("Keys of this page")).to_be_visible()
    tab.keyboard.press("Escape")
    tab.keyboard.press("Control+k")
    tab.keyboard.type(f"{review.sheet}.17")
    expect(tab.get_by_role("option").get_by_text("pair")).to_be_visible()
    tab.keyboard.press("Enter")

    at(tab, 17)


def test_all_that_match_are_approved_at_once_and_taken_back(review: Review, tab: Tab):
    tab.goto(review.page(mode="grid", search="number 12"))
    box = tab.locator("td.pick input").first
    box.click()
    expect(tab.get_by_text("1 pair chosen")).to_be_visible()
    tab.locator(".select-all").click()
    expect(tab.get_by_text("11 pairs chosen")).to_be_visible()
    tab.get_by_role("button", name="Approve all").click()
    commit = tab.locator(".commit")
    expect(commit).to_be_visible()
    expect(tab.get_by_text("11 of 11 pairs would be approved.")).to_be_visible()
    assert 0 == review.progress()["labeled"], "a preview changes nothing"

    commit.click()

    assert eventually(lambda: review.progress()["labeled"] == 11)
    tab.get_by_role("button", name="Undo", exact=True).last.click()
    assert eventually(lambda: review.progress()["labeled"] == 0)
