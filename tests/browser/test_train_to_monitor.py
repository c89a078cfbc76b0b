"""From the training form to a judged request in a real browser; what was stored is asked of the API."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import Page as Tab
from playwright.sync_api import expect

from tests.e2e.processes import free_port
from workbench.config import dataset_path
from workbench.server import bootstrap

pytestmark = pytest.mark.browser
expect.set_options(timeout=60_000)

PAIRS = 2400
EPOCHS = 50
TEMPLATE = {"prompt_template": "Which module?\n{{kind}} {{signature}}\n{{summary}}", "response_column": "module"}
POINTS = """
() => {
  const found = {}
  for (const model of Bokeh.documents[0]._all_models.values()) {
    if (model.type === "GlyphRenderer" && /_(loss|accuracy)$/.test(model.name || "")) {
      found[model.name] = model.data_source.get_length() || 0
    }
  }
  return found
}
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a workspace with a reviewed training sheet of the sample data."""
    path: Path = tmp_path_factory.mktemp("loop") / "loop.duckdb"
    with bootstrap.open(path, share=False) as ws:
        sheet = ws.sheets.create(
            "Modules", source_type="file", source=str(dataset_path("stdlib_functions.csv")), item_id_column="item_id"
        )
        pairs = ws.training_sheets.assemble(sheet.id, template=TEMPLATE, sample="random", sample_size=PAIRS)
        preview = ws.review.bulk_approve(pairs.id, filter={"status": "unlabeled"}, preview=True)
        ws.review.bulk_approve(pairs.id, preview_id=preview.preview_id)
        yield ws.serve(port=free_port())


def get(url: str, path: str) -> Any:
    return httpx.get(f"{url}{path}", timeout=30).raise_for_status().json()


def eventually(check: Callable[[], Any], seconds: float = 60) -> Any:
    until = time.monotonic() + seconds
    while not (result := check()) and time.monotonic() < until:
        time.sleep(0.1)
    return result


def query_of(tab: Tab) -> dict[str, list[str]]:
    return parse_qs(urlsplit(tab.url).query)


def enter(tab: Tab, field: str, value: Any) -> None:
    box = tab.locator(f".field-{field} input").first
    box.fill(str(value))
    box.press("Tab")


def press(tab: Tab, css_class: str) -> None:
    tab.locator(f".{css_class} button, button.{css_class}").first.click()


def test_from_the_form_to_a_judged_request(served: str, tab: Tab) -> None:
    job_id = _train(served, tab)
    version_id = _finish(served, tab, job_id)
    _deploy(served, tab, version_id)
    request_id = _ask(served, tab)
    _judge(served, tab, request_id)
    assert tab.journal.clean(), tab.journal  # type: ignore[attr-defined]


def _train(url: str, tab: Tab) -> str:
    """Start 50 epochs by the form and see the curves move without a reload."""
    tab.goto(f"{url}/train?dialog=create")
    expect(tab.get_by_text("2 400 pairs may be trained on").or_(tab.get_by_text("2,400 of 2,400 pairs")).first).to_be_visible()
    enter(tab, "model_name", "module")
    enter(tab, "epochs", EPOCHS)
    enter(tab, "batch_size", 4)
    tab.evaluate("window.notReloaded = true")
    press(tab, "submit")
    tab.wait_for_url("**/train?*job=*", wait_until="commit")
    job_id = query_of(tab)["job"][0]
    assert eventually(lambda: tab.evaluate(POINTS).get("train_loss", 0) >= 3)
    first = tab.evaluate(POINTS)
    assert eventually(lambda: tab.evaluate(POINTS).get("train_loss", 0) >= first["train_loss"] + 3), first
    assert "running" == get(url, f"/api/v1/training/jobs/{job_id}")["status"], "the points came while the job ran"
    assert tab.evaluate("window.notReloaded"), "the page was reloaded"
    stored = get(url, f"/api/v1/training/jobs/{job_id}")
    assert (EPOCHS, 4, PAIRS, "module") == (
        stored["training_config"]["epochs"], stored["training_config"]["batch_size"], stored["total_pairs"], stored["model_name"]
    )  # fmt: skip
    return job_id


def _finish(url: str, tab: Tab, job_id: str) -> str:
    """Wait for the end; the page tells it without a reload and leads to the version."""
    assert eventually(lambda: "succeeded" == get(url, f"/api/v1/training/jobs/{job_id}")["status"], 120)
    expect(tab.get_by_text("Open the model version")).to_be_visible()
    tab.get_by_text("Open the model version").click()
    tab.wait_for_url("**/models?model=*", wait_until="commit")
    return query_of(tab)["model"][0]


def _deploy(url: str, tab: Tab, version_id: str) -> None:
    """Test, promote and deploy by the buttons of the version."""
    model = f"/api/metrics/models/{version_id}"
    drawer = tab.locator(".MuiDrawer-anchorRight")
    _click(drawer, "Run the tests")
    assert eventually(lambda: get(url, model)["gate"]["tested_at"], 90)
    expect(drawer.get_by_text("tests passed").first).to_be_visible()
    _click(drawer, "Promote to staging")
    assert eventually(lambda: "staging" == get(url, model)["status"])
    _click(drawer, "Deploy to production")
    assert eventually(lambda: "production" == get(url, model)["status"])
    history = [entry["action"] for entry in get(url, f"{model}/history")["items"]]
    assert ["deploy", "promote", "test", "register"] == history
    assert "module" == get(url, "/api/v1/deployment/endpoints")["endpoints"][0]["name"]


def _click(place: Any, label: str) -> None:
    button = place.get_by_role("button", name=label, exact=True)
    expect(button).to_be_enabled(timeout=60_000)
    button.click()


def _ask(url: str, tab: Tab) -> str:
    """Ask the endpoint by the form on its page; the request is in the log."""
    tab.goto(f"{url}/deploy?endpoint=module")
    drawer = tab.locator(".MuiDrawer-anchorRight")
    _click(drawer, "Ask")
    expect(drawer.locator(".answer")).to_be_visible()
    logged = eventually(lambda: get(url, "/api/v1/monitoring/module/logs")["logs"])
    assert (1, 200) == (len(logged), logged[0]["status_code"])
    expect(drawer.get_by_text(logged[0]["prediction"]).first).to_be_visible()
    return logged[0]["id"]


def _judge(url: str, tab: Tab, request_id: str) -> None:
    """Correct the answer on the page of the request, and send it back to review."""
    tab.goto(f"{url}/monitor?request={request_id}")
    drawer = tab.locator(".MuiDrawer-anchorRight")
    expect(drawer.get_by_text("Nobody has judged this answer yet.")).to_be_visible()
    enter(tab, "corrected", "os")
    _click(drawer, "Give feedback")
    given = eventually(lambda: get(url, "/api/v1/feedback")["feedback"])
    assert ("os", request_id) == (given[0]["corrected"], given[0]["request_id"])
    _click(drawer, "Send back to review")
    tab.locator(".form-dialog").get_by_role("button", name="Send back to review").click()
    judged = eventually(lambda: next((f for f in get(url, "/api/v1/feedback")["feedback"] if f["pair_id"]), None))
    sheet = judged["training_sheet_id"]
    pair = get(url, f"/api/v1/assemblies/{sheet}/review-queue?status=unlabeled")
    assert "os" in str(pair), "the corrected answer waits, nobody approved it"
