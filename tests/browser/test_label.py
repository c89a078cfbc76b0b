"""Review in a real browser: what the keys did is asked of the API."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import Page as Tab
from playwright.sync_api import expect

from tests.e2e.processes import free_port, serving
from workbench.testing import frozen

pytestmark = pytest.mark.browser

ROWS = 240
PAIRS = int(os.environ.get("WORKBENCH_PAIRS", "100"))
STATUS_OF_KEY = {"a": "labeled", "r": "rejected", "f": "flagged"}


@dataclass
class Review:
    """A served workspace with one training sheet, and ways to ask what is stored."""

    url: str
    sheet: str

    def stored(self, row: int) -> dict[str, Any]:
        return httpx.get(f"{self.url}/api/v1/assemblies/{self.sheet}/rows/{row}").json()

    def progress(self) -> dict[str, Any]:
        return httpx.get(f"{self.url}/api/v1/assemblies/{self.sheet}/review-progress").json()

    def page(self, **query: Any) -> str:
        return f"{self.url}/label?sheet={self.sheet}" + "".join(f"&{name}={value}" for name, value in query.items())


def make(ws: Any) -> str:
    """Make a training sheet of questions and return its id."""
    rows = [{"question": f"Question number {i}?", "answer": f"answer {i}"} for i in range(ROWS)]
    sheet = ws.sheets.create("questions", rows=rows)
    plan = {"prompt_template": "Q: {{question}}", "response_column": "answer"}
    return ws.training_sheets.assemble(sheet.id, template=plan, guidelines="Be **kind**.").id


@pytest.fixture
def review() -> Iterator[Review]:
    with frozen() as ws:
        made = make(ws)
        yield Review(ws.serve(port=free_port()), made)


def eventually(check: Callable[[], Any], seconds: float = 60) -> Any:
    until = time.monotonic() + seconds
    while not (result := check()) and time.monotonic() < until:
        time.sleep(0.05)
    return result


def at(tab: Tab, row: int) -> None:
    """Wait until the pair is on the desk."""
    expect(tab.get_by_text(f"Question number {row}?").first).to_be_visible()


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


def test_the_screen_works_on_a_phone(review: Review, tab: Tab):
    tab.set_viewport_size({"width": 390, "height": 844})
    tab.goto(review.page())
    at(tab, 0)

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
