"""What a reviewer without a mouse needs: no field and no dialog keeps the keys, and what is shown is true."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page as Tab
from playwright.sync_api import expect

from tests.browser.desk import Review, at, eventually
from tests.e2e.processes import free_port
from workbench.testing import frozen

pytestmark = pytest.mark.browser

LONG = "\n".join(f"line {n}" for n in range(60))


@pytest.fixture(scope="module")
def served() -> Iterator[Review]:
    with frozen() as ws:
        rows = [{"question": f"Question number {i}?", "context": LONG, "answer": f"answer {i}"} for i in range(40)]
        sheet = ws.sheets.create("questions", rows=rows)
        plan = {"prompt_template": "Q: {{question}}", "response_column": "answer"}
        made = ws.training_sheets.assemble(sheet.id, template=plan, guidelines="Be **kind**.")
        yield Review(ws.serve(port=free_port()), made.id)


def test_a_search_gives_the_keys_back(served: Review, tab: Tab):
    tab.goto(served.page(row=0))
    at(tab, 0)
    tab.keyboard.press("/")
    search = tab.locator(".search input")
    expect(search).to_be_focused()
    tab.keyboard.type("number 1")
    tab.keyboard.press("Enter")
    at(tab, 1)
    expect(search).not_to_be_focused()

    tab.keyboard.press("j")

    at(tab, 10)
    expect(search).to_have_value("number 1")
    tab.keyboard.press("/")
    expect(search).to_be_focused()
    tab.keyboard.press("Escape")
    expect(search).not_to_be_focused()


def test_escape_closes_a_dialog_and_the_keys_go_on(served: Review, tab: Tab):
    tab.goto(served.page(row=0))
    at(tab, 0)
    for key, words in (("o", "Nobody decided on a pair yet."), ("i", "Guidelines")):
        tab.keyboard.press(key)
        dialog = tab.get_by_role("dialog")
        expect(dialog.get_by_text(words).first).to_be_visible()
        tab.keyboard.press("Escape")
        expect(dialog).to_have_count(0)

    tab.keyboard.press("j")

    at(tab, 1)


def test_escape_in_a_field_of_a_dialog_leaves_the_field_first(served: Review, tab: Tab):
    tab.goto(served.page(mode="grid"))
    tab.locator("td.pick input").first.click()
    tab.get_by_role("button", name="Flag all").click()
    reason = tab.locator(".bulk-reason input")
    reason.fill("unclear")
    tab.mouse.click(5, 5)
    expect(reason).to_have_value("unclear")
    reason.focus()

    tab.keyboard.press("Escape")
    expect(reason).not_to_be_focused()
    expect(reason).to_have_value("unclear")
    tab.keyboard.press("Escape")

    expect(reason).to_be_hidden()


def test_a_reason_is_given_by_keys_alone(served: Review, tab: Tab):
    tab.goto(served.page(row=30))
    at(tab, 30)
    tab.keyboard.press("w")
    expect(tab.locator(".reason input")).to_be_focused()
    tab.keyboard.type("far too vague")
    tab.keyboard.press("Enter")
    expect(tab.locator(".reason input")).not_to_be_focused()
    tab.keyboard.press("f")

    at(tab, 31)
    assert ("flagged", "far too vague") == (served.stored(30)["status"], served.stored(30)["flag_reason"])


def test_the_pair_stays_in_its_place_when_somebody_is_first_to_decide(tab: Tab):
    with frozen() as ws:
        rows = [{"question": f"Question number {i}?", "answer": None if i > 20 else "yes"} for i in range(40)]
        plan = {"prompt_template": "Q: {{question}}", "response_column": "answer"}
        made = ws.training_sheets.assemble(ws.sheets.create("questions", rows=rows).id, template=plan)
        tab.goto(Review(ws.serve(port=free_port()), made.id).page())
        at(tab, 0)
        expect(tab.get_by_role("group", name="Source").get_by_text("imported")).to_be_visible()
        pair, reviewers = tab.locator(".desk .main"), tab.get_by_role("group", name="Reviewer")
        expect(reviewers).to_have_count(0)
        before = pair.bounding_box()

        tab.keyboard.press("a")

        expect(reviewers).to_be_visible()
        assert before is not None and pair.bounding_box()["y"] == before["y"]


def test_nothing_is_saving_while_nothing_is_stored(served: Review, tab: Tab):
    tab.goto(served.page(row=20))
    at(tab, 20)
    state = tab.locator(".saved .line")
    tab.keyboard.press("j")
    at(tab, 21)
    expect(state).to_have_text("")
    tab.keyboard.press("a")
    at(tab, 22)
    expect(state).to_contain_text("saved")
    tab.keyboard.press("u")
    at(tab, 21)
    expect(tab.get_by_text("Took back").first).to_be_visible()
    expect(state).to_have_text("")


def test_all_of_a_long_source_cell_can_be_read(served: Review, tab: Tab):
    tab.goto(served.page(row=5))
    at(tab, 5)
    cell = tab.locator(".rows dd").filter(has_text="line 0")
    assert "line 0\nline 1\n" in cell.inner_text(), "the lines of a cell run together"
    cut = cell.bounding_box()["height"]

    tab.get_by_role("button", name="show all").click()

    assert eventually(lambda: cell.bounding_box()["height"] > 3 * cut)
    tab.get_by_role("button", name="show less").click()
    assert eventually(lambda: cell.bounding_box()["height"] == cut)


def test_guidelines_stay_folded_for_who_knows_them(served: Review, tab: Tab):
    tab.goto(served.page(row=5))
    at(tab, 5)
    words = tab.locator(".guide").get_by_text("kind")
    expect(words).to_be_visible()
    tab.locator(".guide summary").click()
    expect(words).to_be_hidden()
    tab.reload()
    at(tab, 5)
    expect(words).to_be_hidden()
    tab.locator(".guide summary").click()
    expect(words).to_be_visible()


def test_shift_chooses_all_rows_between(served: Review, tab: Tab):
    tab.goto(served.page(mode="grid"))
    boxes = tab.locator("td.pick input")
    boxes.nth(6).click()
    boxes.nth(2).click(modifiers=["Shift"])
    expect(tab.get_by_text("5 pairs chosen")).to_be_visible()
    boxes.nth(4).click()
    expect(tab.get_by_text("4 pairs chosen")).to_be_visible()
    boxes.nth(6).click(modifiers=["Shift"])

    expect(tab.get_by_text("2 pairs chosen")).to_be_visible()
