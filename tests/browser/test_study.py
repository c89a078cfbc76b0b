"""A study by clicks in a real browser: made, watched while its trials run, its best trained; asked of the API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page as Tab
from playwright.sync_api import expect

from tests.browser.test_train_to_monitor import enter, eventually, get, press, query_of
from tests.e2e.processes import free_port
from workbench.config import dataset_path
from workbench.server import bootstrap

pytestmark = pytest.mark.browser

TEMPLATE = {"prompt_template": "{{summary}}", "response_column": "module"}
TRIALS = 3
ENDED = """() => {
  for (const model of Bokeh.documents[0]._all_models.values()) {
    if (model.type === "GlyphRenderer" && model.name === "trials") { return model.data_source.get_length() || 0 }
  }
  return -1
}"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a workspace with a reviewed training sheet of the sample data."""
    path: Path = tmp_path_factory.mktemp("study") / "study.duckdb"
    with bootstrap.open(path, share=False) as ws:
        source = str(dataset_path("stdlib_functions.csv"))
        sheet = ws.sheets.create("Modules", source_type="file", source=source, item_id_column="item_id")
        pairs = ws.training_sheets.assemble(sheet.id, template=TEMPLATE, sample="random", sample_size=200)
        ws.review.bulk_approve(pairs.id, filter={"status": "unlabeled"})
        yield ws.serve(port=free_port())


def set_bounds(tab: Tab, setting: str, low: Any, high: Any) -> None:
    """Fill in the two bounds of a searched setting."""
    boxes = tab.locator(f".setting-{setting} input:not([type=checkbox])")
    for box, value in zip((boxes.nth(0), boxes.nth(1)), (low, high), strict=True):
        box.fill(str(value))
        box.press("Tab")


def test_from_the_form_to_the_trained_best(served: str, tab: Tab) -> None:
    tab.goto(f"{served}/train?tab=studies")
    press(tab, "new-study")
    expect(tab.get_by_text("200 eligible").or_(tab.get_by_text("200 pairs may be trained on")).first).to_be_visible()
    enter(tab, "model_name", "module")
    enter(tab, "n_trials", TRIALS)
    set_bounds(tab, "epochs", 9, 4)
    press(tab, "submit")
    expect(tab.locator(".setting-epochs").get_by_text("is above high")).to_be_visible()
    assert 0 == get(served, "/api/v1/training/studies")["total"]
    set_bounds(tab, "epochs", 4, 9)
    tab.evaluate("window.notReloaded = true")
    press(tab, "submit")
    tab.wait_for_url("**/train?*study=*", wait_until="commit")
    study_id = query_of(tab)["study"][0]
    assert eventually(lambda: tab.evaluate(ENDED) >= 1, 90), "the plot follows the trials"
    expect(tab.locator(".card-trials").get_by_text("succeeded").first).to_be_visible()
    assert eventually(lambda: "succeeded" == get(served, f"/api/v1/training/studies/{study_id}")["status"], 120)
    assert eventually(lambda: tab.evaluate(ENDED) == TRIALS)
    stored = get(served, f"/api/v1/training/studies/{study_id}")
    assert ("module", TRIALS, 4, 9) == (
        stored["model_name"], stored["trials_succeeded"], stored["search_space"]["epochs"]["low"],
        stored["search_space"]["epochs"]["high"],
    )  # fmt: skip
    expect(tab.get_by_text(f"of trial {stored['best_trial']},")).to_be_visible()
    assert tab.evaluate("window.notReloaded"), "the page was reloaded"
    press(tab, "action-train_best")
    tab.wait_for_url("**/train?*job=*", wait_until="commit")
    job = get(served, f"/api/v1/training/jobs/{query_of(tab)['job'][0]}")
    assert (job["parent_id"], job["training_config"]) == (study_id, stored["best_config"])
    assert tab.journal.clean(), tab.journal  # type: ignore[attr-defined]
