"""Import in a real browser: what came in is asked of the API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page as Tab
from playwright.sync_api import expect

from tests.e2e.processes import free_port
from workbench.services import long_work
from workbench.testing import frozen

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with frozen() as ws:
        ws.sheets.create("taken", rows=[{"a": 1}])
        yield ws.serve(port=free_port())


ALIKE = [f"satisfaction_with_the_answers_of_our_support_{n:02}" for n in range(60)]


@pytest.mark.parametrize("face", ["rows", "columns"])
def test_columns_whose_names_begin_alike_are_told_apart_by_their_ends(url: str, tab: Tab, face: str):
    made = httpx.post(f"{url}/api/v1/sheets", json={"name": f"alike {face}", "source_type": "inline", "rows": [dict.fromkeys(ALIKE, 1)]})
    tab.goto(f"{url}/data?sheet={made.json()['id']}&face={face}")

    names = tab.locator("th .middle" if face == "rows" else ".column .middle")
    expect(names).to_have_count(60)
    seen = names.evaluate_all(
        """all => all.map(name => {
            const [head, tail] = name.children, cell = name.parentElement.getBoundingClientRect()
            const inside = tail.getBoundingClientRect().right <= cell.right + 1
            return [name.textContent, head.scrollWidth > head.clientWidth, inside, tail.textContent]
        })"""
    )
    assert [one[0] for one in seen] == ALIKE
    assert all(cut and inside for _, cut, inside, _ in seen), "the end is in sight, the middle gives way"
    assert len({tail for *_, tail in seen}) == 60


def sheets(url: str) -> dict[str, int]:
    return {sheet["name"]: sheet["item_count"] for sheet in httpx.get(f"{url}/api/v1/sheets").json()["sheets"]}


def choose(tab: Tab, url: str, path: Path) -> None:
    tab.goto(f"{url}/data")
    expect(tab.get_by_text("taken").first).to_be_visible()
    tab.locator(".import").first.click()
    expect(tab.locator(".field-name input")).to_be_visible()
    expect(tab.locator(".field-tags input")).to_be_visible()
    tab.locator("input[type=file]").first.set_input_files(path)


def test_a_file_becomes_a_sheet_that_opens_with_its_rows(url: str, tab: Tab, tmp_path: Path):
    path = tmp_path / "people.csv"
    path.write_text("name,age\nann,31\nbob,42\n")

    choose(tab, url, path)
    expect(tab.locator(".field-name input")).to_have_value("people")
    tab.locator(".submit").first.click()

    expect(tab.get_by_text("bob").first).to_be_visible()
    assert 2 == sheets(url)["people"]
    tab.wait_for_function("location.href.includes('sheet=sheet')")

    tab.go_back()
    expect(tab.get_by_text("bob")).to_have_count(0)
    tab.go_forward()
    expect(tab.get_by_text("bob").first).to_be_visible()
    tab.wait_for_function("location.href.includes('sheet=sheet')")
    assert tab.journal.clean(), tab.journal  # type: ignore[attr-defined]


def test_reviews_of_another_tool_are_looked_at_taken_over_and_opened(url: str, tab: Tab, tmp_path: Path):
    path = tmp_path / "intents.json"
    results = [{"from_name": name, "type": "choices", "value": {"choices": ["refund"]}} for name in ("intent", "mood")]
    path.write_text(json.dumps([{"id": 1, "data": {"text": "Money back"}, "annotations": [{"result": results}], "predictions": []}]))

    tab.goto(f"{url}/data?dialog=reviews")
    expect(tab.get_by_text("Choose a file or drop it here")).to_be_visible()
    tab.locator("input[type=file]").first.set_input_files(path)
    tab.locator(".submit").first.click()
    expect(tab.get_by_text("1 pair: 1 labeled.").first).to_be_visible()
    assert "intents" not in sheets(url)
    tab.get_by_role("combobox", name="Question").click()
    tab.locator(".MuiMenuItem-root", has_text="mood").click()
    expect(tab.get_by_text("the answers to mood").first).to_be_visible()
    tab.locator(".take").first.click()
    tab.locator(".review").first.click()

    tab.wait_for_url("**/label?sheet=assembly*")
    (made,) = httpx.get(f"{url}/api/v1/assemblies/list").json()["assemblies"]
    assert ("intents", 1, 1) == (made["name"], sheets(url)["intents"], made["counts"]["status"]["labeled"])
    assert tab.journal.clean(), tab.journal  # type: ignore[attr-defined]


def test_a_large_file_becomes_a_job_that_the_dialog_follows_to_its_sheet(url: str, tab: Tab, tmp_path: Path, monkeypatch):
    path = tmp_path / "crowd.csv"
    path.write_text("name,age\nann,31\nzoe,57\n")
    monkeypatch.setattr(long_work, "ROWS_IN_A_CALL", 1)

    choose(tab, url, path)
    tab.locator(".submit").first.click()

    expect(tab.get_by_text("zoe").first).to_be_visible()
    assert 2 == sheets(url)["crowd"]
    assert ["Import crowd"] == [job["name"] for job in httpx.get(f"{url}/api/v1/jobs").json()["jobs"]]
    assert tab.journal.clean(), tab.journal  # type: ignore[attr-defined]


def test_a_fault_is_shown_at_its_field_and_nothing_remains(url: str, tab: Tab, tmp_path: Path):
    path = tmp_path / "taken.csv"
    path.write_text("name,age\nann,31\n")
    before = sheets(url)

    choose(tab, url, path)
    tab.locator(".submit").first.click()

    expect(tab.get_by_text("There is a sheet named 'taken' already.").first).to_be_visible()
    assert before == sheets(url)


def test_a_ragged_file_names_its_line(url: str, tab: Tab, tmp_path: Path):
    path = tmp_path / "ragged.csv"
    path.write_text("name,age\nann,31\nbob,42,7\n")

    choose(tab, url, path)
    tab.locator(".submit").first.click()

    expect(tab.get_by_text("ine 3").first).to_be_visible()
    assert "ragged" not in sheets(url)
