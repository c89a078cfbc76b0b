"""Templates and made-up answers in a real browser: what is stored is asked of the API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page as Tab
from playwright.sync_api import expect

from tests.e2e.processes import free_port
from workbench.testing import frozen

pytestmark = pytest.mark.browser
CITIES = ["Bern", "Lima", "Oslo"]
TAKEN = {"name": "Where is it, again?", "prompt_template": "{{city}}", "response_source_mode": "ai_generated"}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with frozen() as ws:
        ws.sheets.create("cities", rows=[{"city": city} for city in CITIES])
        yield ws.serve(port=free_port())


def asked(url: str, path: str) -> Any:
    return httpx.get(f"{url}/api/v1{path}").raise_for_status().json()


def write(tab: Tab, url: str, prompt: str) -> None:
    tab.goto(f"{url}/generate?template=new")
    tab.locator(".field-name input").fill("Where is it?")
    tab.locator(".field-response_source_mode").click()
    tab.locator(".MuiMenuItem-root", has_text="AI generated").click()
    tab.locator(".field-prompt_template textarea").first.fill(prompt)


def test_a_template_is_mended_while_it_is_written(url: str, tab: Tab):
    write(tab, url, "In which country is {{town}}?")

    expect(tab.get_by_text("No column for town.")).to_be_visible()
    expect(tab.locator(".hole.lost")).to_have_text("{{town}}")
    tab.get_by_text("Choose a column", exact=True).first.click()
    tab.locator(".MuiMenuItem-root", has_text="city").click()
    expect(tab.get_by_text("In which country is Bern?")).to_be_visible()
    expect(tab.locator(".hole.lost")).to_have_count(0)
    tab.locator(".submit button").last.click()

    expect(tab.get_by_text("Where is it? 1.0.0").last).to_be_visible()
    (template,) = asked(url, "/templates")["templates"]
    assert "In which country is {{town}}?" == template["prompt_template"]
    assert {"town": "city"} == template["column_mapping"]
    assert "ai_generated" == template["response_source_mode"]
    assert tab.journal.clean(), tab.journal  # type: ignore[attr-defined]


def test_made_up_answers_are_stored_and_said_to_be_made_up(url: str, tab: Tab):
    (sheet,) = asked(url, "/sheets")["sheets"]
    plan = {"name": "Named", "prompt_template": "Name {{city}}.", "response_source_mode": "ai_generated"}
    template = httpx.post(f"{url}/api/v1/templates", json=plan).raise_for_status().json()
    wish = {"template_id": template["id"], "name": "Named cities"}
    made = httpx.post(f"{url}/api/v1/sheets/{sheet['id']}/assemble", json=wish).raise_for_status().json()

    tab.goto(f"{url}/generate?face=made&answers={made['id']}")
    expect(tab.get_by_text("made-up answers").first).to_be_visible()
    tab.locator(".submit button").last.click()

    expect(tab.locator(".card-answers tbody tr")).to_have_count(3)
    answers = asked(url, f"/assemblies/{made['id']}/answers")["answers"]
    assert (3, {True}) == (len(answers), {answer["simulated"] for answer in answers})
    sources = asked(url, f"/assemblies/{made['id']}")["counts"]["response_source"]
    assert 0 == sources.get("empty", 0), sources

    tab.goto(f"{url}/generate?made={made['id']}")
    tab.locator(".action-reassemble").first.click()
    expect(tab.get_by_text("3 of 3 pairs stay as they are").first).to_be_visible()
    tab.get_by_role("combobox", name="Template").click()
    expect(tab.locator(".MuiMenuItem-root", has_text="Named 1.0.0")).to_be_visible()
    assert tab.journal.clean(), tab.journal  # type: ignore[attr-defined]


def test_what_was_not_entered_is_blank_and_a_taken_name_is_told_at_the_name(url: str, tab: Tab):
    tab.goto(f"{url}/settings")
    tab.locator(".add-provider button").click()
    expect(tab.locator(".field-concurrency input")).to_have_value("4")
    expect(tab.locator(".field-requests_per_minute input")).to_have_value("")
    expect(tab.locator(".field-price_in input")).to_have_value("")
    expect(tab.get_by_label("Base URL")).to_be_visible()

    httpx.post(f"{url}/api/v1/templates", json=TAKEN).raise_for_status()
    write(tab, url, "In which country is {{city}}?")
    tab.locator(".field-name input").fill("Where is it, again?")
    tab.locator(".submit button").last.click()
    expect(tab.locator(".field-name").get_by_role("alert")).to_contain_text("There is a template named")
    expect(tab.get_by_text("look at Name.")).to_be_visible()
