"""Live views in a real JupyterLab, with the network blocked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.browser import lab, lab_review
from tests.e2e.processes import Served

pytestmark = [pytest.mark.browser, pytest.mark.notebook, pytest.mark.slow, pytest.mark.timeout(400)]

SETUP = """\
import workbench as wb
%load_ext workbench
ws = wb.open("team.duckdb", user="ann")
WORDS = {"math": "matrix cosine", "net": "socket packet", "draw": "canvas pixel"}
topics = list(WORDS)
rows = [{"id": f"r{n}", "text": f"{WORDS[topics[n % 3]]} number {n}", "topic": topics[n % 3]} for n in range(120)]
sheet = ws.sheets.create("Topics", rows=rows, item_id_column="id")
template = {"prompt_template": "{{text}}?", "response_source_mode": "existing_column", "response_column": "topic", "label_type": "topic"}
pairs = ws.training_sheets.assemble(sheet.id, template=template)
outcome = ws.review.bulk_approve(pairs.id, filter={"status": "unlabeled"})
job = ws.training.create(pairs.id, "topics", "ngrams-tfidf", training_config={"epochs": 10})
"""
MODEL = "model = ws.models.get(job.wait(progress=False).model_version_id)\nmodel"
FORM = "from workbench.ui.train import TrainView\nTrainView(ws)"
FIRST = [SETUP, "ws", "sheet", "pairs", "job", MODEL, FORM]
SHOWN = {
    1: ["made the training sheet Topics #1"],
    2: ["draft", "matrix cosine number 0"],
    3: ["labeled", "Nothing is left in this queue."],
    4: ["succeeded", "Held-out accuracy", "96 to learn from", "24 held out"],
    5: ["development", "Mean confidence"],
}
SECOND = [
    'import workbench as wb\n%load_ext workbench\nws = wb.open("team.duckdb", user="bob")',
    "ws.sheets.list()[0]",
    'ws.sheets.create("From the second notebook", rows=[{"text": "hello"}])\n[(s.name, s.created_by) for s in ws.sheets.list()]',
]
REVIEWED = 10


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("lab")
    lab.write_notebook(found / "first.ipynb", FIRST)
    lab.write_notebook(found / "second.ipynb", SECOND)
    lab_review.write(found, REVIEWED + 5)
    return found


@pytest.fixture(scope="module")
def jupyter(folder: Path) -> Iterator[Served]:
    with lab.laboratory(folder) as served:
        yield served


@pytest.fixture
def offline(tab: Any) -> Any:
    """Return a tab that reaches nothing but this machine."""

    def only_here(route: Route) -> None:
        here = route.request.url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:"))
        route.continue_() if here else route.abort()

    tab.route("**/*", only_here)
    tab.set_default_timeout(120_000)
    return tab


def shows(tab: Any, cell: int, *texts: str) -> None:
    """Assert that the output of a cell comes to show texts; JupyterLab renders a cell once it is in sight."""
    found = lab.output(tab, cell)
    found.scroll_into_view_if_needed()
    for text in texts:
        expect(found.get_by_text(text).first).to_be_attached(timeout=120_000)


def test_records_show_live_views_and_a_second_notebook_joins(offline: Any, browser: Any, jupyter: Served) -> None:
    tab = offline
    lab.open_notebook(tab, jupyter, "first.ipynb")
    lab.run_all(tab)
    for cell, texts in SHOWN.items():
        shows(tab, cell, *texts)

    # What a click opens inside a view is as alive as the view.
    output = lab.output(tab, 6)
    output.scroll_into_view_if_needed()
    output.get_by_role("button", name="New training job").first.click()
    output.get_by_label("Model name").fill("from a cell")
    output.get_by_role("button", name="Start training").click()
    shows(tab, 6, "from a cell", "succeeded", "Held-out accuracy")

    other = tab.context.new_page()
    tab.journal.follow(other)
    other.set_default_timeout(120_000)
    lab.open_notebook(other, jupyter, "second.ipynb")
    for _ in SECOND:
        lab.run_next(other)
    shows(other, 1, "Topics", "draft", "matrix cosine number 0")
    shows(other, 2, "('From the second notebook', 'bob'), ('Topics', 'ann')")

    # The first notebook owns the file and hears of what the second one did.
    shows(tab, 1, "imported From the second notebook")
    assert tab.journal.clean(), tab.journal


def test_a_review_in_a_cell_outlives_its_kernel(offline: Any, jupyter: Served, folder: Path) -> None:
    tab = offline
    lab.open_notebook(tab, jupyter, lab_review.NOTEBOOK)
    lab_review.work_through(tab, REVIEWED)
    lab_review.assert_stored(folder, REVIEWED)
    assert tab.journal.clean(), tab.journal
